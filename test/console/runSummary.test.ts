import { describe, expect, it } from 'vitest';
import { runSummary } from '../../src/console/runSummary.js';
import { runState } from '../run/runFixtures.js';

const now = Date.parse('2026-11-10T23:00:00.000Z');

describe('the summary of a run', () => {
  const state = runState({
    n1: {
      phase: 'Done',
      startedAt: '2026-11-10T21:00:00.000Z',
      finishedAt: '2026-11-10T21:12:30.000Z',
      evictions: 7,
      steps: [
        // The first drain was undone: a person waited for both.
        { phase: 'Draining', startedAt: '2026-11-10T21:00:00.000Z' },
        { phase: 'Draining', startedAt: '2026-11-10T21:06:00.000Z', finishedAt: '2026-11-10T21:06:45.000Z' },
        { phase: 'Updating', startedAt: '2026-11-10T21:06:45.000Z', finishedAt: '2026-11-10T21:08:45.000Z' },
        { phase: 'Rebooting', startedAt: '2026-11-10T21:08:45.000Z', finishedAt: '2026-11-10T21:10:00.000Z' },
        { phase: 'Verifying', startedAt: '2026-11-10T21:10:00.000Z', finishedAt: '2026-11-10T21:10:20.000Z' },
      ],
    },
    n2: {
      phase: 'Failed',
      message: 'Script update ended with exit code 1.',
      startedAt: '2026-11-10T21:13:00.000Z',
      finishedAt: '2026-11-10T21:15:00.000Z',
      steps: [{ phase: 'Updating', startedAt: '2026-11-10T21:14:00.000Z' }],
    },
    n3: 'Pending',
  });

  it('tells of each node, in the order of turns, where it stands and how long its parts took', () => {
    expect(runSummary(state, { longestWaits: [], now }).slice(0, 4)).toEqual([
      'NODE  PHASE    DURATION     DRAIN       UPDATE  REBOOT      VERIFY  EVICTIONS',
      'n1    Done     12 min 30 s  6 min 45 s  2 min   1 min 15 s  20 s    7',
      'n2    Failed   2 min        -           1 min   -           -       -',
      'n3    Pending  -            -           -       -           -       -',
    ]);
  });

  it('tells the longest waits, and none that nobody noticed', () => {
    const longestWaits = [
      { node: 'n1', what: 'budget shop/cart', totalMs: 125_000 },
      { node: undefined, what: 'the window', totalMs: 61_500 },
      { node: 'n1', what: 'a moment', totalMs: 400 },
    ];
    const lines = runSummary(runState({ n1: 'Done' }), { longestWaits, now });
    expect(lines.slice(2)).toEqual([
      '',
      'Longest waits:',
      '  2 min 5 s: n1: budget shop/cart',
      '  1 min 1 s: the window',
    ]);
  });

  it('has a block for each node that needs a person, the failed ones first', () => {
    const lines = runSummary(
      runState({ n1: 'Deferred', n2: 'Blocked', n3: 'Failed', n4: 'Done', n5: 'Skipped', n6: 'Failed' }),
      { longestWaits: [], now },
    );
    expect(lines.filter((line) => line.startsWith('Node '))).toEqual([
      'Node n3 is Failed',
      'Node n6 is Failed',
      'Node n2 is Blocked',
      'Node n1 is Deferred',
    ]);
  });

  it('leaves out a node of the order that has no turn yet', () => {
    const lines = runSummary(runState({ n1: 'Done' }, { order: ['n0', 'n1'] }), { longestWaits: [], now });
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['NODE', 'n1']);
  });
});
