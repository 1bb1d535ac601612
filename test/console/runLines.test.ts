import { describe, expect, it } from 'vitest';
import { runLines, runSummary } from '../../src/console/runLines.js';
import { table } from '../../src/console/table.js';
import type { Wait } from '../../src/run/state.js';
import { runState } from '../run/runFixtures.js';

const wait: Wait = {
  what: 'a replacement of shop/cart-0',
  since: '2026-11-10T21:04:00.000Z',
  until: '2026-11-10T21:19:00.000Z',
  who: 'the controllers',
};

describe('the lines of a run', () => {
  it('begin with the phase of the run and nothing about nodes whose turn has not begun', () => {
    expect(runLines(undefined, runState({ n1: 'Pending', n2: 'Pending' }))).toEqual(['run monthly-2026-11: Running']);
  });

  it('begin with what is already there where a run is continued', () => {
    expect(runLines(undefined, runState({ n1: 'Done', n2: 'Draining', n3: 'Pending' }))).toEqual([
      'run monthly-2026-11: Running',
      'n1: Done',
      'n2: Draining',
    ]);
  });

  it('are none where nothing has changed', () => {
    const state = runState({ n1: 'Draining', n2: { phase: 'Settling', waitingFor: wait } });
    expect(runLines(state, state)).toEqual([]);
  });

  it('tell each new phase once, with its message', () => {
    const before = runState({ n1: 'Draining', n2: 'Pending' });
    const state = runState({ n1: { phase: 'Deferred', message: 'Budget shop/cart is full.' }, n2: 'Preparing' });
    expect(runLines(before, state)).toEqual(['n1: Deferred - Budget shop/cart is full.', 'n2: Preparing']);
    expect(runLines(state, state)).toEqual([]);
  });

  it('tell that a turn was given back to Pending', () => {
    const before = runState({ n1: 'Undoing' });
    expect(runLines(before, runState({ n1: 'Pending' }))).toEqual(['n1: Pending']);
  });

  it('tell the end of the run', () => {
    const before = runState({ n1: 'Done' });
    expect(runLines(before, runState({ n1: 'Done' }, { phase: 'Completed' }))).toEqual([
      'run monthly-2026-11: Completed',
    ]);
  });

  it('tell a wait once, with until when and whom it is up to', () => {
    const before = runState({ n1: 'Draining' });
    const waits = runState({ n1: { phase: 'Draining', waitingFor: wait } });
    const later = runState({ n1: { phase: 'Draining', waitingFor: { ...wait, until: '2026-11-10T21:20:00.000Z' } } });
    expect(runLines(before, waits)).toEqual([
      'n1: waiting: a replacement of shop/cart-0 (until 21:19:00Z, up to the controllers)',
    ]);
    expect(runLines(waits, later)).toEqual([]);
  });

  it('tell another wait of the same phase', () => {
    const before = runState({ n1: { phase: 'Draining', waitingFor: wait } });
    const state = runState({ n1: { phase: 'Draining', waitingFor: { what: 'shop/pay-0 to end', since: wait.since } } });
    expect(runLines(before, state)).toEqual(['n1: waiting: shop/pay-0 to end']);
  });

  it('tell nothing when a wait is over', () => {
    const before = runState({ n1: { phase: 'Draining', waitingFor: wait } });
    expect(runLines(before, runState({ n1: 'Draining' }))).toEqual([]);
  });
});

describe('the summary of a run', () => {
  const state = runState({
    n1: {
      phase: 'Done',
      startedAt: '2026-11-10T21:00:00.000Z',
      finishedAt: '2026-11-10T21:12:30.000Z',
      evictions: 7,
      steps: [
        // The first drain was undone: the last one counts.
        { phase: 'Draining', startedAt: '2026-11-10T21:00:00.000Z', finishedAt: '2026-11-10T21:05:00.000Z' },
        { phase: 'Draining', startedAt: '2026-11-10T21:06:00.000Z', finishedAt: '2026-11-10T21:06:45.000Z' },
        { phase: 'Updating', startedAt: '2026-11-10T21:06:45.000Z', finishedAt: '2026-11-10T21:08:45.000Z' },
        { phase: 'Rebooting', startedAt: '2026-11-10T21:08:45.000Z', finishedAt: '2026-11-10T21:10:00.000Z' },
      ],
    },
    n2: {
      phase: 'Failed',
      message: 'Script update ended with exit code 1.',
      startedAt: '2026-11-10T21:13:00.000Z',
      steps: [{ phase: 'Updating', startedAt: '2026-11-10T21:14:00.000Z' }],
    },
    n3: 'Pending',
  });

  it('tells of each node, in the order of turns, where it stands, how long it took and what a person must know', () => {
    expect(table(runSummary(state))).toEqual([
      'NODE  PHASE    DURATION     DRAIN  UPDATE  REBOOT      EVICTIONS  REMARK',
      'n1    Done     12 min 30 s  45 s   2 min   1 min 15 s  7',
      'n2    Failed   -            -      -       -           -          Script update ended with exit code 1.',
      'n3    Pending  -            -      -       -           -',
    ]);
  });

  it('leaves out a node of the order that has no turn yet', () => {
    expect(runSummary(runState({ n1: 'Done' }, { order: ['n0', 'n1'] })).map(([node]) => node)).toEqual(['NODE', 'n1']);
  });
});
