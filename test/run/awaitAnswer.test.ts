import { describe, expect, it } from 'vitest';
import { answerIn } from '../../src/run/awaitAnswer.js';

const handled = (result: string) => ({ handledRequests: [{ id: '1', result, time: '2026-11-10T22:00:00Z' }] });

describe('the answer to a request', () => {
  it('is the result under its id', () => {
    const asked = { awaits: { request: '1' }, phaseBefore: 'Failed' };
    expect(answerIn({ phase: 'Running', ...handled('done: x') }, asked)).toEqual({
      kind: 'answered',
      result: 'done: x',
    });
    expect(answerIn({ phase: 'Running', ...handled('refused: no') }, asked)).toEqual({
      kind: 'refused',
      result: 'refused: no',
    });
  });

  it('is not there while only others are answered, whatever the run shows', () => {
    const asked = { awaits: { request: '2', state: 'Run' as const }, phaseBefore: 'Paused' };
    expect(answerIn({ phase: 'Running', ...handled('done: x') }, asked)).toBeUndefined();
    expect(answerIn({ phase: 'Running' }, asked)).toBeUndefined();
  });
});

describe('the answer to a state', () => {
  it.each([
    { state: 'Pause', before: 'Running', phase: 'Paused', shown: true },
    { state: 'Pause', before: 'Running', phase: 'Running', shown: false },
    { state: 'Pause', before: 'Running', phase: 'Completed', shown: true },
    { state: 'Pause', before: 'Failed', phase: 'Failed', shown: false },
    { state: 'Abort', before: 'Running', phase: 'Aborted', shown: true },
    { state: 'Abort', before: 'Paused', phase: 'Paused', shown: false },
    { state: 'AbortNow', before: 'Running', phase: 'Aborted', shown: true },
    { state: 'AbortNow', before: 'Running', phase: 'Failed', shown: true },
    { state: 'Run', before: 'Paused', phase: 'Running', shown: true },
    { state: 'Run', before: 'Paused', phase: 'Paused', shown: false },
    { state: 'Run', before: 'Aborted', phase: 'Aborted', shown: false },
    { state: 'Run', before: 'Aborted', phase: 'AwaitingWindow', shown: true },
  ] as const)('$state is given by $phase after $before: $shown', ({ state, before, phase, shown }) => {
    expect(answerIn({ phase }, { awaits: { state }, phaseBefore: before })).toEqual(
      shown ? { kind: 'shown', phase } : undefined,
    );
  });
});
