import { describe, expect, it } from 'vitest';
import type { PlaybookStatus } from '../../src/playbook/playbookStatus.js';
import type { ServedRun } from '../../src/server/nextDeed.js';
import { standingTrigger, waitingAnswer, type StandingTrigger } from '../../src/server/standingTrigger.js';
import { readWith } from './readPlaybooks.js';

const time = '2026-11-10T22:00:00.000Z';
const written = {
  'turnus.dev/trigger-id': 't1',
  'turnus.dev/trigger-by': 'anna',
  'turnus.dev/trigger-reason': 'urgent',
};
const read = await readWith({ annotations: written });
const readAgain = await readWith({
  annotations: written,
  status: { trigger: { id: 't1', time: '', answer: 'started: run monthly-2026-10', run: 'monthly-2026-10' } },
});
const trigger = { id: 't1', by: 'anna', reason: 'urgent', overrideFreezes: [] };
const open: StandingTrigger = { kind: 'open', trigger };

type Answered = PlaybookStatus['trigger'];
const started: Answered = { id: 't1', time, answer: 'started: run monthly-2026-10', run: 'monthly-2026-10' };

function run(phase: string): ServedRun {
  const nothing = { isStopped: false, openRequests: 0, hasTurnInWork: false, asked: '' };
  return { name: 'monthly-2026-10', period: '2026-10', phase, desired: 'Run', ...nothing };
}

describe('a trigger', () => {
  it.each<{ title: string; answered: Answered; runs: ServedRun[]; isInForce?: boolean; standing: unknown }>([
    { title: 'nobody has answered', answered: undefined, runs: [], standing: open },
    {
      title: 'took the place of another',
      answered: { ...started, id: 't0', finishedAt: time },
      runs: [],
      standing: open,
    },
    { title: 'waits', answered: { id: 't1', time, answer: 'waits: for ben' }, runs: [], standing: open },
    { title: 'has started a run that goes on', answered: started, runs: [run('AwaitingWindow')], standing: open },
    { title: 'was answered', answered: { ...started, finishedAt: time }, runs: [], standing: { kind: 'none' } },
    {
      title: 'has started a run that is over, in another process and maybe another month',
      answered: started,
      runs: [run('Completed')],
      standing: { kind: 'over', id: 't1', answer: 'ended: run monthly-2026-10 is Completed', run: 'monthly-2026-10' },
    },
    {
      title: 'is for a playbook of which nothing is in force',
      answered: undefined,
      runs: [],
      isInForce: false,
      standing: { kind: 'over', id: 't1', answer: expect.stringMatching(/^refused: /) as string, run: undefined },
    },
  ])('that $title', ({ answered, runs, isInForce = true, standing }) => {
    expect(standingTrigger({ read, isInForce, answered, runs })).toEqual(standing);
  });

  it('whose run was deleted has ended, and one whose run was only not seen yet has not', () => {
    const question = { isInForce: true, answered: started, runs: [] };
    expect(standingTrigger({ ...question, read })).toEqual(open);
    expect(standingTrigger({ ...question, read: readAgain })).toEqual({
      kind: 'over',
      id: 't1',
      answer: 'ended: run monthly-2026-10 was deleted',
      run: 'monthly-2026-10',
    });
  });

  it('that makes no sense is refused once', async () => {
    const odd = await readWith({ annotations: { ...written, 'turnus.dev/trigger-reason': ' ' } });
    const standing = standingTrigger({ read: odd, isInForce: true, answered: undefined, runs: [] });
    expect(standing).toMatchObject({
      kind: 'over',
      answer: expect.stringMatching(/^refused: .*does not say why/) as string,
    });
    const answered = { id: 't1', time, answer: 'refused: x', finishedAt: time };
    expect(standingTrigger({ read: odd, isInForce: true, answered, runs: [] })).toEqual({ kind: 'none' });
  });
});

describe('while something else is done', () => {
  const busy = { trigger: undefined, text: 'ben is at work' };

  it.each<{
    title: string;
    answered: Answered;
    at: typeof busy | { trigger: string; text: string } | undefined;
    told: boolean;
  }>([
    { title: 'that nobody has answered', answered: undefined, at: busy, told: true },
    { title: 'when nothing is done', answered: undefined, at: undefined, told: false },
    { title: 'that is what is done', answered: undefined, at: { ...busy, trigger: 't1' }, told: false },
    { title: 'that was told already', answered: { id: 't1', time, answer: 'waits: x' }, at: busy, told: false },
    { title: 'that was answered', answered: { ...started, finishedAt: time }, at: busy, told: false },
  ])('a trigger $title is told so: $told', ({ answered, at, told }) => {
    const answer = waitingAnswer({ read, answered, isInForce: true, busy: at, time });
    expect(answer).toEqual(told ? { id: 't1', time, answer: 'waits: ben is at work' } : undefined);
  });
});
