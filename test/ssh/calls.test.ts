import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runJob } from '../../src/host/followJob.js';
import { parseHostFacts } from '../../src/host/hostPrograms.js';
import type { HostPort } from '../../src/host/hostPort.js';
import { systemClock } from '../../src/systemClock.js';
import type { ShellHost } from './shellHost.js';
import { createSshFixture, jobOf, type SshFixture } from './sshFixture.js';
import { matching } from '../host/matchers.js';

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

describe('a check of the playbook', () => {
  test('gives exit code and output, of stderr too', async () => {
    expect(await host.check('echo out; echo err >&2; exit 7', signal)).toEqual({
      kind: 'ok',
      value: { exitCode: 7, output: 'out\nerr\n' },
    });
  });

  test('that a signal ends, that is not there, or that reads its input is no failure of the connection', async () => {
    expect(await host.check('kill -9 $$', signal)).toMatchObject({ kind: 'ok', value: { exitCode: 137 } });
    expect(await host.check('no-such-program-here', signal)).toMatchObject({ kind: 'ok', value: { exitCode: 127 } });
    expect(await host.check('cat', signal)).toEqual({ kind: 'ok', value: { exitCode: 0, output: '' } });
  });

  test('keeps no more than 64 KiB of its output', async () => {
    const answer = await host.check('yes | head -c 1000000', signal);
    expect(answer.kind === 'ok' && answer.value.output.length).toBe(65_536);
    expect(answer).toMatchObject({ kind: 'ok', value: { exitCode: 0 } });
  });

  test('does not stand in the list of processes', async () => {
    const answer = await host.check(`secret=pa55; cat /proc/$$/cmdline /proc/$PPID/cmdline | tr '\\0' ' '`, signal);
    expect(answer.kind === 'ok' && answer.value.output).not.toContain('pa55');
  });

  test('whose connection breaks is lost, and has no exit code', async () => {
    machine.cutNextBeforeAnswer();
    expect(await host.check('true', signal)).toMatchObject({ kind: 'lost' });
  });
});

describe('a look at the host', () => {
  test.each([
    ["reboot='true'", true],
    ["reboot='false'", false],
    ['', false],
  ])('reads from what apt-config says, %o, whether unattended-upgrades reboots: %o', async (said, automaticReboot) => {
    const debian = await fixture.start();
    await debian.install('unattended-upgrade', '#!/bin/sh\n');
    await debian.install(
      'apt-config',
      `#!/bin/sh\n[ "$*" = 'shell reboot Unattended-Upgrade::Automatic-Reboot/b' ] || exit 100\necho "${said}"\n`,
    );
    const port = await fixture.port(debian);
    expect(await port.inspect(signal)).toMatchObject({ kind: 'ok', value: { automaticReboot } });
  });

  test('says nothing of unattended-upgrades where it is not installed', () => {
    const fields = new Map([
      ['boot_id', 'b'],
      ['user', 'root'],
      ['kernel', '6.1'],
      ['free_kib', '1'],
      ['automatic_reboot', ''],
    ]);
    expect(parseHostFacts({ fields, body: Buffer.alloc(0) }, 'SHA256:abc')?.automaticReboot).toBeUndefined();
  });
});

describe('sudo', () => {
  const asUser = async () => {
    const user = await fixture.start({ user: 'maintenance' });
    return { user, port: await fixture.port(user, { policy: { user: 'maintenance' } }) };
  };

  test('that wants a password, or is missing, is named with what to do', async () => {
    const { user, port } = await asUser();
    await user.install('sudo', '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n');
    const answer = await port.startJob(jobOf('true'), signal);
    expect(answer).toMatchObject({
      kind: 'sudo-refused',
      message: matching(/a password is required.*NOPASSWD/),
    });
    await user.install('sudo', '#!/nowhere\n');
    expect(await port.inspect(signal)).toMatchObject({ kind: 'sudo-refused' });
    expect(await port.bootId(signal)).toMatchObject({ kind: 'ok' });
  });

  test('runs every program in the same words, without a password', async () => {
    const { user, port } = await asUser();
    await user.install(
      'sudo',
      `#!/bin/sh\necho "$*" >>${user.directory}/sudo-calls\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n`,
    );
    await port.startJob(jobOf('echo secret'), signal);
    await port.inspect(signal);
    const calls = (await readFile(`${user.directory}/sudo-calls`, 'utf8')).trim().split('\n');
    expect(calls).toHaveLength(2);
    expect(new Set(calls).size).toBe(1);
    expect(calls[0]).toMatch(/^-n -- \/bin\/sh -c /);
  });

  test('is not used for root, nor where the playbook says no', async () => {
    await machine.install('sudo', '#!/bin/sh\nexit 1\n');
    expect(await host.inspect(signal)).toMatchObject({ kind: 'ok' });
    const { user } = await asUser();
    await user.install('sudo', '#!/bin/sh\nexit 1\n');
    const plain = await fixture.port(user, { policy: { user: 'maintenance', sudo: false } });
    expect(await plain.inspect(signal)).toMatchObject({ kind: 'ok' });
  });
});

describe('a reboot', () => {
  test('is asked for only in the boot that is expected, and recorded before', async () => {
    await machine.install('reboot', `#!/bin/sh\necho once >>${machine.directory}/reboots\n`);
    const bootId = await machine.bootId();
    expect(await host.reboot({ expectedBootId: 'another' }, signal)).toEqual({
      kind: 'ok',
      value: { requested: false, bootId },
    });
    expect(await machine.count('reboots')).toBe(0);
    expect(await host.reboot({ expectedBootId: bootId }, signal)).toEqual({
      kind: 'ok',
      value: { requested: true, bootId },
    });
    expect((await readFile(`${machine.layout.baseDirectory}/reboot-requested`, 'utf8')).trim()).toBe(bootId);
    await expect.poll(() => machine.count('reboots'), { timeout: 5000 }).toBe(1);
  });

  test('whose answer is lost says so, and can be asked again', async () => {
    const bootId = await machine.bootId();
    machine.cutNextBeforeAnswer();
    expect(await host.reboot({ expectedBootId: bootId }, signal)).toMatchObject({ kind: 'lost' });
    expect(await host.reboot({ expectedBootId: bootId }, signal)).toMatchObject({
      kind: 'ok',
      value: { requested: true },
    });
  });
});

test('failedUnits knows where systemd does not run', async () => {
  const { existsSync } = await import('node:fs');
  const answer = await host.failedUnits(signal);
  if (existsSync('/run/systemd/system')) expect(answer.kind).not.toBe('lost');
  else expect(answer).toEqual({ kind: 'ok', value: undefined });
});

describe('runJob over SSH', () => {
  test('comes to the one end of a job through every broken connection', async () => {
    const job = jobOf(
      `echo once >>${machine.directory}/followed\nfor i in 1 2 3 4 5 6; do echo $i; sleep 0.3; done; exit 4`,
    );
    machine.cutNextBeforeAnswer();
    let output = '';
    let cuts = 0;
    const end = await runJob(
      {
        host,
        job,
        clock: systemClock,
        deadlineMs: 30_000,
        bootIdBefore: await machine.bootId(),
        fence: () => undefined,
        onOutput: (text) => {
          output += text;
          cuts += 1;
          machine.cutConnections();
        },
      },
      signal,
    );
    expect(end).toMatchObject({
      kind: 'exited',
      exitCode: 4,
      output: { tail: '1\n2\n3\n4\n5\n6\n', isComplete: true },
    });
    expect(output).toBe('1\n2\n3\n4\n5\n6\n');
    expect(cuts).toBeGreaterThan(0);
    expect(await machine.count('followed')).toBe(1);
  });
});
