import { describe, expect, it } from 'vitest';
import { answerLines, recordedLines } from '../../src/console/askLines.js';
import type { Ask } from '../../src/run/ask.js';
import type { AnswerEnd } from '../../src/run/awaitAnswer.js';
import type { TurnStatus } from '../../src/run/state.js';
import { runSpec, runState } from '../run/runFixtures.js';

const updating: TurnStatus = {
  phase: 'Updating',
  cordoned: true,
  jobs: { update: { execution: 1, intentAt: '2026-11-10T22:00:00Z', bootIdBefore: 'a' } },
};
const going = 'No turn starts any more. Let the run go on with: turnus resume monthly-2026-11';

describe('what was recorded', () => {
  it.each<{ ask: Ask; turn: string | TurnStatus; lines: string[] }>([
    {
      ask: { verb: 'pause' },
      turn: updating,
      lines: ['Recorded: run monthly-2026-11 is to pause.', 'The turn of node-1 (Updating) is finished.', going],
    },
    { ask: { verb: 'pause' }, turn: 'Pending', lines: ['Recorded: run monthly-2026-11 is to pause.', going] },
    {
      ask: { verb: 'abort' },
      turn: 'Draining',
      lines: [
        'Recorded: run monthly-2026-11 is to be aborted.',
        'The turn of node-1 (Draining) is undone: its host is untouched, and the node is given back.',
        going,
      ],
    },
    {
      ask: { verb: 'abort' },
      turn: updating,
      lines: [
        'Recorded: run monthly-2026-11 is to be aborted.',
        'The turn of node-1 (Updating) is finished first: its host may have been changed.',
        going,
      ],
    },
    {
      ask: { verb: 'abort-now' },
      turn: updating,
      lines: [
        'Recorded: run monthly-2026-11 is to be aborted at once.',
        'The turn of node-1 (Updating) stops after its present call and is Failed; the node is left as it is then. Look at it, then: turnus retry monthly-2026-11 node-1',
        going,
      ],
    },
    {
      ask: { verb: 'retry', node: 'node-1' },
      turn: 'Failed',
      lines: [
        'Recorded: the turn of node-1 is to go on at the step that failed. A script that has ended on the host is not run again.',
      ],
    },
    {
      ask: { verb: 'retry-again', node: 'node-1' },
      turn: 'Failed',
      lines: ['Recorded: the turn of node-1 is to be taken again, and its script is run once more.'],
    },
    {
      ask: { verb: 'skip', node: 'node-1' },
      turn: 'Pending',
      lines: ['Recorded: node-1 is to be left out of run monthly-2026-11.'],
    },
    {
      ask: { verb: 'skip', node: 'node-1' },
      turn: { phase: 'Failed', cordoned: true },
      lines: [
        'Recorded: node-1 is to be left out of run monthly-2026-11.',
        'The node stays cordoned. When it is fit for pods: kubectl uncordon node-1',
      ],
    },
  ])('by $ask.verb is told with what becomes of the node', ({ ask, turn, lines }) => {
    expect(recordedLines(runState({ 'node-1': turn }), ask, {})).toEqual(lines);
  });

  it('by resume names the failures that the run passes over, if it asks for that', () => {
    const state = runState({ 'node-1': 'Failed', 'node-2': { phase: 'Failed', acknowledgedBy: 'bert' } });
    expect(recordedLines(state, { verb: 'resume' }, { request: '1' })).toEqual([
      'Recorded: run monthly-2026-11 is to go on.',
      'It goes on in spite of node-1, which stays as it is. Try it again with: turnus retry monthly-2026-11 node-1',
    ]);
    expect(recordedLines(runState({}), { verb: 'resume' }, { state: 'Run' })).toHaveLength(1);
  });

  it.each([
    { desired: 'Pause', is: 'paused: the turn begins after' },
    { desired: 'Stop', is: 'paused: the turn begins after' },
    { desired: 'Abort', is: 'aborted: this is answered after' },
    { desired: 'AbortNow', is: 'aborted: this is answered after' },
  ])('by retry says that a run of which $desired is wanted goes on only after resume', ({ desired, is }) => {
    const state = { ...runState({ 'node-1': 'Failed' }), spec: { ...runSpec, desired: { state: desired } } };
    expect(recordedLines(state, { verb: 'retry', node: 'node-1' }, {}).at(-1)).toBe(
      `Run monthly-2026-11 is ${is}: turnus resume monthly-2026-11`,
    );
    const skip = recordedLines(state, { verb: 'skip', node: 'node-1' }, {});
    expect(skip).toHaveLength(desired.startsWith('Abort') ? 2 : 1);
  });
});

const retry: Ask = { verb: 'retry', node: 'node-1' };
const start = 'Start `turnus run -f PLAYBOOK` (playbook monthly) to have it answered.';

describe('what came of it', () => {
  it.each<{ end: AnswerEnd; lines: string[] }>([
    { end: { kind: 'answered', result: 'done: node-1 is skipped' }, lines: ['Answered: done: node-1 is skipped'] },
    { end: { kind: 'refused', result: 'refused: no' }, lines: ['Answered: refused: no'] },
    { end: { kind: 'shown', phase: 'Paused' }, lines: ['Run monthly-2026-11 is Paused.'] },
    {
      end: { kind: 'at-work', holder: 'cron@ops/1' },
      lines: ['cron@ops/1 is at work and answers as soon as it can. See it with: turnus status monthly-2026-11'],
    },
    {
      end: { kind: 'elsewhere', holder: 'cron@ops/1' },
      lines: ['cron@ops/1 is at work in this cluster, but not on this run.', start],
    },
    { end: { kind: 'nobody', holder: '' }, lines: ['Nobody is at work.', start] },
    {
      end: { kind: 'nobody', holder: 'cron@ops/1' },
      lines: ['Nobody is at work: cron@ops/1 holds the lease, but does not renew it.', start],
    },
    { end: { kind: 'unknown', message: 'no' }, lines: ['Whether anybody is at work cannot be seen: no', start] },
    { end: { kind: 'run-gone' }, lines: ['Run monthly-2026-11 was deleted meanwhile.'] },
  ])('is told where it is $end.kind', ({ end, lines }) => {
    expect(answerLines(runState({}), retry, end)).toEqual(lines);
  });

  it.each<{ verb: 'pause' | 'abort' | 'abort-now' | 'resume'; idle: string; inWork: string }>([
    { verb: 'pause', idle: 'begins no turn while it is paused.', inWork: 'The turn of node-1 (Updating) stays' },
    { verb: 'abort', idle: 'refuses the run as long as it is aborted.', inWork: 'The turn of node-1 (Updating) stays' },
    { verb: 'abort-now', idle: 'refuses the run as long as it is aborted.', inWork: 'The turn of node-1 (Updating)' },
    { verb: 'resume', idle: 'to have it answered.', inWork: 'to have it answered.' },
  ])('with nobody at work depends for $verb on whether a turn is in work', ({ verb, idle, inWork }) => {
    const nobody: AnswerEnd = { kind: 'nobody', holder: '' };
    expect(answerLines(runState({ 'node-1': 'Pending' }), { verb }, nobody).at(-1)).toContain(idle);
    expect(answerLines(runState({ 'node-1': updating }), { verb }, nobody).at(-1)).toContain(inWork);
  });

  it('names the command of a rehearsal where the run is one', () => {
    const state = { ...runState({}), spec: { ...runSpec, rehearsal: true } };
    const lines = answerLines(state, retry, { kind: 'nobody', holder: '' });
    expect(lines[1]).toContain('`turnus run -f PLAYBOOK --rehearse`');
  });
});
