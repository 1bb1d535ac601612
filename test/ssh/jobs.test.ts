import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine, programInput } from '../../src/host/remoteProgram.js';
import { startProgram } from '../../src/host/jobPrograms.js';
import { runOnce } from './runOnce.js';
import type { HostAnswer, HostPort } from '../../src/host/hostPort.js';
import { systemClock } from '../../src/systemClock.js';
import type { ShellHost } from './shellHost.js';
import { createSshFixture, endOf, jobOf, type SshFixture } from './sshFixture.js';
import { containing } from '../host/matchers.js';

let fixture: SshFixture;
let machine: ShellHost;
let host: HostPort;
const signal = new AbortController().signal;

beforeAll(async () => {
  fixture = await createSshFixture();
  machine = await fixture.start();
  host = await fixture.port(machine);
});
afterAll(async () => {
  await fixture.close();
});

function ok<T>(answer: HostAnswer<T>): T {
  if (answer.kind !== 'ok') throw new Error(`${answer.kind}: ${answer.message}`);
  return answer.value;
}

/** A script that leaves one line a run in `name`. */
function counting(name: string, rest = ''): string {
  return `echo once >>${machine.directory}/${name}\n${rest}`;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.deadline(10_000, signal);
  while (!(await what())) await systemClock.sleep(20, deadline.signal);
  deadline.clear();
}

/** Length of the numbers from 1, each on its line. */
function bytesOfSeq(last: number): number {
  let bytes = 0;
  for (let first = 1, digits = 1; first <= last; first *= 10, digits += 1) {
    bytes += (Math.min(last, first * 10 - 1) - first + 1) * (digits + 1);
  }
  return bytes;
}

/** Whether a process ignores SIGTERM (proc(5), /proc/pid/status: SigIgn, bit 14). */
async function ignoresTerm(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  const ignored = BigInt(`0x${/SigIgn:\s*([0-9a-f]+)/.exec(status)?.[1] ?? '0'}`);
  return (ignored & (1n << 14n)) !== 0n;
}

describe('a job on a host', () => {
  test('runs the script with its environment, and leaves output, result and exit code', async () => {
    const job = jobOf(
      `#!/bin/sh
echo "$TURNUS_RUN $TURNUS_NODE $TURNUS_STAGE"
printf 'changed=yes\\nreboot=required\\nversion.kernel=6.1.0-30\\nhello\\n' >"$TURNUS_RESULT"
echo to stderr >&2
pwd
umask
exit 3`,
    );
    expect(ok(await host.startJob(job, signal))).toEqual({ started: true });
    const end = await endOf(host, job, signal);
    const directory = `${machine.layout.baseDirectory}/jobs/${job.runUid}/node-1.update.1`;
    expect(end).toMatchObject({
      state: 'exited',
      exitCode: 3,
      result: { changed: 'yes', reboot: 'required', versions: { kernel: '6.1.0-30' }, unknownLines: ['hello'] },
      output: `monthly-2026-11 node-1 update\nto stderr\n${directory}\n0022\n`,
      bootId: await machine.bootId(),
    });
  });

  test('uses the interpreter that the script names', async () => {
    const job = jobOf('#!/usr/bin/env bash\narray=(a b c)\necho "${array[2]}"');
    await host.startJob(job, signal);
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0, output: 'c\n' });
  });

  test('that nobody started is absent', async () => {
    expect(ok(await host.readJob(jobOf('true'), 0, signal))).toEqual({ state: 'absent' });
  });

  test('started again is started once, also after it has ended', async () => {
    const job = jobOf(counting('again'));
    expect(ok(await host.startJob(job, signal))).toEqual({ started: true });
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    await endOf(host, job, signal);
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    expect(await machine.count('again')).toBe(1);
  });

  test('started by eight actors at the same time runs once, and one of them is told so', async () => {
    const job = jobOf(counting('together'));
    const ports = await Promise.all(Array.from({ length: 8 }, () => fixture.port(machine)));
    const answers = await Promise.all(ports.map(async (port) => ok(await port.startJob(job, signal)).started));
    await endOf(host, job, signal);
    expect(await machine.count('together')).toBe(1);
    expect(answers.filter((started) => started)).toHaveLength(1);
    const left = await readdir(`${machine.layout.baseDirectory}/jobs/${job.runUid}`);
    expect(left.sort()).toEqual(['.turnus-run', 'node-1.update.1']);
  });

  test('whose connection breaks before the answer reads as lost, was started, and is not started again', async () => {
    const job = jobOf(counting('lost'));
    machine.cutNextBeforeAnswer();
    expect(await host.startJob(job, signal)).toMatchObject({ kind: 'lost' });
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0 });
    expect(await machine.count('lost')).toBe(1);
  });

  test('whose connection breaks anywhere in the upload runs once in the end, and never by half', async () => {
    let round = 0;
    const input = programInput(startProgram(jobOf(counting('cut-00', 'echo whole\n'))), machine.layout);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.integer({ min: 1, max: input.length }), fc.integer({ min: input.length - 60, max: input.length })),
        async (bytes) => {
          round += 1;
          const name = `cut-${String(round).padStart(2, '0')}`;
          const job = jobOf(counting(name, 'echo whole\n'));
          machine.cutNextAfterInput(bytes);
          expect(await host.startJob(job, signal)).toMatchObject({ kind: 'lost' });
          ok(await host.startJob(job, signal));
          expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0, output: 'whole\n' });
          expect(await machine.count(name)).toBe(1);
        },
      ),
      { numRuns: 7, examples: [[1], [input.length - 5], [input.length - 14], [input.length]] },
    );
  });

  test('whose starting shell is killed at any moment runs at most once, and vanished means that it never will', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), async (killAfterMs) => {
        round += 1;
        const name = `killed-${String(round)}`;
        const job = jobOf(counting(name));
        const program = startProgram(job);
        await runOnce({
          line: commandLine({ sudo: false }),
          input: programInput(program, machine.layout),
          killAfterMs,
        });
        const first = ok(await host.readJob(job, 0, signal));
        ok(await host.startJob(job, signal));
        const end = await endOf(host, job, signal);
        if (first.state === 'vanished') expect(end.state).toBe('vanished');
        expect(['exited', 'vanished']).toContain(end.state);
        expect(await machine.count(name)).toBe(end.state === 'exited' ? 1 : 0);
      }),
      { numRuns: 8 },
    );
  });

  test('whose starting shell dies between marker and launch has vanished for good: not even a late runner starts it', async () => {
    const job = jobOf(counting('between'));
    await machine.install('setsid', '#!/bin/sh\nkill -9 $PPID\n');
    const start = await host.startJob(job, signal);
    await machine.install('setsid', '#!/bin/sh\nexec /usr/bin/setsid "$@"\n');
    expect(start.kind).not.toBe('ok');
    const reading = await endOf(host, job, signal);
    expect(reading).toMatchObject({ state: 'vanished', startedBootId: await machine.bootId() });
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    const runner = `${machine.layout.baseDirectory}/jobs/${job.runUid}/node-1.update.1/runner`;
    await runOnce({ line: `/bin/sh ${runner}`, input: Buffer.alloc(0), killAfterMs: 5000 });
    expect((await endOf(host, job, signal)).state).toBe('vanished');
    expect(await machine.count('between')).toBe(0);
  });

  test('cancelled before its runner came never starts', async () => {
    const job = jobOf(counting('early'));
    await machine.install('setsid', '#!/bin/sh\nkill -9 $PPID\n');
    await host.startJob(job, signal);
    await machine.install('setsid', '#!/bin/sh\nexec /usr/bin/setsid "$@"\n');
    expect(ok(await host.cancelJob(job, signal))).toEqual({ cancelled: true });
    expect((await endOf(host, job, signal)).state).toBe('vanished');
  });

  test('is not started where nothing can be written, and says so', async () => {
    await machine.install('mktemp', '#!/bin/sh\necho "mktemp: No space left on device" >&2\nexit 1\n');
    const job = jobOf(counting('full'));
    const answer = await host.startJob(job, signal);
    await rm(join(machine.directory, 'bin/mktemp'));
    expect(answer).toMatchObject({
      kind: 'command-failed',
      message: containing('No space left on device'),
    });
    expect(ok(await host.startJob(job, signal))).toEqual({ started: true });
  });

  test('makes room: directories of runs are removed after 100 days, and nothing else', async () => {
    const jobs = `${machine.layout.baseDirectory}/jobs`;
    const long = new Date(systemClock.now() - 102 * 86_400_000);
    for (const [name, isOurs] of [
      ['old-run', true],
      ['foreign', false],
    ] as const) {
      await mkdir(`${jobs}/${name}`, { recursive: true });
      if (isOurs) await writeFile(`${jobs}/${name}/.turnus-run`, '');
      await utimes(`${jobs}/${name}`, long, long);
    }
    await host.startJob(jobOf('true'), signal);
    const left = await readdir(jobs);
    expect(left).toContain('foreign');
    expect(left).not.toContain('old-run');
    expect(left.length).toBeGreaterThan(3);
  });

  test('goes on when every connection breaks', async () => {
    const job = jobOf(counting('detached', `until [ -e ${machine.directory}/go ]; do sleep 0.05; done; echo done`));
    await host.startJob(job, signal);
    machine.cutConnections();
    await expect.poll(async () => (await host.readJob(job, 0, signal)).kind).toBe('ok');
    expect(ok(await host.readJob(job, 0, signal))).toMatchObject({ state: 'running' });
    await machine.install('../go', '');
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0, output: 'done\n' });
    expect(await machine.count('detached')).toBe(1);
  });

  test('that the machine loses in a power cut has vanished, in the boot that it was started in, and is not run again', async () => {
    const job = jobOf(counting('power', 'echo changed=yes >"$TURNUS_RESULT"; echo working; sleep 60'));
    const before = await machine.bootId();
    await host.startJob(job, signal);
    await until(async () => (await machine.count('power')) === 1);
    await machine.powerCut();
    const reading = await endOf(host, job, signal);
    expect(reading).toMatchObject({
      state: 'vanished',
      startedBootId: before,
      result: { changed: 'yes' },
      output: 'working\n',
    });
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'vanished', bootId: await machine.bootId() });
    expect(await machine.count('power')).toBe(1);
  });

  test('of an earlier boot has vanished, even where its process identifier is that of a living process', async () => {
    const job = jobOf(counting('boots', 'sleep 60'));
    await host.startJob(job, signal);
    await until(async () => (await machine.count('boots')) === 1);
    expect(ok(await host.readJob(job, 0, signal)).state).toBe('running');
    await writeFile(machine.layout.bootIdPath, '00000000-0000-4000-8000-000000000000\n');
    expect(ok(await host.readJob(job, 0, signal)).state).toBe('vanished');
    await machine.kill();
  });

  test('whose runner is killed has vanished', async () => {
    const job = jobOf(counting('runner', 'sleep 60'));
    await host.startJob(job, signal);
    await until(async () => (await machine.count('runner')) === 1);
    await machine.kill();
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'vanished', startedBootId: await machine.bootId() });
  });

  test('that a signal ends has the exit code that a shell gives it', async () => {
    const job = jobOf('kill -9 $$');
    await host.startJob(job, signal);
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 137 });
  });

  test('that takes too long is stopped on the host, with the processes that it started', async () => {
    const job = jobOf(counting('slow', `sleep 61 & echo "$!" >${machine.directory}/child; wait`), { timeoutMs: 1000 });
    await host.startJob(job, signal);
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'timed-out' });
    const child = (await readFile(join(machine.directory, 'child'), 'utf8')).trim();
    await expect(readFile(`/proc/${child}/cmdline`)).rejects.toThrow();
  });

  test('is cancelled with its process group, once', async () => {
    const job = jobOf(counting('cancel', 'trap "echo got TERM; exit 9" TERM\nsleep 60 & wait'));
    await host.startJob(job, signal);
    await until(async () => (await machine.count('cancel')) === 1);
    expect(ok(await host.cancelJob(job, signal))).toEqual({ cancelled: true });
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 9, output: 'got TERM\n' });
    expect(ok(await host.cancelJob(job, signal))).toEqual({ cancelled: false });
    expect(ok(await host.cancelJob(jobOf('true'), signal))).toEqual({ cancelled: false });
  });

  test('with 5 MB of output is read in pieces of at most 64 KiB that make up the whole', async () => {
    const job = jobOf(`yes 'ein grüner Käfer für 5 € 😀' | head -n 150000; printf 'é€😀'`);
    await host.startJob(job, signal);
    const first = ok(await host.readJob(job, 0, signal));
    if (first.state !== 'absent') expect(Buffer.byteLength(first.output)).toBeLessThanOrEqual(65_536);
    const end = await endOf(host, job, signal);
    expect(end.state !== 'absent' && end.output === `${'ein grüner Käfer für 5 € 😀\n'.repeat(150_000)}é€😀`).toBe(
      true,
    );
  }, 60_000);

  test('with more output than the host keeps fills the disk to the bound; the beginning and the end can be read', async () => {
    const lines = 6_000_000;
    const job = jobOf(`seq ${String(lines)}`);
    await host.startJob(job, signal);
    await until(async () => ok(await host.readJob(job, 0, signal)).state === 'exited');
    const directory = `${machine.layout.baseDirectory}/jobs/${job.runUid}/node-1.update.1`;
    const files = (await readdir(directory)).filter((name) => /^\.?output/.test(name));
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(directory, name))).size));
    expect(files.length).toBe(3);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(16 * 1024 * 1024);

    let output = '';
    let omitted = 0;
    for (let fromByte = 0; ;) {
      const reading = ok(await host.readJob(job, fromByte, signal));
      if (reading.state === 'absent') throw new Error('the job is not there');
      if (reading.omittedBytes !== undefined) output += `\n${'-'.repeat(20)}\n`;
      omitted += reading.omittedBytes ?? 0;
      output += reading.output;
      fromByte = reading.nextByte;
      if (reading.output === '') break;
    }
    const [beginning = '', end = ''] = output.split(`\n${'-'.repeat(20)}\n`);
    expect(beginning.startsWith('1\n2\n3\n')).toBe(true);
    expect(end.endsWith(`${String(lines - 1)}\n${String(lines)}\n`)).toBe(true);
    expect(end.length).toBeGreaterThan(4 * 1024 * 1024);
    expect(beginning.length + omitted + end.length).toBe(bytesOfSeq(lines));
  }, 60_000);

  test('that leaves something running which holds its output open is over with its script, and all of it is there', async () => {
    const job = jobOf(
      counting(
        'left',
        `(until [ -e ${machine.directory}/speak ]; do sleep 0.05; done; echo late; echo said >>${machine.directory}/late) &\nseq 50000`,
      ),
    );
    await host.startJob(job, signal);
    const end = await endOf(host, job, signal);
    const expected = Array.from({ length: 50_000 }, (_, index) => `${String(index + 1)}\n`).join('');
    // A blank line wakes the reader of a pipe that does not end.
    expect(end.state === 'exited' && end.output.trimEnd() === expected.trimEnd()).toBe(true);
    await machine.install('../speak', '');
    await until(async () => (await machine.count('late')) === 1);
  });

  test('may write files of whatever name into its directory', async () => {
    const names = ['output.log', 'output.20260108', 'timed_out', 'ended', 'drained', 'pipe', 'void', 'job.new'];
    const job = jobOf(`for name in ${names.join(' ')}; do echo "$name" >"$name"; done; echo said`);
    await host.startJob(job, signal);
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0, output: 'said\n' });
  });

  test('whose runner is asked to end goes on, and its end is written down', async () => {
    const job = jobOf(counting('asked', `until [ -e ${machine.directory}/asked-go ]; do sleep 0.05; done; exit 7`));
    await host.startJob(job, signal);
    await until(async () => (await machine.count('asked')) === 1);
    const claim = await readFile(`${machine.layout.baseDirectory}/jobs/${job.runUid}/node-1.update.1/pid`, 'utf8');
    const runner = Number(claim.split(' ')[0]);
    await until(() => ignoresTerm(runner));
    process.kill(runner, 'SIGTERM');
    expect(ok(await host.readJob(job, 0, signal))).toMatchObject({ state: 'running' });
    await machine.install('../asked-go', '');
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 7 });
  });

  test('that outlives its runner has vanished, and can be ended all the same', async () => {
    const job = jobOf(counting('orphan', 'sleep 60'));
    await host.startJob(job, signal);
    await until(async () => (await machine.count('orphan')) === 1);
    const directory = `${machine.layout.baseDirectory}/jobs/${job.runUid}/node-1.update.1`;
    await until(async () => (await readdir(directory)).includes('group'));
    process.kill(Number((await readFile(`${directory}/pid`, 'utf8')).split(' ')[0]), 'SIGKILL');
    await until(async () => ok(await host.readJob(job, 0, signal)).state === 'vanished');
    const script = (await readFile(`${directory}/group`, 'utf8')).trim().split(' ')[0] ?? '';
    expect(ok(await host.cancelJob(job, signal))).toEqual({ cancelled: true });
    await expect(readFile(`/proc/${script}/cmdline`)).rejects.toThrow();
  });

  test('that is running keeps the directory of its run, however old that looks', async () => {
    const job = jobOf(counting('old', `until [ -e ${machine.directory}/old-go ]; do sleep 0.05; done`));
    await host.startJob(job, signal);
    await until(async () => (await machine.count('old')) === 1);
    const long = new Date(systemClock.now() - 200 * 86_400_000);
    await utimes(`${machine.layout.baseDirectory}/jobs/${job.runUid}`, long, long);
    await host.startJob(jobOf('true'), signal);
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    await machine.install('../old-go', '');
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0 });
    expect(await machine.count('old')).toBe(1);
  });

  test('goes on to its end where its output finds no room on the disk', async () => {
    await machine.install(
      'dd',
      '#!/bin/sh\n[ -f /proc/self/fd/1 ] || exec /usr/bin/dd "$@"\nexec /usr/bin/dd "$@" of=/dev/full\n',
    );
    const job = jobOf(counting('noroom', 'seq 100000; echo changed=yes >"$TURNUS_RESULT"'));
    await host.startJob(job, signal);
    const end = await endOf(host, job, signal);
    await rm(join(machine.directory, 'bin/dd'));
    expect(end).toMatchObject({ state: 'exited', exitCode: 0, output: '', result: { changed: 'yes' } });
  });

  test('whose script holds every kind of character arrives byte by byte', async () => {
    const script = `#!/bin/sh\ncat "$0"\n# 'quotes" \\ $(no) \`no\` %s é 😀 \t end without newline`;
    const job = jobOf(script);
    await host.startJob(job, signal);
    expect(await endOf(host, job, signal)).toMatchObject({ state: 'exited', exitCode: 0, output: script });
  });

  test('does not show its script in the list of processes', async () => {
    const job = jobOf(
      `pass='s3cret-in-script'; tr '\\0' ' ' </proc/$PPID/cmdline; tr '\\0' ' ' </proc/$$/cmdline; ps -eo args 2>/dev/null | grep -c 's3cret-in[-]script'`,
    );
    await host.startJob(job, signal);
    const end = await endOf(host, job, signal);
    expect(end.state === 'absent' ? '' : end.output).not.toContain('s3cret');
  });

  test('cannot leave its directory by a name', async () => {
    await expect(host.startJob(jobOf('true', { node: '../../etc' }), signal)).rejects.toThrow(
      'cannot name a directory',
    );
  });
});
