import { describe, expect, it } from 'vitest';
import type { PlaybookStatus } from '../../src/playbook/playbookStatus.js';
import type { ServedRun } from '../../src/server/acts/nextDeed.js';
import type { ReadPlaybook } from '../../src/server/playbooks/playbookSource.js';
import { standingTrigger, waitingAnswer, type StandingTrigger } from '../../src/server/playbooks/standingTrigger.js';
import { readWith, specWith, versionWith } from './readPlaybooks.js';
import { trigger } from './servedFixtures.js';

const time = '2026-11-10T22:00:00.000Z';
const now = Date.parse(time);
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
const open: StandingTrigger = { kind: 'open', trigger };
const inForce = await versionWith(specWith(), 1);

/** In force and without mistakes, unless said otherwise. */
function judged(from: ReadPlaybook, change: { mistakes?: string[]; isInForce?: boolean } = {}) {
  const { mistakes = [], isInForce = true } = change;
  return { read: from, mistakes, inForce: isInForce ? inForce : undefined };
}

type Answered = PlaybookStatus['trigger'];
const started: Answered = { id: 't1', time, answer: 'started: run monthly-2026-10', run: 'monthly-2026-10' };

function run(phase: string): ServedRun {
  const nothing = { isStopped: false, openRequests: 0, hasTurnInWork: false, asked: '', trigger: undefined };
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
    expect(standingTrigger({ judged: judged(read, { isInForce }), answered, runs, now })).toEqual(standing);
  });

  it('whose run was deleted has ended, and one whose run was only not seen yet has not', () => {
    const question = { answered: started, runs: [], now };
    expect(standingTrigger({ ...question, judged: judged(read) })).toEqual(open);
    expect(standingTrigger({ ...question, judged: judged(readAgain) })).toEqual({
      kind: 'over',
      id: 't1',
      answer: 'ended: run monthly-2026-10 was deleted',
      run: 'monthly-2026-10',
    });
  });

  it('that makes no sense is refused once', async () => {
    const odd = await readWith({ annotations: { ...written, 'turnus.dev/trigger-reason': ' ' } });
    const question = { judged: judged(odd), runs: [], now };
    expect(standingTrigger({ ...question, answered: undefined })).toMatchObject({
      kind: 'over',
      answer: expect.stringMatching(/^refused: .*does not say why/) as string,
    });
    const answered = { id: 't1', time, answer: 'refused: x', finishedAt: time };
    expect(standingTrigger({ ...question, answered })).toEqual({ kind: 'none' });
  });
});

describe('a trigger that may start only until a time', async () => {
  const late = await readWith({ annotations: { ...written, 'turnus.dev/trigger-start-before': time } });
  const question = { judged: judged(late), answered: undefined, runs: [] };

  it('is open until then, and refused afterwards with what it waited for', () => {
    expect(standingTrigger({ ...question, now })).toEqual({ kind: 'open', trigger: { ...trigger, startBefore: now } });
    const over = standingTrigger({ ...question, now: now + 1 });
    expect(over).toMatchObject({ kind: 'over', id: 't1', run: undefined });
    expect(over).toHaveProperty('answer', expect.stringMatching(/^refused: nothing was started by .*nobody served/));
    const answered = { id: 't1', time, answer: 'waits: ben is at work' };
    expect(standingTrigger({ ...question, answered, now: now + 1 })).toHaveProperty(
      'answer',
      expect.stringContaining('(waits: ben is at work)'),
    );
  });

  it('lets a run that was started go on as long as it takes', () => {
    const standing = standingTrigger({ ...question, answered: started, runs: [run('Running')], now: now + 1 });
    expect(standing.kind).toBe('open');
  });

  it.each([
    ['Running', { kind: 'open', trigger: { ...trigger, startBefore: now } }],
    [
      'Completed',
      { kind: 'over', id: 't1', answer: 'ended: run monthly-2026-10 is Completed', run: 'monthly-2026-10' },
    ],
  ])('knows a run that was begun for it by its id, where the answer was lost: %s', (phase, standing) => {
    const begun = { ...run(phase), trigger: 't1' };
    const asked = { ...question, now: now + 1 };
    expect(standingTrigger({ ...asked, runs: [begun] })).toEqual(standing);
    const answered = { id: 't1', time, answer: 'waits: ben is at work' };
    expect(standingTrigger({ ...asked, answered, runs: [begun] })).toEqual(standing);
    expect(standingTrigger({ ...asked, runs: [{ ...begun, trigger: 't0' }] })).toMatchObject({ run: undefined });
  });
});

describe('a trigger that supersedes the unfinished run', async () => {
  const replacing = await readWith({ annotations: { ...written, 'turnus.dev/trigger-replace': 'true' } });
  const question = { judged: judged(replacing), answered: undefined, runs: [run('Failed')], now };

  it('does so once: what it has started is gone on with', () => {
    expect(standingTrigger(question)).toEqual({ kind: 'open', trigger: { ...trigger, replace: true } });
    expect(standingTrigger({ ...question, answered: started })).toEqual(open);
    const begun = { ...run('Planned'), name: 'monthly-2026-10-x1', trigger: 't1' };
    expect(standingTrigger({ ...question, runs: [run('Superseded'), begun] })).toEqual(open);
  });

  it('is refused while the playbook that the new run would begin with has mistakes', () => {
    const standing = standingTrigger({ ...question, judged: judged(replacing, { mistakes: ['spec.drain: x'] }) });
    expect(standing).toMatchObject({ kind: 'over', answer: expect.stringMatching(/^refused: .*mistakes/) as string });
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
    const answer = waitingAnswer({ judged: judged(read), answered, runs: [], busy: at, now });
    expect(answer).toEqual(told ? { id: 't1', time, answer: 'waits: ben is at work' } : undefined);
  });
});
