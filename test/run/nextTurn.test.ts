import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInWork, nextTurn, nodeAhead, type NextTurn, type NextTurnInput } from '../../src/run/nextTurn.js';
import type { DesiredState } from '../../src/run/desired.js';
import { turnPhases, type TurnPhase } from '../../src/run/state.js';
import { turnSteps } from '../../src/run/turn.js';
import { runState } from './runFixtures.js';

function next(
  phases: Readonly<Record<string, string>>,
  options: { only?: readonly string[]; tries?: Readonly<Record<string, number>>; attempts?: number } = {},
): string | undefined {
  return nodeOf({
    state: runState(phases),
    only: options.only && new Set(options.only),
    tries: new Map(Object.entries(options.tries ?? {})),
    attempts: options.attempts ?? 2,
    fits: () => true,
    isHeld: () => false,
  });
}

/** The node that is taken where nothing stops the run; undefined where none is. */
function nodeOf(input: Omit<NextTurnInput, 'desired' | 'policy' | 'taken'>): string | undefined {
  const policy = { canaries: 0, concurrency: 1, stopAfterFailures: 1000 };
  const chosen = nextTurn({ ...input, taken: new Set(), desired: { state: 'Run' }, policy });
  return chosen.kind === 'take' ? chosen.node : undefined;
}

describe('a turn', () => {
  it('is in work in every step and while it is undone, and in no other phase', () => {
    const inWork = turnPhases.filter(isInWork);
    expect([...inWork].sort()).toEqual([...turnSteps.map(({ phase }) => phase), 'Undoing'].sort());
  });
});

describe('the node that may prepare ahead', () => {
  const ahead = (phases: Parameters<typeof runState>[0], options: Partial<NextTurnInput> = {}) =>
    nodeAhead({
      state: runState(phases),
      desired: { state: 'Run' },
      policy: { canaries: 1, concurrency: 1, stopAfterFailures: 1 },
      taken: new Set(['n1']),
      only: undefined,
      tries: new Map([['n1', 1]]),
      attempts: 2,
      fits: () => true,
      isHeld: () => false,
      ...options,
    });

  it('is the next in the order, also behind a canary in work', () => {
    expect(ahead({ n1: 'Draining', n2: 'Pending', n3: 'Pending' })).toBe('n2');
  });

  it.each<{ title: string; phases: Parameters<typeof runState>[0]; options?: Partial<NextTurnInput> }>([
    { title: 'the run is paused', phases: { n1: 'Draining', n2: 'Pending' }, options: { desired: { state: 'Pause' } } },
    {
      title: 'the run is aborted',
      phases: { n1: 'Draining', n2: 'Pending' },
      options: { desired: { state: 'Abort' } },
    },
    { title: 'failures stop the run', phases: { n0: 'Failed', n1: 'Draining', n2: 'Pending' } },
    { title: 'only deferred nodes are left', phases: { n1: 'Draining', n2: 'Deferred' } },
    {
      title: 'a person asked for a retry of the next one',
      phases: { n1: 'Draining', n2: { phase: 'Pending', retryFrom: 'Updating' } },
    },
    { title: 'the next one is out of service', phases: { n1: 'Draining', n2: { phase: 'Pending', cordoned: true } } },
  ])('is none where $title', ({ phases, options }) => {
    expect(ahead(phases, options)).toBeUndefined();
  });
});

describe('the next turn', () => {
  it.each<{ title: string; phases: Record<string, string>; options?: Parameters<typeof next>[1]; node?: string }>([
    {
      title: 'is the first of the order that has not begun',
      phases: { n1: 'Done', n2: 'Pending', n3: 'Pending' },
      node: 'n2',
    },
    { title: 'is the one in work before all others', phases: { n1: 'Pending', n2: 'Draining' }, node: 'n2' },
    {
      title: 'is the one that is being undone before all others',
      phases: { n1: 'Pending', n2: 'Undoing' },
      node: 'n2',
    },
    {
      title: 'is the one in work even where the call is narrowed to others',
      phases: { n1: 'Pending', n2: 'Rebooting' },
      options: { only: ['n1'] },
      node: 'n2',
    },
    {
      title: 'is one of those that the call is narrowed to',
      phases: { n1: 'Pending', n2: 'Pending', n3: 'Pending' },
      options: { only: ['n3'] },
      node: 'n3',
    },
    {
      title: 'is none where the call is narrowed to nodes that are done',
      phases: { n1: 'Pending', n2: 'Done' },
      options: { only: ['n2'] },
    },
    {
      title: 'is a deferred one after those that have not begun',
      phases: { n1: 'Deferred', n2: 'Pending' },
      node: 'n2',
    },
    { title: 'is a deferred one again', phases: { n1: 'Deferred' }, options: { tries: { n1: 1 } }, node: 'n1' },
    {
      title: 'is a deferred one no more often than attempts',
      phases: { n1: 'Deferred' },
      options: { tries: { n1: 2 } },
    },
    { title: 'is a deferred one before a blocked one', phases: { n1: 'Blocked', n2: 'Deferred' }, node: 'n2' },
    { title: 'is a blocked one once in a call', phases: { n1: 'Blocked' }, node: 'n1' },
    {
      title: 'is not a node that this call has found blocked',
      phases: { n1: 'Blocked' },
      options: { tries: { n1: 1 } },
    },
    { title: 'is no failed one', phases: { n1: 'Failed' } },
    { title: 'is no skipped one', phases: { n1: 'Skipped' } },
    { title: 'is none where all are done', phases: { n1: 'Done', n2: 'Done' } },
    { title: 'is none in an empty run', phases: {} },
  ])('$title', ({ phases, options, node }) => {
    expect(next(phases, options)).toBe(node);
  });

  it('is never that of a node in the order that was gone before it got a turn', () => {
    const gone = runState({ n2: 'Pending' }, { order: ['n1', 'n2'] });
    expect(
      nodeOf({ state: gone, only: undefined, tries: new Map(), attempts: 2, fits: () => true, isHeld: () => false }),
    ).toBe('n2');
    const allGone = runState({}, { order: ['n1'] });
    expect(
      nodeOf({ state: allGone, only: undefined, tries: new Map(), attempts: 2, fits: () => true, isHeld: () => false }),
    ).toBe(undefined);
  });

  it('is one that is out of service before one that a person asked to retry', () => {
    const state = runState({
      n1: { phase: 'Pending', retryFrom: 'Settling' },
      n2: { phase: 'Pending', retryFrom: 'Verifying', cordoned: true },
    });
    const tries = new Map([
      ['n1', 1],
      ['n2', 1],
    ]);
    expect(nodeOf({ state, only: undefined, tries, attempts: 2, fits: () => true, isHeld: () => false })).toBe('n2');
  });
});

const notInWork: readonly TurnPhase[] = turnPhases.filter((phase) => !isInWork(phase));

describe('the next turn, for any outcomes,', () => {
  it('is none after at most attempts turns of each node', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...turnPhases), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.constantFrom(...notInWork)),
        (start, attempts, outcomes) => {
          const phases = Object.fromEntries(start.map((phase, place): [string, string] => [`n${place}`, phase]));
          const startedInWork = start.filter(isInWork).length;
          const tries = new Map<string, number>();
          const bound = start.length * attempts + startedInWork;
          let turns = 0;
          for (const outcome of outcomes) {
            expect(turns).toBeLessThanOrEqual(bound);
            turns += 1;
            const node = nodeOf({
              state: runState(phases),
              only: undefined,
              tries,
              attempts,
              fits: () => true,
              isHeld: () => false,
            });
            if (node === undefined) break;
            tries.set(node, (tries.get(node) ?? 0) + 1);
            phases[node] = outcome;
          }
          expect(Object.values(phases).some(isInWork)).toBe(false);
        },
      ),
    );
  });

  it('never begins a node outside of what the call is narrowed to', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...turnPhases), fc.boolean()), { maxLength: 8 }), (described) => {
        const phases = Object.fromEntries(described.map(([phase], place): [string, string] => [`n${place}`, phase]));
        const only = described.flatMap(([, allowed], place) => (allowed ? [`n${place}`] : []));
        const node = next(phases, { only });
        if (node !== undefined && !only.includes(node)) expect(isInWork(phases[node] ?? '')).toBe(true);
      }),
    );
  });
});

describe('what people want', () => {
  const what = (
    phases: Parameters<typeof runState>[0],
    state: DesiredState,
    options: { isDeleted?: boolean; stopAfterFailures?: number } = {},
  ) =>
    nextTurn({
      state: { ...runState(phases), isDeleted: options.isDeleted ?? false },
      desired: { state },
      policy: { canaries: 0, concurrency: 1, stopAfterFailures: options.stopAfterFailures ?? 1 },
      taken: new Set(),
      only: undefined,
      tries: new Map(),
      attempts: 2,
      fits: () => true,
      isHeld: () => false,
    });

  it.each<{ title: string; phases: Parameters<typeof runState>[0]; state: DesiredState; next: NextTurn }>([
    {
      title: 'a pause lets no turn begin',
      phases: { n1: 'Done', n2: 'Pending' },
      state: 'Pause',
      next: { kind: 'paused' },
    },
    {
      title: 'a pause does not hold a turn in work',
      phases: { n1: 'Updating', n2: 'Pending' },
      state: 'Pause',
      next: { kind: 'take', node: 'n1' },
    },
    {
      title: 'a pause does not hold a run that has nothing left',
      phases: { n1: 'Done' },
      state: 'Pause',
      next: { kind: 'end', why: 'finished' },
    },
    {
      title: 'an abort ends the run',
      phases: { n1: 'Pending' },
      state: 'Abort',
      next: { kind: 'end', why: 'aborted' },
    },
    {
      title: 'an abort waits for the turn in work',
      phases: { n1: 'Rebooting' },
      state: 'Abort',
      next: { kind: 'take', node: 'n1' },
    },
    {
      title: 'an abort --now ends the run',
      phases: { n1: 'Failed', n2: 'Pending' },
      state: 'AbortNow',
      next: { kind: 'end', why: 'aborted' },
    },
    {
      title: 'a failure stops the run',
      phases: { n1: 'Failed', n2: 'Pending' },
      state: 'Run',
      next: { kind: 'end', why: 'failures' },
    },
    {
      title: 'a failure that a person let stand does not',
      phases: { n1: { phase: 'Failed', acknowledgedBy: 'anna' }, n2: 'Pending' },
      state: 'Run',
      next: { kind: 'take', node: 'n2' },
    },
    {
      title: 'a retried node goes before those that have not begun',
      phases: { n1: 'Pending', n2: { phase: 'Pending', retryFrom: 'Verifying' } },
      state: 'Run',
      next: { kind: 'take', node: 'n2' },
    },
  ])('$title', ({ phases, state, next }) => {
    expect(what(phases, state)).toEqual(next);
  });

  it('a deletion ends the run once nothing is in work', () => {
    expect(what({ n1: 'Draining' }, 'Run', { isDeleted: true })).toEqual({ kind: 'take', node: 'n1' });
    expect(what({ n1: 'Pending' }, 'Run', { isDeleted: true })).toEqual({ kind: 'end', why: 'deleted' });
  });
});

describe('a set of turns', () => {
  const beside = (
    phases: Parameters<typeof runState>[0],
    taken: readonly string[],
    options: { concurrency?: number; canaries?: number; state?: DesiredState; fits?: readonly string[] } = {},
  ) =>
    nextTurn({
      state: runState(phases),
      desired: { state: options.state ?? 'Run' },
      policy: { canaries: options.canaries ?? 0, concurrency: options.concurrency ?? 2, stopAfterFailures: 1 },
      taken: new Set(taken),
      only: undefined,
      tries: new Map(),
      attempts: 2,
      fits: (node) => options.fits?.includes(node) ?? true,
      isHeld: () => false,
    });

  it('takes another node as long as there is room in the set', () => {
    expect(beside({ n1: 'Draining', n2: 'Pending' }, ['n1'])).toEqual({ kind: 'take', node: 'n2' });
  });

  it('never takes a node that it has taken, whatever its phase still says', () => {
    expect(beside({ n1: 'Pending', n2: 'Pending' }, ['n1'])).toEqual({ kind: 'take', node: 'n2' });
  });

  it('waits for an end when it is full', () => {
    expect(beside({ n1: 'Draining', n2: 'Draining', n3: 'Pending' }, ['n1', 'n2'])).toEqual({ kind: 'wait' });
  });

  it('waits for the turns in work before the run ends, pauses or is aborted', () => {
    expect(beside({ n1: 'Draining', n2: 'Done' }, ['n1'])).toEqual({ kind: 'wait' });
    expect(beside({ n1: 'Draining', n2: 'Pending' }, ['n1'], { state: 'Pause' })).toEqual({ kind: 'wait' });
    expect(beside({ n1: 'Draining', n2: 'Pending' }, ['n1'], { state: 'Abort' })).toEqual({ kind: 'wait' });
    expect(beside({ n1: 'Draining', n2: 'Failed', n3: 'Pending' }, ['n1'])).toEqual({ kind: 'wait' });
  });

  it('lets a canary have its turn alone', () => {
    expect(beside({ n1: 'Draining', n2: 'Pending' }, ['n1'], { canaries: 1 })).toEqual({ kind: 'wait' });
    expect(beside({ n1: 'Done', n2: 'Draining', n3: 'Pending' }, ['n2'], { canaries: 1 })).toEqual({
      kind: 'take',
      node: 'n3',
    });
  });

  it('takes up every turn that a dead actor left in work, also beyond the set', () => {
    expect(beside({ n1: 'Draining', n2: 'Updating' }, ['n1'], { concurrency: 1 })).toEqual({
      kind: 'take',
      node: 'n2',
    });
  });
});

describe('a window that is about to close', () => {
  const late = (
    phases: Parameters<typeof runState>[0],
    options: {
      fits?: readonly string[];
      held?: readonly string[];
      canaries?: number;
      taken?: readonly string[];
      state?: DesiredState;
    } = {},
  ): NextTurn =>
    nextTurn({
      state: runState(phases),
      desired: { state: options.state ?? 'Run' },
      policy: { canaries: options.canaries ?? 0, concurrency: 2, stopAfterFailures: 1 },
      taken: new Set(options.taken),
      only: undefined,
      tries: new Map(),
      attempts: 2,
      fits: (node) => options.fits?.includes(node) ?? false,
      isHeld: (node) => options.held?.includes(node) ?? false,
    });

  it.each<{
    title: string;
    phases: Parameters<typeof runState>[0];
    options?: Parameters<typeof late>[1];
    next: NextTurn;
  }>([
    {
      title: 'lets no turn begin that does not fit',
      phases: { n1: 'Done', n2: 'Pending', n3: 'Deferred' },
      next: { kind: 'end', why: 'window' },
    },
    {
      title: 'lets the next one begin that does',
      phases: { n1: 'Done', n2: 'Pending', n3: 'Pending' },
      options: { fits: ['n3'] },
      next: { kind: 'take', node: 'n3' },
    },
    {
      title: 'lets no other node go before a canary',
      phases: { n1: 'Pending', n2: 'Pending' },
      options: { fits: ['n2'], canaries: 1 },
      next: { kind: 'end', why: 'window' },
    },
    {
      title: 'does not end a turn in work',
      phases: { n1: 'Updating', n2: 'Pending' },
      next: { kind: 'take', node: 'n1' },
    },
    {
      title: 'is not told before the turns in work have ended',
      phases: { n1: 'Draining', n2: 'Pending' },
      options: { taken: ['n1'] },
      next: { kind: 'wait' },
    },
    {
      title: 'does not keep a node that we have out of service',
      phases: { n1: 'Done', n2: { phase: 'Pending', cordoned: true, retryFrom: 'Verifying' } },
      next: { kind: 'take', node: 'n2' },
    },
    {
      title: 'does not give back over and over what a person holds',
      phases: { n1: 'Done', n2: { phase: 'Pending', cordoned: true }, n3: { phase: 'Deferred', cordoned: true } },
      options: { held: ['n2', 'n3'] },
      next: { kind: 'end', why: 'window' },
    },
    {
      title: 'gives back what a person holds no more',
      phases: { n1: 'Done', n2: { phase: 'Pending', cordoned: true }, n3: { phase: 'Deferred', cordoned: true } },
      options: { held: ['n2'] },
      next: { kind: 'take', node: 'n3' },
    },
    {
      title: 'finishes a host that was touched, and whose hold its turn waits for',
      phases: { n1: 'Done', n2: { phase: 'Pending', cordoned: true, touchedBefore: true } },
      options: { held: ['n2'] },
      next: { kind: 'take', node: 'n2' },
    },
    { title: 'says nothing where nothing is left', phases: { n1: 'Done' }, next: { kind: 'end', why: 'finished' } },
    {
      title: 'says nothing where failures have stopped the run',
      phases: { n1: 'Failed', n2: 'Pending' },
      next: { kind: 'end', why: 'failures' },
    },
    {
      title: 'leaves a paused run paused',
      phases: { n1: 'Done', n2: 'Pending' },
      options: { state: 'Pause' },
      next: { kind: 'paused' },
    },
  ])('$title', ({ phases, options, next: expected }) => {
    expect(late(phases, options)).toEqual(expected);
  });

  it('lets nothing prepare ahead that would not fit', () => {
    const input: NextTurnInput = {
      state: runState({ n1: 'Draining', n2: 'Pending' }),
      desired: { state: 'Run' },
      policy: { canaries: 0, concurrency: 1, stopAfterFailures: 1 },
      taken: new Set(['n1']),
      only: undefined,
      tries: new Map(),
      attempts: 2,
      fits: () => false,
      isHeld: () => false,
    };
    expect(nodeAhead(input)).toBeUndefined();
    expect(nodeAhead({ ...input, fits: () => true })).toBe('n2');
  });
});

describe('the node that the actor runs on', () => {
  const own = (phases: Parameters<typeof runState>[0], options: { taken?: readonly string[]; fits?: boolean } = {}) =>
    nextTurn({
      state: runState(phases),
      desired: { state: 'Run' },
      policy: { canaries: 0, concurrency: 2, stopAfterFailures: 1 },
      taken: new Set(options.taken),
      only: undefined,
      tries: new Map(),
      attempts: 2,
      leftToOthers: 'own',
      fits: () => options.fits ?? true,
      isHeld: () => false,
    });

  it.each<{
    title: string;
    phases: Parameters<typeof runState>[0];
    options?: Parameters<typeof own>[1];
    next: NextTurn;
  }>([
    {
      title: 'is left to another one when nothing else is to come',
      phases: { n1: 'Done', own: 'Pending' },
      next: { kind: 'end', why: 'own-node' },
    },
    {
      title: 'is left to another one in the middle of its turn too',
      phases: { n1: 'Pending', own: 'Draining' },
      next: { kind: 'end', why: 'own-node' },
    },
    {
      title: 'waits for the turns in work to end',
      phases: { n1: 'Draining', own: 'Draining' },
      options: { taken: ['n1'] },
      next: { kind: 'wait' },
    },
    {
      title: 'is passed over while others are to come',
      phases: { own: 'Pending', n1: 'Pending' },
      next: { kind: 'take', node: 'n1' },
    },
    {
      title: 'is left to the next window where its turn does not fit',
      phases: { n1: 'Done', own: 'Pending' },
      options: { fits: false },
      next: { kind: 'end', why: 'window' },
    },
    { title: 'is nobody else’s when it is done', phases: { own: 'Done' }, next: { kind: 'end', why: 'finished' } },
  ])('$title', ({ phases, options, next: expected }) => {
    expect(own(phases, options)).toEqual(expected);
  });
});
