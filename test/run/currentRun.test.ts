import { describe, expect, it } from 'vitest';
import type { NodeView } from '../../src/cluster/view.js';
import type { RecordedRun } from '../../src/run/completedTurn.js';
import { currentRun, type CurrentRun } from '../../src/run/currentRun.js';
import { aged, dayMs, doneTurn, now, recordedRun, turn } from './coverageFixtures.js';

const november = 'monthly-2026-11';
/** The runs of these tests were made two days ago. */
const createdAt = now - 2 * dayMs;
const withTheRun = { createdAt: createdAt + 4000 };

function current(nodes: readonly NodeView[], runs: readonly RecordedRun[]): CurrentRun | undefined {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return currentRun({ playbook: 'monthly', runs, nodes: byName, selected: nodes });
}

function unfinished(turns: RecordedRun['turns'], changes: Partial<RecordedRun> = {}): RecordedRun {
  return recordedRun(november, turns, { phase: 'AwaitingWindow', createdAt, ...changes });
}

const names = ['n1', 'n2', 'n3', 'n4'];
const nodes = names.map((name) => aged(name, 300));

describe('the current run', () => {
  it('tells whose turn is still to come, in their order', () => {
    const run = unfinished([
      doneTurn('n1', 1, withTheRun),
      turn('n4', { phase: 'Blocked' }, withTheRun),
      turn('n2', { phase: 'Skipped', skippedBy: 'anna' }, withTheRun),
      turn('n3', { phase: 'Pending' }, withTheRun),
    ]);
    expect(current(nodes, [run])).toEqual({
      run: november,
      phase: 'AwaitingWindow',
      toCome: [
        { node: 'n4', phase: 'Blocked' },
        { node: 'n3', phase: 'Pending' },
      ],
      joined: [],
      notInRun: [],
      vanished: [],
    });
  });

  it.each(['Completed', 'Superseded'])('is none where the newest is %s, whatever the older ones are', (phase) => {
    const older = unfinished([turn('n1', { phase: 'Pending' })], {
      name: 'monthly-2026-10',
      createdAt: createdAt - dayMs,
    });
    expect(current(nodes, [unfinished([doneTurn('n1', 1)], { phase }), older])).toBeUndefined();
  });

  it('is one that failed, which waits for a person', () => {
    const run = unfinished([turn('n1', { phase: 'Failed' }, withTheRun)], { phase: 'Failed' });
    expect(current(nodes.slice(0, 1), [run])).toMatchObject({
      phase: 'Failed',
      toCome: [{ node: 'n1', phase: 'Failed' }],
    });
  });

  it('is no rehearsal, and none of another playbook', () => {
    const rehearsal = unfinished([turn('n1', { phase: 'Pending' })], { rehearsal: true });
    const other = unfinished([turn('n1', { phase: 'Pending' })], { playbook: 'weekly' });
    expect(current(nodes, [rehearsal, other])).toBeUndefined();
  });

  it('names nodes that joined: made since, or taken in long after the plan; never one of the middle', () => {
    const [n1, n2, n3, n4] = nodes as [NodeView, NodeView, NodeView, NodeView];
    const since = [n1, n2, { ...n3, createdAt: createdAt + 60_000 }, n4];
    const run = unfinished([
      turn('n1', { phase: 'Pending' }, { createdAt: createdAt + dayMs }),
      turn('n2', { phase: 'Pending' }, withTheRun),
      turn('n3', { phase: 'Pending' }, { createdAt: createdAt + 90_000 }),
      turn('n4', { phase: 'Pending' }, { createdAt: createdAt + dayMs }),
    ]);
    // The turn of n1 was made anew after somebody had deleted it.
    expect(current(since, [run])?.joined).toEqual(['n3', 'n4']);
  });

  it('names nodes that are not in it, and those that were registered anew', () => {
    const run = unfinished([
      doneTurn('n1', 1, withTheRun),
      doneTurn('n2', 1, { ...withTheRun, nodeUid: 'uid-of-the-machine-before' }),
      turn('n3', { phase: 'Pending' }, { ...withTheRun, nodeUid: 'uid-of-the-machine-before' }),
    ]);
    expect(current(nodes, [run])).toMatchObject({ notInRun: ['n2', 'n3', 'n4'], toCome: [], joined: [], vanished: [] });
  });

  it('names nodes that left before their turn, and not those that were done or closed', () => {
    const run = unfinished([
      doneTurn('gone-1', 1, withTheRun),
      turn('gone-2', { phase: 'Skipped' }, withTheRun),
      turn('gone-3', { phase: 'Pending' }, withTheRun),
    ]);
    expect(current([], [run])).toMatchObject({ vanished: ['gone-3'], toCome: [] });
  });
});
