import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAsk, openRequests, type Ask, type WrittenDesired } from '../../src/run/ask.js';
import { readDesired, requestVerbs, type WrittenRequest } from '../../src/run/desired.js';
import {
  runPhases,
  runSpecSchema,
  turnPhases,
  type RunState,
  type RunStatus,
  type TurnStatus,
} from '../../src/run/state.js';
import { runSpec, runState } from './runFixtures.js';

const failed: TurnStatus = {
  phase: 'Failed',
  cordoned: true,
  jobs: { update: { execution: 1, intentAt: '2026-11-10T22:00:00Z', bootIdBefore: 'a', state: 'exited', exitCode: 1 } },
  failure: { code: 'job-failed', phase: 'Updating', node: 'cordoned', host: 'touched', who: 'you', next: [] },
};
const request = (id: string, verb: string, node?: string): WrittenRequest => ({
  id,
  verb,
  ...(node === undefined ? {} : { node }),
  by: 'bert',
});

function stateWith(given: {
  turns?: Record<string, string | TurnStatus>;
  status?: Partial<RunStatus>;
  desired?: WrittenDesired;
}): RunState {
  const { turns = { 'node-1': failed, 'node-2': 'Pending' }, status = {}, desired } = given;
  return { ...runState(turns, status), spec: { ...runSpec, desired } };
}

const ask = (state: RunState, what: Ask, reason?: string) =>
  judgeAsk(state, { ask: what, by: 'anna', reason, id: 'new-id' });

describe('asking for a state', () => {
  it.each([
    { verb: 'pause', state: 'Pause' },
    { verb: 'abort', state: 'Abort' },
    { verb: 'abort-now', state: 'AbortNow' },
  ] as const)('$verb writes $state, who asks and why, and keeps what is open', ({ verb, state }) => {
    const before = stateWith({ desired: { state: 'Run', by: 'bert', requests: [request('1', 'skip', 'node-2')] } });
    expect(ask(before, { verb }, 'flood')).toEqual({
      kind: 'write',
      desired: { state, by: 'anna', reason: 'flood', requests: [request('1', 'skip', 'node-2')] },
      awaits: { state },
      remarks: [],
    });
  });

  it.each<{ title: string; what: Ask; desired: WrittenDesired; status: Partial<RunStatus>; says: RegExp }>([
    {
      title: 'a paused run',
      what: { verb: 'pause' },
      desired: { state: 'Pause', by: 'bert' },
      status: { phase: 'Paused' },
      says: /is Paused already/,
    },
    {
      title: 'a run that was asked to pause',
      what: { verb: 'pause' },
      desired: { state: 'Pause', by: 'bert' },
      status: { phase: 'Running' },
      says: /bert asked for that already.*is Running/,
    },
    {
      title: 'an aborted run',
      what: { verb: 'abort' },
      desired: { state: 'AbortNow', by: 'bert' },
      status: { phase: 'Aborted' },
      says: /is Aborted already/,
    },
    {
      title: 'an aborted run, at once',
      what: { verb: 'abort-now' },
      desired: { state: 'Abort' },
      status: { phase: 'Aborted' },
      says: /is Aborted already/,
    },
    {
      title: 'a run that was asked to stop at once',
      what: { verb: 'abort-now' },
      desired: { state: 'AbortNow' },
      status: { phase: 'Running' },
      says: /Somebody asked for that already/,
    },
  ])('writes nothing to $title ($what.verb)', ({ what, desired, status, says }) => {
    const answer = ask(stateWith({ desired, status }), what);
    expect(answer.kind).toBe('nothing');
    expect(answer).toHaveProperty('message', expect.stringMatching(says));
  });

  it.each<{ what: Ask; desired: WrittenDesired; phase: string; says: RegExp }>([
    {
      what: { verb: 'pause' },
      desired: { state: 'Run' },
      phase: 'Completed',
      says: /is Completed; it cannot be paused/,
    },
    { what: { verb: 'pause' }, desired: { state: 'Pause' }, phase: 'Completed', says: /is Completed; it cannot/ },
    { what: { verb: 'abort' }, desired: { state: 'Run' }, phase: 'Completed', says: /cannot be aborted any more/ },
    { what: { verb: 'abort-now' }, desired: { state: 'Run' }, phase: 'Superseded', says: /is Superseded/ },
    { what: { verb: 'resume' }, desired: { state: 'Pause' }, phase: 'Completed', says: /cannot be resumed any more/ },
    { what: { verb: 'resume' }, desired: { state: 'Run' }, phase: 'Superseded', says: /cannot be resumed/ },
    { what: { verb: 'abort' }, desired: { state: 'AbortNow' }, phase: 'Running', says: /that is not softened/ },
    {
      what: { verb: 'pause' },
      desired: { state: 'Abort' },
      phase: 'Running',
      says: /Take it back with: turnus resume/,
    },
    { what: { verb: 'pause' }, desired: { state: 'Abort' }, phase: 'Aborted', says: /nothing to pause/ },
  ])('$what.verb is refused where it is $phase and $desired.state is wanted', ({ what, desired, phase, says }) => {
    expect(ask(stateWith({ desired, status: { phase } }), what)).toEqual({
      kind: 'refused',
      message: expect.stringMatching(says) as string,
      hint: 'Nothing was written. Look at the run with: turnus status monthly-2026-11',
    });
  });

  it('makes an abort an abort at once', () => {
    expect(ask(stateWith({ desired: { state: 'Abort' } }), { verb: 'abort-now' })).toMatchObject({
      kind: 'write',
      desired: { state: 'AbortNow' },
    });
  });

  it('takes a resume back that nobody has answered', () => {
    const resumed = stateWith({ desired: { state: 'Run' }, status: { phase: 'Aborted' } });
    expect(ask(resumed, { verb: 'abort' })).toMatchObject({ kind: 'write', desired: { state: 'Abort' } });
    expect(ask(resumed, { verb: 'pause' })).toMatchObject({ kind: 'write', desired: { state: 'Pause' } });
  });

  it('puts a state right that is none, and says so', () => {
    const answer = ask(stateWith({ desired: { state: 'Stop', by: 'bert' } }), { verb: 'pause' });
    expect(answer).toMatchObject({ kind: 'write', desired: { state: 'Pause', by: 'anna' } });
    expect(answer).toHaveProperty('remarks', [
      'spec.desired.state is "Stop", which is none of Run, Pause, Abort, AbortNow; it counts as Pause. It is put right.',
    ]);
  });
});

describe('resume', () => {
  const resume: Ask = { verb: 'resume' };

  it.each(['Paused', 'Aborted', 'Running'])('takes back a pause or an abort of a run that is %s', (phase) => {
    for (const state of ['Pause', 'Abort', 'AbortNow']) {
      const before = stateWith({ turns: { 'node-1': 'Pending' }, desired: { state, by: 'bert' }, status: { phase } });
      expect(ask(before, resume)).toEqual({
        kind: 'write',
        desired: { state: 'Run', by: 'anna' },
        awaits: { state: 'Run' },
        remarks: [],
      });
    }
  });

  it('asks besides that failures stand, where there are any', () => {
    const before = stateWith({ desired: { state: 'Pause', by: 'bert' }, status: { phase: 'Paused' } });
    expect(ask(before, resume, 'node-1 is being replaced')).toEqual({
      kind: 'write',
      desired: {
        state: 'Run',
        by: 'anna',
        reason: 'node-1 is being replaced',
        requests: [{ id: 'new-id', verb: 'resume', by: 'anna', reason: 'node-1 is being replaced' }],
      },
      awaits: { state: 'Run', request: 'new-id' },
      remarks: [],
    });
  });

  it('leaves who asked for the state as it is where the state does not change', () => {
    const before = stateWith({ desired: { state: 'Run', by: 'bert', reason: 'r' }, status: { phase: 'Failed' } });
    expect(ask(before, resume)).toMatchObject({
      desired: { state: 'Run', by: 'bert', reason: 'r', requests: [{ verb: 'resume', by: 'anna' }] },
      awaits: { request: 'new-id' },
    });
  });

  it('goes on with a run that has failed although no turn has', () => {
    const before = stateWith({ turns: { 'node-1': 'Blocked' }, status: { phase: 'Failed' } });
    expect(ask(before, resume)).toMatchObject({ desired: { state: 'Run', requests: [{ verb: 'resume' }] } });
  });

  it.each<{ title: string; state: RunState; says: RegExp }>([
    {
      title: 'nothing holds the run up',
      state: stateWith({ turns: { 'node-1': 'Draining' } }),
      says: /is Running and nothing holds it up/,
    },
    {
      title: 'the failure was let stand before',
      state: stateWith({ turns: { 'node-1': { ...failed, acknowledgedBy: 'bert' } } }),
      says: /nothing holds it up/,
    },
    {
      title: 'the failed turn is asked to be retried or skipped',
      state: stateWith({ desired: { state: 'Run', requests: [request('1', 'retry', 'node-1')] } }),
      says: /nothing holds it up/,
    },
    {
      title: 'it was asked before',
      state: stateWith({ desired: { state: 'Run', requests: [request('1', 'resume')] } }),
      says: /bert asked that run monthly-2026-11 goes on already \(request 1\)/,
    },
    {
      title: 'it was resumed, and nobody is at work',
      state: stateWith({ turns: {}, desired: { state: 'Run' }, status: { phase: 'Paused' } }),
      says: /asked already that run monthly-2026-11 goes on, and nobody has answered/,
    },
  ])('writes nothing where $title', ({ state, says }) => {
    const answer = ask(state, resume);
    expect(answer.kind).toBe('nothing');
    expect(answer).toHaveProperty('message', expect.stringMatching(says));
  });

  it('does not ask a second time that failures stand, but takes the pause back', () => {
    const before = stateWith({ desired: { state: 'Pause', requests: [request('1', 'resume')] } });
    expect(ask(before, resume)).toMatchObject({
      desired: { state: 'Run', requests: [request('1', 'resume')] },
      awaits: { state: 'Run', request: '1' },
    });
  });
});

describe('asking for a turn', () => {
  it.each(['retry', 'retry-again', 'skip'] as const)('%s adds a request and touches nothing else', (verb) => {
    const before = stateWith({ desired: { state: 'Pause', by: 'bert', reason: 'r' } });
    expect(ask(before, { verb, node: 'node-1' }, 'disk was full')).toEqual({
      kind: 'write',
      desired: {
        state: 'Pause',
        by: 'bert',
        reason: 'r',
        requests: [{ id: 'new-id', verb, node: 'node-1', by: 'anna', reason: 'disk was full' }],
      },
      awaits: { request: 'new-id' },
      remarks: [],
    });
  });

  it('writes the state Run where the run has no desired state yet', () => {
    expect(ask(stateWith({}), { verb: 'skip', node: 'node-2' })).toMatchObject({ desired: { state: 'Run' } });
  });

  it('drops what is answered, and keeps what is not', () => {
    const before = stateWith({
      desired: { state: 'Run', requests: [request('1', 'skip', 'node-2'), request('2', 'resume')] },
      status: { handledRequests: [{ id: '1', result: 'done: x', time: '2026-11-10T22:00:00Z' }] },
    });
    expect(ask(before, { verb: 'retry', node: 'node-1' })).toMatchObject({
      desired: { requests: [request('2', 'resume'), { id: 'new-id', verb: 'retry' }] },
    });
  });

  it('asks again what was answered before', () => {
    const before = stateWith({
      desired: { state: 'Run', requests: [request('1', 'retry', 'node-1')] },
      status: { handledRequests: [{ id: '1', result: 'done: x', time: '2026-11-10T22:00:00Z' }] },
    });
    expect(ask(before, { verb: 'retry', node: 'node-1' })).toMatchObject({
      desired: { requests: [{ id: 'new-id', verb: 'retry' }] },
    });
  });

  it('does not ask twice what nobody has answered', () => {
    const before = stateWith({ desired: { state: 'Run', requests: [request('1', 'retry', 'node-1')] } });
    expect(ask(before, { verb: 'retry', node: 'node-1' })).toEqual({
      kind: 'nothing',
      message: 'bert asked for retry of node-1 already (request 1), and nobody has answered; nothing was written.',
    });
  });

  it('accepts several findings of a node, beside a retry of it', () => {
    const open = [request('1', 'retry', 'node-1'), { ...request('2', 'accept', 'node-1'), code: 'job-running' }];
    const before = stateWith({ desired: { state: 'Run', requests: open } });
    const accepting = { verb: 'accept', node: 'node-1', code: 'replica-spread' } as const;
    expect(ask(before, accepting, 'its team is told')).toMatchObject({
      desired: { requests: [...open, { id: 'new-id', ...accepting }] },
      remarks: [],
    });
    expect(ask(before, { ...accepting, code: 'job-running' }, 'r')).toMatchObject({ kind: 'nothing' });
    expect(ask(before, { ...accepting, code: 'budget-never' }, 'r')).toMatchObject({ kind: 'refused' });
  });

  it('replaces another request about the same node, and says so', () => {
    const kept = request('2', 'skip', 'node-2');
    const before = stateWith({ desired: { state: 'Run', requests: [request('1', 'retry', 'node-1'), kept] } });
    expect(ask(before, { verb: 'skip', node: 'node-1' })).toMatchObject({
      desired: { requests: [kept, { id: 'new-id', verb: 'skip', node: 'node-1' }] },
      remarks: ['It replaces the retry of node-1 that bert asked for, which nobody answered.'],
    });
  });

  it.each<{ title: string; what: Ask; state: RunState; says: RegExp }>([
    {
      title: 'about an unknown node',
      what: { verb: 'skip', node: 'node-9' },
      state: stateWith({}),
      says: /has no turn of node node-9; it has: node-1, node-2\./,
    },
    {
      title: 'to retry a turn that has not failed',
      what: { verb: 'retry', node: 'node-2' },
      state: stateWith({}),
      says: /The turn of node-2 is Pending, not Failed/,
    },
    {
      title: 'to skip a turn in work',
      what: { verb: 'skip', node: 'node-1' },
      state: stateWith({ turns: { 'node-1': 'Draining' } }),
      says: /in work \(Draining\).*turnus abort monthly-2026-11/,
    },
    {
      title: 'to run a script again where none was run',
      what: { verb: 'retry-again', node: 'node-1' },
      state: stateWith({ turns: { 'node-1': { phase: 'Failed' } } }),
      says: /^No script of this turn can be run again/,
    },
    {
      title: 'in a completed run',
      what: { verb: 'retry', node: 'node-1' },
      state: stateWith({ status: { phase: 'Completed' } }),
      says: /is Completed; nothing in it can be changed/,
    },
  ])('is refused $title', ({ what, state, says }) => {
    const answer = ask(state, what);
    expect(answer.kind).toBe('refused');
    expect(answer).toHaveProperty('message', expect.stringMatching(says));
  });

  it('is refused with fifty requests that nobody has answered, and names who answers', () => {
    const turns = Object.fromEntries(Array.from({ length: 60 }, (_, place) => [`node-${String(place)}`, failed]));
    const open = (count: number) =>
      Array.from({ length: count }, (_, place) => request(`id-${String(place)}`, 'retry', `node-${String(place)}`));
    const before = stateWith({ turns, desired: { state: 'Run', requests: open(50) } });
    for (const what of [{ verb: 'resume' }, { verb: 'skip', node: 'node-59' }] as const) {
      expect(ask(before, what)).toEqual({
        kind: 'refused',
        message: 'Run monthly-2026-11 has 50 requests that nobody has answered, and takes no more.',
        hint: 'An actor answers them: start `turnus run -f PLAYBOOK` (playbook monthly).',
      });
    }
    // One that takes the place of another one adds none, and a state is no request.
    expect(ask(before, { verb: 'skip', node: 'node-3' }).kind).toBe('write');
    expect(ask(before, { verb: 'abort-now' }).kind).toBe('write');
    const room = stateWith({ turns, desired: { state: 'Run', requests: open(49) } });
    expect(ask(room, { verb: 'skip', node: 'node-59' }).kind).toBe('write');
  });
});

describe('a name that is longer than the schema takes', () => {
  it('is left out, because the admission policy refuses a shortened one', () => {
    const answer = judgeAsk(stateWith({}), {
      ask: { verb: 'retry', node: 'node-1' },
      by: 'n'.repeat(301),
      reason: '',
      id: 'new-id',
    });
    expect(answer).toMatchObject({ desired: { requests: [{ id: 'new-id', verb: 'retry', node: 'node-1' }] } });
    expect(JSON.stringify(answer)).not.toMatch(/nnn|reason/);
  });
});

const nodes = ['node-1', 'node-2', 'node-3'];
const anyAsk: fc.Arbitrary<Ask> = fc.oneof(
  fc.record({ verb: fc.constantFrom('pause', 'resume', 'abort', 'abort-now') }),
  fc.record({ verb: fc.constantFrom('retry', 'retry-again', 'skip'), node: fc.constantFrom(...nodes, 'node-9') }),
);
/** As a person may have left it by hand: nonsense, but within the schema. */
const anyDesired: fc.Arbitrary<WrittenDesired> = fc.record(
  {
    state: fc.constantFrom('Run', 'Pause', 'Abort', 'AbortNow', 'Stop', ''),
    by: fc.constantFrom('bert', ''),
    reason: fc.string({ maxLength: 20 }),
    requests: fc.array(
      fc.record(
        {
          id: fc.constantFrom('', ...Array.from({ length: 80 }, (_, place) => `old-${String(place)}`)),
          verb: fc.constantFrom(...requestVerbs, 'drop'),
          node: fc.constantFrom(...nodes),
          by: fc.constantFrom('bert', ''),
        },
        { requiredKeys: ['id', 'verb'] },
      ),
      { maxLength: 100 },
    ),
  },
  { requiredKeys: ['state'] },
);
/** Between two asks an actor may answer some requests and the run goes on. */
const anyMove = fc.record({
  ask: anyAsk,
  answers: fc.nat({ max: 3 }),
  phase: fc.constantFrom(...runPhases),
  turns: fc.tuple(...nodes.map(() => fc.constantFrom(...turnPhases))),
});

describe('asks in any order, of any run, with an actor that answers some', () => {
  it('write what is understood: known state, each id once, never more than the schema holds, nothing answered', () => {
    fc.assert(
      fc.property(fc.option(anyDesired, { nil: undefined }), fc.array(anyMove, { maxLength: 30 }), (start, moves) => {
        let desired = start;
        const handled: { id: string; result: string; time: string }[] = [];
        for (const [count, move] of moves.entries()) {
          const turns = Object.fromEntries(nodes.map((node, place) => [node, move.turns[place] ?? 'Pending']));
          const state = stateWith({
            turns,
            status: { phase: move.phase, handledRequests: [...handled] },
            ...(desired === undefined ? {} : { desired }),
          });
          const openBefore = openRequests(state);
          const answer = judgeAsk(state, { ask: move.ask, by: 'anna', reason: 'r', id: `new-${String(count)}` });
          if (answer.kind !== 'write') continue;
          ({ desired } = answer);

          const after = { ...state, spec: { ...state.spec, desired } };
          expect(readDesired(after.spec).problems).toEqual([]);
          expect(() => runSpecSchema.parse(after.spec)).not.toThrow();
          const ids = desired.requests?.map(({ id }) => id) ?? [];
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids.length).toBeLessThanOrEqual(100);
          expect(openRequests(after)).toEqual(desired.requests ?? []);
          // Only the new request and the one that it replaces make a difference, and none is altered.
          const added = (desired.requests ?? []).filter((one) => !openBefore.some(({ id }) => id === one.id));
          expect(added.length).toBeLessThanOrEqual(1);
          for (const one of desired.requests ?? []) if (!added.includes(one)) expect(openBefore).toContainEqual(one);
          for (const { id } of openRequests(after).slice(0, move.answers)) {
            handled.push({ id, result: 'done: x', time: '2026-11-10T22:00:00Z' });
          }
        }
      }),
    );
  });
});
