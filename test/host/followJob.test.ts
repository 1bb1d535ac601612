import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runJob, type JobProgress, type JobRun } from '../../src/host/followJob.js';
import type { HostAnswer, HostFailure, JobReading } from '../../src/host/hostPort.js';
import { createOutputRecord } from '../../src/host/outputRecord.js';
import { createJumpingClock } from './jumpingClock.js';
import { containing } from './matchers.js';
import { createScriptedHost } from './scriptedHost.js';

const signal = new AbortController().signal;
const job = {
  run: 'monthly',
  runUid: 'u',
  node: 'n',
  stage: 'update',
  execution: 1,
  script: 'true',
  scriptName: 'update.sh',
  timeoutMs: 1000,
} as const;
const result = { reboot: undefined, changed: undefined, versions: {}, unknownLines: [] };
const started: HostAnswer<{ started: boolean }> = { kind: 'ok', value: { started: true } };
const lost: HostFailure = { kind: 'lost', message: 'broke' };
const unreachable: HostFailure = { kind: 'unreachable', message: 'refused' };

function running(output: string, nextByte: number): HostAnswer<JobReading> {
  return { kind: 'ok', value: { state: 'running', output, nextByte, bootId: 'a' } };
}
function exited(output: string, nextByte: number, bootId = 'a'): HostAnswer<JobReading> {
  return { kind: 'ok', value: { state: 'exited', exitCode: 0, result, output, nextByte, bootId } };
}
function run(host: JobRun['host'], change: Partial<JobRun> = {}) {
  const clock = createJumpingClock();
  return runJob({ host, job, clock, deadlineMs: 60_000, bootIdBefore: 'a', fence: () => undefined, ...change }, signal);
}

describe('runJob', () => {
  test('follows a job to its end and hands on each part of the output once', async () => {
    const parts: string[] = [];
    const host = createScriptedHost({
      start: [started],
      read: [running('one', 3), running('', 3), exited('two', 6), exited('', 6)],
    });
    const end = await run(host, { onOutput: (text) => parts.push(text) });
    const sha256 = createHash('sha256').update('onetwo').digest('hex');
    expect(end).toEqual({
      kind: 'exited',
      exitCode: 0,
      result,
      bootId: 'a',
      startedHere: true,
      output: { tail: 'onetwo', sha256, bytes: 6, isComplete: true, omittedBytes: 0 },
    });
    expect(parts).toEqual(['one', 'two']);
  });

  test('takes no job for its own that was started with another script, and does not tell of its output', async () => {
    const parts: string[] = [];
    const theirs: HostAnswer<JobReading> = {
      kind: 'ok',
      value: { state: 'exited', exitCode: 0, result, output: 'theirs', nextByte: 6, bootId: 'a', scriptDigest: 'f00d' },
    };
    const host = createScriptedHost({ read: [theirs] });
    const end = await run(host, { startedBefore: true, onOutput: (text) => parts.push(text) });
    expect(end).toMatchObject({
      kind: 'not-started',
      failure: { kind: 'command-failed', message: containing('f00d') },
    });
    expect(parts).toEqual([]);
  });

  test('follows a job that says that it was started with the same script', async () => {
    const scriptDigest = createHash('sha256').update(job.script).digest('hex');
    const ours: HostAnswer<JobReading> = {
      kind: 'ok',
      value: { state: 'exited', exitCode: 0, result, output: '', nextByte: 0, bootId: 'a', scriptDigest },
    };
    expect(await run(createScriptedHost({ read: [ours] }), { startedBefore: true })).toMatchObject({ kind: 'exited' });
  });

  test('asks the fence immediately before each start, and starts nothing when it throws', async () => {
    const host = createScriptedHost({ start: [lost, started], read: [exited('', 0)] });
    let asked = 0;
    const fence = () => {
      asked += 1;
      if (asked === 2) throw new Error('the lease is lost');
    };
    await expect(run(host, { fence })).rejects.toThrow('the lease is lost');
    expect(host.calls).toEqual(['start']);
  });

  test('starts again after a lost answer, and goes on reading through broken connections', async () => {
    const host = createScriptedHost({
      start: [lost, unreachable, { kind: 'ok', value: { started: false } }],
      read: [running('x', 1), lost, unreachable, { kind: 'login-refused', message: 'booting' }, exited('', 1, 'b')],
    });
    const progress: JobProgress[] = [];
    const end = await run(host, { onProgress: (step) => progress.push(step) });
    expect(end).toMatchObject({ kind: 'exited', startedHere: false, rebootedDuringJob: { before: 'a', after: 'b' } });
    expect(progress.map(({ state }) => state)).toEqual([
      'starting',
      'no-contact',
      'no-contact',
      'running',
      'no-contact',
      'no-contact',
      'no-contact',
    ]);
  });

  test('says not-started for a host that says no before anything was started', async () => {
    const refused: HostFailure = { kind: 'sudo-refused', message: 'no' };
    expect(await run(createScriptedHost({ start: [refused] }))).toEqual({ kind: 'not-started', failure: refused });
  });

  test('does not say not-started when an earlier answer was lost', async () => {
    const refused: HostFailure = { kind: 'sudo-refused', message: 'no' };
    expect(await run(createScriptedHost({ start: [lost, refused] }))).toMatchObject({
      kind: 'no-contact',
      failure: refused,
    });
  });

  test('says not-started for a host that was never reached until the deadline', async () => {
    expect(await run(createScriptedHost({ start: [unreachable] }))).toEqual({
      kind: 'not-started',
      failure: unreachable,
    });
  });

  test('says no-contact, and not failed, when the deadline passes while the host does not answer', async () => {
    const host = createScriptedHost({ start: [started], read: [running('x', 1), unreachable] });
    expect(await run(host)).toMatchObject({
      kind: 'no-contact',
      failure: unreachable,
      output: { tail: 'x', isComplete: false },
    });
  });

  test('passes over what the host has not kept, and says how much that was', async () => {
    const parts: string[] = [];
    const after: HostAnswer<JobReading> = {
      kind: 'ok',
      value: { state: 'running', output: 'end', nextByte: 909, omittedBytes: 900, bootId: 'a' },
    };
    const host = createScriptedHost({ start: [started], read: [running('begin\n', 6), after, exited('', 909)] });
    const end = await run(host, { onOutput: (text) => parts.push(text) });
    expect(parts).toEqual(['begin\n', '\n[900 bytes of output were not kept on the host]\n', 'end']);
    expect(end).toMatchObject({ output: { tail: 'end', bytes: 9, omittedBytes: 900, isComplete: true } });
  });

  test('ends with the output that was there at the first look after the end, whatever goes on writing', async () => {
    const chatty = (output: string, nextByte: number, size: number): HostAnswer<JobReading> => ({
      kind: 'ok',
      value: { state: 'exited', exitCode: 0, result, output, nextByte, size, bootId: 'a' },
    });
    const host = createScriptedHost({
      start: [started],
      read: [running('a', 1), chatty('b', 2, 3), chatty('c', 3, 9), chatty('never read', 13, 20)],
    });
    expect(await run(host)).toMatchObject({ kind: 'exited', output: { tail: 'abc', isComplete: true } });
  });

  test('looks after a fifth of the time that it has waited, between a tenth of a second and a second', async () => {
    const clock = createJumpingClock();
    const looks: number[] = [];
    const host = createScriptedHost({
      start: [started],
      read: [
        ...Array<() => HostAnswer<JobReading>>(40).fill(() => (looks.push(clock.now()), running('', 0))),
        exited('', 0),
      ],
    });
    await run(host, { clock });
    const [first = 0] = looks;
    const pauses = looks
      .slice(1)
      .map((at, index) => ({ pause: at - (looks[index] ?? 0), waited: (looks[index] ?? 0) - first }));
    for (const { pause, waited } of pauses) {
      expect(pause).toBeCloseTo(Math.min(1000, Math.max(100, waited / 5)));
    }
    expect(pauses.at(-1)?.pause).toBe(1000);
  });

  test('says still-running when the deadline passes while the job works', async () => {
    const host = createScriptedHost({ start: [started], read: [running('', 0)] });
    expect(await run(host)).toMatchObject({ kind: 'still-running', bootId: 'a' });
  });

  test('never starts a job whose start was confirmed before, even where the host does not know it', async () => {
    const host = createScriptedHost({ read: [{ kind: 'ok', value: { state: 'absent' } }] });
    expect(await run(host, { startedBefore: true })).toEqual({ kind: 'absent' });
    expect(host.calls).toEqual(['read']);
  });

  test('rejects with the reason of the signal when the work is stopped', async () => {
    const stop = new AbortController();
    const host = createScriptedHost({
      start: [started],
      read: [
        () => {
          stop.abort(new Error('stopped by a person'));
          return running('', 0);
        },
      ],
    });
    const clock = createJumpingClock();
    const followed = runJob(
      { host, job, clock, deadlineMs: 1e6, bootIdBefore: 'a', fence: () => undefined },
      stop.signal,
    );
    await expect(followed).rejects.toThrow('stopped by a person');
  });
});

describe('the record of an output', () => {
  test('keeps its last 4 KiB whole, its length and its hash, however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 2000 }), { maxLength: 12 }), (parts) => {
        const record = createOutputRecord();
        for (const part of parts) record.add(part);
        const whole = parts.join('');
        const { tail, sha256, bytes } = record.read(true);
        expect(bytes).toBe(Buffer.byteLength(whole));
        expect(sha256).toBe(createHash('sha256').update(whole).digest('hex'));
        expect(whole.endsWith(tail)).toBe(true);
        expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
        expect(Buffer.byteLength(tail)).toBeGreaterThanOrEqual(Math.min(bytes, 4093));
      }),
    );
  });
});
