import { describe, expect, it } from 'vitest';
import { waitCollector } from '../../src/console/waitCollector.js';
import type { RunStatus, TurnStatus } from '../../src/run/state.js';
import { runState } from '../run/runFixtures.js';

const start = Date.parse('2026-11-10T22:00:00.000Z');

function at(seconds: number): string {
  return new Date(start + seconds * 1000).toISOString();
}

function waiting(what: string, sinceSeconds: number): TurnStatus {
  return { phase: 'Draining', waitingFor: { what, since: at(sinceSeconds) } };
}

/** What a collector has after these states, each seen at its second. */
function collected(states: [number, Record<string, TurnStatus | string>, Partial<RunStatus>?][], endSeconds: number) {
  const collector = waitCollector();
  for (const [seconds, turns, status] of states)
    collector.observe(runState(turns, status ?? {}), start + seconds * 1000);
  return collector
    .longest(3, start + endSeconds * 1000)
    .map(({ node, what, totalMs }) => `${node ?? 'run'}: ${what}: ${String(totalMs / 1000)}`);
}

describe('the waits of a run', () => {
  it('are measured from their beginning to the next words', () => {
    expect(
      collected(
        [
          [10, { n1: waiting('a', 0) }],
          [15, { n1: waiting('a', 0) }],
          [20, { n1: waiting('b', 20) }],
          [50, { n1: 'Updating' }],
        ],
        100,
      ),
    ).toEqual(['n1: b: 30', 'n1: a: 20']);
  });

  it('are added up where the same words come back, and counted on where they still stand', () => {
    expect(
      collected(
        [
          [0, { n1: waiting('a', 0) }],
          [10, { n1: waiting('b', 10) }],
          [12, { n1: waiting('a', 12) }],
        ],
        20,
      ),
    ).toEqual(['n1: a: 18', 'n1: b: 2']);
  });

  it('are those of each node and of the run for itself, the three longest', () => {
    expect(
      collected(
        [
          [0, { n1: waiting('a', 0), n2: waiting('a', 0) }, { waitingFor: { what: 'the window', since: at(0) } }],
          [5, { n1: 'Done', n2: waiting('a', 0) }, { waitingFor: { what: 'the window', since: at(0) } }],
          [9, { n2: waiting('c', 9) }],
          [10, { n2: 'Done' }],
        ],
        10,
      ),
    ).toEqual(['run: the window: 9', 'n2: a: 9', 'n1: a: 5']);
  });

  it('do not become negative where another machine is ahead of our clock', () => {
    expect(
      collected(
        [
          [0, { n1: waiting('a', 60) }],
          [10, { n1: 'Done' }],
        ],
        10,
      ),
    ).toEqual(['n1: a: 10']);
  });
});
