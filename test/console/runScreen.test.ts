import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { runScreen } from '../../src/console/runScreen.js';
import { isInWork } from '../../src/run/nextTurn.js';
import { runPhases, turnPhases, type RunState, type TurnStatus, type Wait } from '../../src/run/state.js';
import { runSpec, runState } from '../run/runFixtures.js';

const now = Date.parse('2026-11-10T22:10:00.000Z');
const wait: Wait = {
  what: 'budget shop/cart: 2 of 3 Ready, 1 more needed',
  since: '2026-11-10T22:08:00.000Z',
  until: '2026-11-10T22:15:30.000Z',
  who: 'Deployment shop/cart',
};
const draining: TurnStatus = {
  phase: 'Draining',
  startedAt: '2026-11-10T22:05:00.000Z',
  steps: [
    { phase: 'Cordoning', startedAt: '2026-11-10T22:05:00.000Z', finishedAt: '2026-11-10T22:06:00.000Z' },
    { phase: 'Draining', startedAt: '2026-11-10T22:06:00.000Z' },
  ],
  podsLeft: 7,
  waitingFor: wait,
};
const done: TurnStatus = {
  phase: 'Done',
  startedAt: '2026-11-10T21:40:00.000Z',
  finishedAt: '2026-11-10T22:05:00.000Z',
};
const failed: TurnStatus = {
  phase: 'Failed',
  message: 'Script update on n3 ended with exit code 1.',
  startedAt: '2026-11-10T22:00:00.000Z',
  finishedAt: '2026-11-10T22:04:00.000Z',
  failure: { code: 'job-failed', phase: 'Updating', node: 'cordoned', host: 'touched', who: 'you', next: [] },
};
const started = { startedAt: '2026-11-10T21:30:00.000Z', actor: 'anna@laptop/1a2b3c4d' };

function screen(state: RunState, size: { columns: number; rows: number }): string[] {
  return runScreen(state, { ...size, now, colour: false });
}

describe('the screen of a run', () => {
  const state = runState({ n1: done, n2: draining, n3: failed, n4: 'Pending' }, started);

  it('shows each node with its phase, how long, the pods left, what it waits for and until when', () => {
    expect(screen(state, { columns: 170, rows: 30 })).toEqual([
      'Run monthly-2026-11: Running (playbook monthly)',
      '1 of 4 done, 1 failed, 0 blocked, 2 left; started 21:30:00Z; 40 min ago',
      'actor anna@laptop/1a2b3c4d; asked for by anna@bank.example',
      '',
      'NODE  PHASE     TIME    PODS LEFT',
      'n1    Done      25 min',
      'n2    Draining  4 min   7          waiting: budget shop/cart: 2 of 3 Ready, 1 more needed (until 22:15:30Z, 5 min 30 s left, up to Deployment shop/cart)',
      'n3    Failed    4 min              job-failed: Script update on n3 ended with exit code 1.',
      'n4    Pending   -',
    ]);
  });

  it('puts what does not fit into the row below it, whole', () => {
    expect(screen(state, { columns: 60, rows: 30 }).slice(5)).toEqual([
      'n1    Done      25 min',
      'n2    Draining  4 min   7',
      '    waiting: budget shop/cart: 2 of 3 Ready, 1 more needed',
      '    (until 22:15:30Z, 5 min 30 s left, up to Deployment',
      '    shop/cart)',
      'n3    Failed    4 min',
      '    job-failed: Script update on n3 ended with exit code 1.',
      'n4    Pending   -',
    ]);
  });

  it('says that it is a rehearsal, and for which change', () => {
    const rehearsal = { ...state, spec: { ...runSpec, rehearsal: true, change: 'CHG0042' } };
    const [title, , people] = screen(rehearsal, { columns: 100, rows: 30 });
    expect(title).toBe('Rehearsal monthly-2026-11: Running (playbook monthly)');
    expect(people).toContain('change CHG0042');
  });

  it('says how long the run took once it has ended, and no longer who acts', () => {
    const ended = runState({ n1: done }, { ...started, phase: 'Completed', finishedAt: '2026-11-10T22:06:00.000Z' });
    expect(screen(ended, { columns: 100, rows: 30 }).slice(0, 3)).toEqual([
      'Run monthly-2026-11: Completed (playbook monthly)',
      '1 of 1 done, 0 failed, 0 blocked, 0 left; started 21:30:00Z; ended after 36 min',
      'asked for by anna@bank.example',
    ]);
  });

  it('names the day of a time of another day', () => {
    const older = runState({ n1: 'Pending' }, { startedAt: '2026-11-03T22:00:00.000Z' });
    expect(screen(older, { columns: 100, rows: 30 })[1]).toContain('started 2026-11-03 22:00Z; 7 d ago');
  });

  it('says that nobody acts where the Lease says so', () => {
    const actor = { kind: 'silent', holder: 'anna@laptop/1a2b3c4d', renewedAt: now - 90_000 } as const;
    expect(runScreen(state, { columns: 150, rows: 30, now, colour: false, actor })[2]).toBe(
      'no actor is at work: anna@laptop/1a2b3c4d holds the lease and has not renewed it (last seen 1 min 30 s ago); asked for by anna@bank.example',
    );
  });

  it('shows nodes in work and failed ones first where there is no room, then the next ones, and counts the others', () => {
    const turns: Record<string, TurnStatus | string> = {};
    for (let number = 1; number <= 30; number += 1) turns[`d${String(number)}`] = done;
    turns['work'] = draining;
    for (let number = 1; number <= 12; number += 1) turns[`p${String(number)}`] = 'Pending';
    turns['bad'] = failed;
    const lines = screen(runState(turns, started), { columns: 170, rows: 12 });
    expect(lines).toHaveLength(12);
    expect(lines.slice(4).map((line) => line.split(' ')[0])).toEqual([
      'work',
      'bad',
      'p1',
      'p2',
      'p3',
      'p4',
      'p5',
      'and',
    ]);
    expect(lines.at(-1)).toBe('and 37 more: 30 Done, 7 Pending');
  });

  it('colours phases only where it may', () => {
    const plain = screen(state, { columns: 100, rows: 30 });
    const coloured = runScreen(state, { columns: 100, rows: 30, now, colour: true });
    expect(coloured).not.toEqual(plain);
    expect(coloured.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(plain);
  });
});

const time = fc.oneof(
  fc.integer({ min: -100_000_000, max: 100_000_000 }).map((ms) => new Date(now + ms).toISOString()),
  fc.constant('never'),
);
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('\u001b[2J\u001b[H', 'one\ntwo', '節点'.repeat(60), '👩‍🚀'.repeat(40), 'a\rb'),
);
const anyWait = fc.record({ what: text, since: time, until: time, who: text }, { requiredKeys: ['what', 'since'] });
const anyTurn = fc.record(
  {
    phase: fc.constantFrom(...turnPhases, 'FromTheFuture'),
    message: text,
    waitingFor: anyWait,
    startedAt: time,
    finishedAt: time,
    podsLeft: fc.integer({ min: 0, max: 500 }),
    steps: fc.array(fc.record({ phase: fc.constantFrom(...turnPhases), startedAt: time })),
  },
  { requiredKeys: ['phase'] },
);
const nodeName = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
  fc.stringMatching(/^ip-[0-9]{1,3}-[0-9]{1,3}\.eu-central-1\.compute\.internal$/),
);
const anyRun = fc
  .record({
    turns: fc.dictionary(nodeName, anyTurn, { maxKeys: 60 }),
    status: fc.record(
      {
        phase: fc.constantFrom(...runPhases),
        message: text,
        actor: text,
        startedAt: time,
        finishedAt: time,
        waitingFor: anyWait,
      },
      { requiredKeys: ['phase'] },
    ),
    change: text,
  })
  .map(({ turns, status, change }) => ({ ...runState(turns, status), spec: { ...runSpec, change } }));
const size = fc.record({ columns: fc.integer({ min: 20, max: 200 }), rows: fc.integer({ min: 5, max: 80 }) });

describe('whatever the run, the screen', () => {
  it('has no line that is too wide, not too many lines, and nothing that acts on the terminal', () => {
    fc.assert(
      fc.property(anyRun, size, (state, { columns, rows }) => {
        const lines = screen(state, { columns, rows });
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) {
          expect(line).not.toMatch(/\p{Cc}/u);
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        }
        const coloured = runScreen(state, { columns, rows, now, colour: true });
        expect(coloured.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(
          lines.map((line) => line.trimEnd()),
        );
      }),
    );
  });

  it('shows every node in work that it has a row for, and counts every node that it does not show', () => {
    fc.assert(
      fc.property(anyRun, size, (state, { columns, rows }) => {
        const lines = runScreen(state, { columns, rows, colour: false, now });
        const inWork = [...state.turns.values()].filter(({ status }) => isInWork(status.phase));
        const header = Math.min(4, Math.floor(rows / 4)) + (rows >= 8 ? 1 : 0) + (rows >= 14 ? 1 : 0);
        const shown = inWork.filter(({ node }) => lines.some((line) => isRowOf(line, node)));
        expect(shown.length).toBeGreaterThanOrEqual(Math.min(inWork.length, rows - header - 1));
        const all = [...state.turns.keys()].filter((node) => lines.some((line) => isRowOf(line, node)));
        const more = /^and ([0-9]+) more/.exec(lines.at(-1) ?? '')?.[1] ?? '0';
        // Names that are cut can look the same.
        if (columns > 120) expect(all.length + Number(more)).toBe(state.turns.size);
      }),
    );
  });
});

/** Does this row begin with the node's name, whole or cut? */
function isRowOf(line: string, node: string): boolean {
  const [name = ''] = line.split(' ');
  return name === node || (name.length > 1 && name.endsWith('…') && node.startsWith(name.slice(0, -1)));
}
