import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HostAnswer, HostPort, JobRequest } from '../../src/host/hostPort.js';
import { turnusHostScript } from '../../src/host/turnusHost.js';
import { containing } from '../host/matchers.js';
import { runOnce } from './runOnce.js';
import type { ShellHost } from './shellHost.js';
import { createSshFixture, endOf, jobOf, type SshFixture } from './sshFixture.js';

let fixture: SshFixture;
let machine: ShellHost;
let host: HostPort;
let scripts: string;
let program: string;
const signal = new AbortController().signal;
const script = '#!/bin/sh\necho once >>"$0.runs"\necho "$TURNUS_STAGE of $TURNUS_NODE"\n';

beforeAll(async () => {
  fixture = await createSshFixture();
  machine = await fixture.start();
  scripts = join(machine.directory, 'scripts');
  await mkdir(scripts);
  const owner = process.getuid?.() ?? 0;
  await machine.install('turnus-host', turnusHostScript({ layout: machine.layout, scripts, owner }));
  // Where the tests do not run as root, the stand-in makes nobody root; what it is asked for runs.
  await machine.install(
    'sudo',
    '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nid() { echo 0; }\nexec "$@"\n',
  );
  program = join(machine.directory, 'bin/turnus-host');
  host = await restricted();
});
beforeEach(async () => {
  machine.force(program);
  await rm(join(scripts, 'update.sh'), { force: true });
  await writeFile(join(scripts, 'update.sh'), script, { mode: 0o755 });
});
afterAll(async () => {
  await fixture.close();
});

async function restricted(content = script): Promise<HostPort> {
  return await fixture.port(machine, {
    policy: { restricted: true },
    options: { scripts: [{ name: 'update.sh', content }] },
  });
}

function ok<T>(answer: HostAnswer<T>): T {
  if (answer.kind !== 'ok') throw new Error(`${answer.kind}: ${answer.message}`);
  return answer.value;
}

function job(change: Partial<JobRequest> = {}): JobRequest {
  return jobOf(script, change);
}

describe('a key that may start installed scripts only', () => {
  test('is all that a turn needs', async () => {
    const bootId = await machine.bootId();
    expect(ok(await host.inspect(signal))).toMatchObject({ bootId });
    expect(ok(await host.bootId(signal))).toBe(bootId);
    expect(await host.failedUnits(signal)).toMatchObject({ kind: 'ok' });
    const update = job();
    expect(ok(await host.startJob(update, signal))).toEqual({ started: true });
    expect(await endOf(host, update, signal)).toMatchObject({
      state: 'exited',
      exitCode: 0,
      output: 'update of node-1\n',
    });
    expect(ok(await host.startJob(update, signal))).toEqual({ started: false });
    expect(ok(await host.cancelJob(update, signal))).toEqual({ cancelled: false });
    expect(ok(await host.reboot({ expectedBootId: 'another' }, signal))).toEqual({ requested: false, bootId });
  });

  test('runs nothing else, whatever it asks for', async () => {
    const touched = join(machine.directory, 'touched');
    const attempt = async (line: string) => {
      await runOnce({
        line: program,
        input: Buffer.from(line),
        killAfterMs: 10_000,
        environment: { SSH_ORIGINAL_COMMAND: line },
      });
      await expect(readFile(touched)).rejects.toThrow();
    };
    const harm = `touch ${touched}`;
    const word = fc.oneof(
      fc.constantFrom(
        harm,
        `;${harm}`,
        `$(${harm})`,
        `\`${harm}\``,
        `"`,
        `'`,
        '\n',
        '*',
        '../..',
        '-x',
        '--',
        '\\',
        '|',
        '&&',
        '{',
        'a/b',
      ),
      fc.string({ maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
    );
    const verb = fc.constantFrom('inspect', 'start', 'read', 'cancel', 'reboot', 'boot-id', 'failed-units', harm, '');
    const prefix = fc.constantFrom('turnus-host 1', 'turnus-host', 'turnus-host 2', harm, '/bin/sh -c');
    await fc.assert(
      fc.asyncProperty(prefix, verb, fc.array(word, { maxLength: 9 }), async (start, middle, words) => {
        await attempt([start, middle, ...words].join(' '));
      }),
      {
        numRuns: 60,
        examples: [
          ['', '', [harm]],
          ['turnus-host 1', 'start', [`$(${harm})`, 'b', 'c', 'd', 'e', '60', 'update.sh', 'f']],
          ['turnus-host 1', 'read', ['a', 'b', `0+$(${harm})`]],
          ['turnus-host 1', 'reboot', [`x;${harm}`]],
        ],
      },
    );
  });

  test('starts a script only as the playbook has it', async () => {
    const other = await restricted(`${script}# changed\n`);
    const message = containing('is not the one of the playbook');
    expect(await other.inspect(signal)).toMatchObject({ kind: 'command-failed', message });
    const changed = job({ script: `${script}# changed\n` });
    expect(await other.startJob(changed, signal)).toMatchObject({ kind: 'command-failed', message });
    expect(ok(await other.readJob(changed, 0, signal))).toEqual({ state: 'absent' });
    const unknown = job({ scriptName: 'other.sh' });
    expect(await host.startJob(unknown, signal)).toMatchObject({ message: containing('other.sh is not installed') });
  });

  test('starts no script that others can change', async () => {
    const path = join(scripts, 'update.sh');
    for (const mode of [0o775, 0o757]) {
      await chmod(path, mode);
      expect(await host.inspect(signal)).toMatchObject({ message: containing('writable by nobody else') });
    }
    await rename(path, join(scripts, 'real.sh'));
    await symlink(join(scripts, 'real.sh'), path);
    expect(await host.startJob(job(), signal)).toMatchObject({ message: containing('is not installed') });
  });

  test('follows a job whose script has been taken away meanwhile', async () => {
    const update = job();
    ok(await host.startJob(update, signal));
    await rm(join(scripts, 'update.sh'));
    expect(ok(await host.startJob(update, signal))).toEqual({ started: false });
    expect(await endOf(host, update, signal)).toMatchObject({ state: 'exited', exitCode: 0 });
  });

  test('runs no command of a health check', async () => {
    expect(await host.check('true', signal)).toMatchObject({
      kind: 'command-failed',
      message: containing('installed scripts only'),
    });
  });

  test('that meets a host without turnus-host, or a playbook that does not say so, is answered in words', async () => {
    machine.force(join(machine.directory, 'nowhere/turnus-host'));
    expect(await host.inspect(signal)).toMatchObject({
      kind: 'command-failed',
      message: containing('docs/turnus-host.md'),
    });
    machine.force(program);
    const plain = await fixture.port(machine);
    expect(await plain.inspect(signal)).toMatchObject({
      kind: 'command-failed',
      message: containing('spec.host.ssh.restricted: true'),
    });
  });
});
