import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTurns, endPhase, exitCode, type RunStop } from '../../src/run/runEnd.js';
import { turnPhases, type Counts } from '../../src/run/state.js';
import { runState } from './runFixtures.js';

const finished: RunStop = { kind: 'finished' };
const failures: RunStop = { kind: 'failures' };
const otherActor: RunStop = { kind: 'other-actor' };
const interrupted: RunStop = { kind: 'signal', signal: 'SIGINT' };
const terminated: RunStop = { kind: 'signal', signal: 'SIGTERM' };

function counts(changes: Partial<Counts>): Counts {
  const some = { done: 0, failed: 0, blocked: 0, left: 0, ...changes };
  return { total: some.done + some.failed + some.blocked + some.left, ...some };
}

const anyPhases = fc.array(fc.constantFrom(...turnPhases), { minLength: 1, maxLength: 20 });
const anyStop = fc.constantFrom<RunStop>(
  finished,
  failures,
  otherActor,
  interrupted,
  terminated,
  { kind: 'aborted' },
  { kind: 'paused' },
  { kind: 'followed' },
);

function countsOf(phases: readonly string[]): Counts {
  return countTurns(runState(Object.fromEntries(phases.map((phase, place) => [`n${place}`, phase]))));
}

describe('the counts of a run', () => {
  it('put every phase where people look for it', () => {
    expect(countsOf(['Done', 'Done', 'Failed', 'Blocked', 'Deferred', 'Skipped', 'Pending', 'Draining'])).toEqual({
      total: 7,
      done: 2,
      failed: 1,
      blocked: 2,
      left: 2,
    });
  });

  it('add up to the nodes that are still in the cluster', () => {
    fc.assert(
      fc.property(anyPhases, (phases) => {
        const { total, done, failed, blocked, left } = countsOf(phases);
        expect(total).toBe(phases.filter((phase) => phase !== 'Skipped').length);
        expect(done + failed + blocked + left).toBe(total);
      }),
    );
  });
});

describe('the exit code of run', () => {
  const everything = counts({ done: 1, failed: 1, blocked: 1, left: 1 });

  it.each<{ title: string; counts: Counts; stop: RunStop; code: number }>([
    { title: 'all nodes are done', counts: counts({ done: 3 }), stop: finished, code: 0 },
    { title: 'a turn failed, whatever else is true', counts: everything, stop: interrupted, code: 4 },
    { title: 'a turn failed and the lease is lost', counts: everything, stop: otherActor, code: 4 },
    { title: 'failures stopped the run', counts: counts({ failed: 1, left: 2 }), stop: failures, code: 4 },
    { title: 'Ctrl-C stopped it', counts: counts({ done: 1, blocked: 1, left: 1 }), stop: interrupted, code: 130 },
    { title: 'TERM stopped it', counts: counts({ left: 1 }), stop: terminated, code: 143 },
    { title: 'HUP stopped it', counts: counts({ left: 1 }), stop: { kind: 'signal', signal: 'SIGHUP' }, code: 129 },
    { title: 'a person aborted it', counts: counts({ done: 1, left: 1 }), stop: { kind: 'aborted' }, code: 7 },
    { title: 'a person aborted it now', counts: counts({ failed: 1, left: 1 }), stop: { kind: 'aborted' }, code: 4 },
    { title: 'nobody resumed it', counts: counts({ left: 1 }), stop: { kind: 'paused' }, code: 7 },
    {
      title: 'a person skipped a node',
      counts: { ...counts({ done: 1 }), total: 2, skipped: 1 },
      stop: finished,
      code: 7,
    },
    { title: 'another actor has done them all', counts: counts({ done: 2 }), stop: { kind: 'followed' }, code: 0 },
    { title: 'another actor has left some', counts: counts({ left: 2 }), stop: { kind: 'followed' }, code: 7 },
    { title: 'another actor has the lease', counts: counts({ blocked: 1, left: 1 }), stop: otherActor, code: 7 },
    {
      title: 'a gate left a node, and others are left too',
      counts: counts({ blocked: 1, left: 1 }),
      stop: finished,
      code: 3,
    },
    { title: 'nodes are left', counts: counts({ done: 2, left: 1 }), stop: finished, code: 5 },
  ])('is $code where $title', ({ counts: given, stop, code }) => {
    expect(exitCode(given, stop)).toBe(code);
  });

  it('is 0 only where every node is done and nothing stopped the run before', () => {
    fc.assert(
      fc.property(anyPhases, anyStop, (phases, stop) => {
        const isZero = exitCode(countsOf(phases), stop) === 0;
        expect(isZero).toBe(
          !['signal', 'other-actor', 'aborted', 'paused'].includes(stop.kind) &&
            phases.every((phase) => phase === 'Done' || phase === 'Skipped'),
        );
      }),
    );
  });
});

describe('the phase of a run at the end of a call', () => {
  it.each<{ title: string; counts: Counts; stop: RunStop; phase: string }>([
    { title: 'all nodes are done', counts: counts({ done: 3 }), stop: finished, phase: 'Completed' },
    { title: 'a turn failed', counts: counts({ done: 1, failed: 1, left: 1 }), stop: failures, phase: 'Failed' },
    {
      title: 'a turn failed and none is left',
      counts: counts({ done: 1, failed: 1 }),
      stop: finished,
      phase: 'Failed',
    },
    { title: 'nodes are left', counts: counts({ done: 1, left: 1 }), stop: finished, phase: 'AwaitingWindow' },
    { title: 'a node is blocked', counts: counts({ done: 1, blocked: 1 }), stop: finished, phase: 'AwaitingWindow' },
    { title: 'a signal stopped the call', counts: counts({ done: 1, left: 1 }), stop: interrupted, phase: 'Running' },
    { title: 'a signal came after the last turn', counts: counts({ done: 2 }), stop: interrupted, phase: 'Completed' },
    { title: 'another actor goes on', counts: counts({ done: 1, left: 1 }), stop: otherActor, phase: 'Running' },
  ])('is $phase where $title', ({ counts: given, stop, phase }) => {
    expect(endPhase(given, stop)).toBe(phase);
  });

  it('is Completed only where neither a failed, a blocked nor a waiting node is left', () => {
    fc.assert(
      fc.property(anyPhases, anyStop, (phases, stop) => {
        if (endPhase(countsOf(phases), stop) !== 'Completed') return;
        expect(phases.filter((phase) => phase !== 'Done' && phase !== 'Skipped')).toEqual([]);
      }),
    );
  });
});
