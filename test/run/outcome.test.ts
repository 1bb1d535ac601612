import { describe, expect, it } from 'vitest';
import { decide, outcomeTable, type Decision, type Outcome } from '../../src/run/outcome.js';

describe('the outcome table', () => {
  it.each<{ outcome: Outcome; touched: boolean; decision: Decision }>([
    { outcome: 'blocked', touched: false, decision: { node: 'undo', turn: 'Blocked', run: 'go-on' } },
    { outcome: 'blocked', touched: true, decision: { node: 'leave', turn: 'Failed', run: 'failure' } },
    { outcome: 'deferred', touched: false, decision: { node: 'undo', turn: 'Deferred', run: 'go-on' } },
    { outcome: 'deferred', touched: true, decision: { node: 'leave', turn: 'Failed', run: 'failure' } },
    { outcome: 'failed', touched: false, decision: { node: 'undo', turn: 'Failed', run: 'failure' } },
    { outcome: 'failed', touched: true, decision: { node: 'leave', turn: 'Failed', run: 'failure' } },
    { outcome: 'not-recovered', touched: false, decision: { node: 'undo', turn: 'Failed', run: 'stop' } },
    { outcome: 'not-recovered', touched: true, decision: { node: 'leave', turn: 'Failed', run: 'stop' } },
    { outcome: 'vanished', touched: false, decision: { node: 'undo', turn: 'Skipped', run: 'go-on' } },
    { outcome: 'vanished', touched: true, decision: { node: 'leave', turn: 'Failed', run: 'failure' } },
    { outcome: 'stopped', touched: false, decision: { node: 'undo', turn: 'Pending', run: 'stop' } },
    { outcome: 'stopped', touched: true, decision: { node: 'leave', turn: 'same', run: 'stop' } },
    { outcome: 'handed-over', touched: false, decision: { node: 'leave', turn: 'same', run: 'stop' } },
    { outcome: 'handed-over', touched: true, decision: { node: 'leave', turn: 'same', run: 'stop' } },
    { outcome: 'aborted-now', touched: false, decision: { node: 'leave', turn: 'Failed', run: 'stop' } },
    { outcome: 'aborted-now', touched: true, decision: { node: 'leave', turn: 'Failed', run: 'stop' } },
  ])(
    'says of a step that is $outcome, with touched $touched: node $decision.node, turn $decision.turn, run $decision.run',
    (cell) => {
      expect(decide(cell.outcome, cell.touched)).toEqual(cell.decision);
    },
  );

  it('has no other cell than these sixteen', () => {
    expect(Object.keys(outcomeTable).sort()).toEqual([
      'aborted-now',
      'blocked',
      'deferred',
      'failed',
      'handed-over',
      'not-recovered',
      'stopped',
      'vanished',
    ]);
  });

  it('never gives pods to a node whose host was touched', () => {
    expect(Object.values(outcomeTable).map(({ touched }) => touched.node)).not.toContain('undo');
  });

  it('always gives a node back whose host was not touched, except where a person or the next actor wants all left as it is', () => {
    const left = Object.entries(outcomeTable).filter(([, { untouched }]) => untouched.node === 'leave');
    expect(left.map(([outcome]) => outcome)).toEqual(['handed-over', 'aborted-now']);
  });

  it('lets the run go on past a Failed turn only by counting it', () => {
    for (const { touched, untouched } of Object.values(outcomeTable)) {
      for (const { turn, run } of [touched, untouched])
        expect(run !== 'go-on').toBe(turn === 'Failed' || run === 'stop');
    }
  });
});
