import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runJob } from '../../../src/host/followJob.js';
import type { HostAnswer } from '../../../src/host/hostPort.js';
import { proveBoot } from '../../../src/host/proveBoot.js';
import { listenAtOnePort } from '../../../src/sandbox/hosts/commonPort.js';
import { processesOf } from '../../../src/sandbox/hosts/hostProcesses.js';
import { createKeyPair } from '../../../src/sandbox/hosts/keyPair.js';
import { openHosts } from '../../../src/sandbox/hosts/openHosts.js';
import { systemClock } from '../../../src/systemClock.js';
import { containing, matching } from '../../host/matchers.js';
import {
  jobOf,
  openFixture,
  realTimeline,
  recordingMachine,
  sshOnce,
  until,
  type HostsFixture,
} from './hostsFixture.js';

const signal = new AbortController().signal;
const clock = systemClock;

function ok<T>(answer: HostAnswer<T>): T {
  if (answer.kind !== 'ok') throw new Error(`${answer.kind}: ${answer.message}`);
  return answer.value;
}

const follow = { clock, deadlineMs: 15_000, fence: () => undefined };

describe.concurrent('a host of the sandbox', () => {
  let fixture: HostsFixture;
  beforeAll(async () => {
    fixture = await openFixture({ nodes: 8, kernel: '6.1.0-40-amd64' });
  });
  afterAll(async () => {
    await fixture.close();
  });

  test('shows the facts of a machine of its own', async () => {
    const host = await fixture.port('node-1');
    expect(ok(await host.inspect(signal))).toEqual({
      bootId: fixture.machine('node-1').bootId,
      user: 'maintenance',
      root: true,
      hostKeyFingerprint: matching(/^SHA256:/),
      systemd: false,
      kernel: '6.1.0-40-amd64',
      freeBytes: expect.any(Number) as number,
      automaticReboot: false,
      clockMs: expect.any(Number) as number,
      missingPrograms: [],
      rebootCommand: 'reboot',
      jobsInMemory: false,
    });
    expect(ok(await host.failedUnits(signal))).toBeUndefined();
    expect(ok(await host.check('hostname; exit 4', signal))).toEqual({ exitCode: 4, output: 'node-1\n' });
  });

  test('is known by its own key, and by no other', async () => {
    const lines = fixture.set.knownHosts.trimEnd().split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]).toMatch(new RegExp(String.raw`^\[127\.77\.0\.1\]:${String(fixture.set.port)} ssh-ed25519 `));
    const key = (lines[1] ?? '').split(' ').slice(1).join(' ');
    const knownHosts = `[127.77.0.1]:${String(fixture.set.port)} ${key}\n`;
    const other = await fixture.port('node-1', { knownHosts });
    expect(await other.bootId(signal)).toMatchObject({ kind: 'host-key-mismatch' });
    const unknown = await fixture.port('node-1', { knownHosts: '' });
    expect(await unknown.bootId(signal)).toMatchObject({ kind: 'host-key-unknown', line: lines[0] });
  });

  test('lets in one key and its own users', async () => {
    const strange = await fixture.port('node-1', { clientKey: createKeyPair().private });
    expect(await strange.bootId(signal)).toMatchObject({ kind: 'login-refused' });
    const nobody = await fixture.port('node-1', { policy: { user: 'nobody' } });
    expect(await nobody.bootId(signal)).toMatchObject({ kind: 'login-refused' });
  });

  test('makes root of the one who logs in as root or uses sudo, and only root reboots it', async () => {
    const root = await fixture.port('node-2', { policy: { user: 'root' } });
    expect(ok(await root.inspect(signal))).toMatchObject({ user: 'root', root: true });
    const plain = await fixture.port('node-2', { policy: { sudo: false } });
    expect(ok(await plain.inspect(signal))).toMatchObject({ user: 'maintenance', root: false });
    expect(await sshOnce(fixture, { node: 'node-2', command: 'reboot' })).toEqual({
      exitCode: 1,
      output: 'reboot: only root may do this\n',
    });
    expect(fixture.machine('node-2').told).toEqual([]);
  });

  test('runs a job once, with its output as it comes, its answers and its exit code', async () => {
    const host = await fixture.port('node-2');
    const bootIdBefore = ok(await host.bootId(signal));
    const job = jobOf(
      'node-2',
      `#!/bin/sh
echo once >>"$TMPDIR/count"
echo first
sleep 1.2
printf 'changed=yes\\nreboot=required\\nversion.kernel=6.1.0-41\\n' >"$TURNUS_RESULT"
echo "$TURNUS_RESULT"
exit 3`,
    );
    const parts: string[] = [];
    const run = { ...follow, host, job, bootIdBefore };
    const end = await runJob({ ...run, onOutput: (text) => parts.push(text) }, signal);
    const directory = `${fixture.node('node-2').directory}/var/lib/turnus/jobs/${job.runUid}/node-2.update.1`;
    expect(end).toMatchObject({
      kind: 'exited',
      exitCode: 3,
      startedHere: true,
      result: { changed: 'yes', reboot: 'required', versions: { kernel: '6.1.0-41' } },
    });
    expect(parts).toEqual(['first\n', `${directory}/result\n`]);
    expect(existsSync(`/var/lib/turnus/jobs/${job.runUid}`)).toBe(false);
    expect(await runJob(run, signal)).toMatchObject({ kind: 'exited', exitCode: 3, startedHere: false });
    expect(await readFile(join(fixture.node('node-2').directory, 'tmp/count'), 'utf8')).toBe('once\n');
  });

  test('goes down and comes back in a new boot when it is told to reboot; its disk is kept, its processes are gone', async () => {
    const { directory } = fixture.node('node-3');
    const host = await fixture.port('node-3');
    const before = ok(await host.bootId(signal));
    const job = jobOf('node-3', 'echo at work; echo 6.1.0-41-amd64 >"$HOME/boot/kernel"; exec sleep 60');
    ok(await host.startJob(job, signal));
    const hidden = sshOnce(fixture, {
      node: 'node-3',
      command: 'env -i setsid /bin/sleep 60 & echo "$! $$" >hidden; exec env -i /bin/sleep 60',
    });
    // The job has said what it has to say: there may be four processes before that.
    const isAtWork = () => readFileSync(join(directory, 'boot/kernel'), 'utf8').startsWith('6.1.0-41');
    await until(() => isAtWork() && existsSync(join(directory, 'hidden')) && processesOf(directory).length >= 4);
    const pids = (await readFile(join(directory, 'hidden'), 'utf8')).trim().split(' ');
    const processes = [...processesOf(directory), ...pids];

    expect(ok(await host.reboot({ expectedBootId: before }, signal))).toEqual({ requested: true, bootId: before });
    const proof = await proveBoot({ host, recordedBootId: before, clock, deadlineMs: 10_000 }, signal);
    expect(proof).toEqual({ kind: 'proved', bootId: fixture.machine('node-3').bootId });
    expect(fixture.machine('node-3').bootId).not.toBe(before);
    expect(fixture.machine('node-3').told).toEqual(['down', 'boot 6.1.0-41-amd64']);
    expect((await hidden).exitCode).toBeUndefined();
    await until(() => processes.every((pid) => !existsSync(`/proc/${String(pid)}`)));
    expect(ok(await host.readJob(job, 0, signal))).toMatchObject({
      state: 'vanished',
      startedBootId: before,
      output: 'at work\n',
    });
    expect(ok(await host.startJob(job, signal))).toEqual({ started: false });
    expect(ok(await host.inspect(signal)).kernel).toBe('6.1.0-41-amd64');
    expect(ok(await host.reboot({ expectedBootId: before }, signal))).toMatchObject({ requested: false });
  });

  test('reboots at once when a script does it by itself', async () => {
    const host = await fixture.port('node-4');
    const bootIdBefore = ok(await host.bootId(signal));
    const job = jobOf('node-4', 'systemctl reboot; sleep 60');
    const end = await runJob({ ...follow, host, job, bootIdBefore }, signal);
    expect(end).toMatchObject({ kind: 'vanished', rebootedDuringJob: { before: bootIdBefore } });
    expect(fixture.machine('node-4').told).toEqual(['down', 'boot 6.1.0-40-amd64']);
  });

  test('that loses its power stays down until it is switched on', async () => {
    const host = await fixture.port('node-5');
    const before = ok(await host.bootId(signal));
    fixture.node('node-5').powerCut();
    fixture.node('node-5').reboot();
    expect(fixture.node('node-5').isUp).toBe(false);
    expect(await host.bootId(signal)).toMatchObject({ kind: 'unreachable', message: containing('refused') });
    fixture.node('node-5').powerOn();
    await until(() => fixture.machine('node-5').isUp);
    expect(ok(await host.bootId(signal))).not.toBe(before);
    expect(await sshOnce(fixture, { node: 'node-5', command: 'sudo -n shutdown -h now; sleep 60' })).toMatchObject({
      exitCode: undefined,
    });
    await until(() => !fixture.machine('node-5').isUp);
    fixture.node('node-5').powerOn();
    fixture.node('node-5').powerOn();
    await until(() => fixture.machine('node-5').isUp);
    expect(fixture.machine('node-5').told.map((text) => text.split(' ')[0])).toEqual(['down', 'boot', 'down', 'boot']);
  });

  test('can come back without having booted, or not at all', async () => {
    const node = fixture.node('node-6');
    const host = await fixture.port('node-6');
    const before = ok(await host.bootId(signal));
    node.nextBoot('same-boot-id');
    node.reboot();
    await until(() => node.isUp);
    expect(ok(await host.bootId(signal))).toBe(before);
    expect(fixture.machine('node-6')).toMatchObject({ isUp: true, bootId: before });

    node.nextBoot('never');
    node.reboot();
    const proof = proveBoot({ host, recordedBootId: before, clock, deadlineMs: 700 }, signal);
    expect(await proof).toMatchObject({ kind: 'no-contact', failure: { kind: 'unreachable' } });
    node.powerOn();
    await until(() => node.isUp);
    expect(ok(await host.bootId(signal))).not.toBe(before);
  });

  test('can hang, refuse connections and logins, and have a full disk', async () => {
    const node = fixture.node('node-7');
    const host = await fixture.port('node-7', { options: { callTimeoutMs: 300 } });
    const patient = await fixture.port('node-7');
    node.hang(true);
    expect(await host.bootId(signal)).toMatchObject({ kind: 'lost', message: containing('did not answer') });
    const late = patient.bootId(signal);
    const silent = sshOnce(fixture, { node: 'node-7', command: 'echo here' });
    await expect(Promise.race([late, silent, clock.sleep(200, signal)])).resolves.toBeUndefined();
    node.hang(false);
    expect(ok(await late)).toBe(node.bootId);
    expect(await silent).toEqual({ exitCode: 0, output: 'here\n' });

    node.refuseConnections(true);
    expect(await patient.bootId(signal)).toMatchObject({ kind: 'unreachable' });
    node.refuseConnections(false);
    node.loseLogin(true);
    await until(async () => (await patient.bootId(signal)).kind === 'login-refused');
    node.loseLogin(false);

    const diskFull = { kind: 'command-failed', message: containing('full') };
    node.fillDisk(true);
    expect(await patient.inspect(signal)).toMatchObject(diskFull);
    expect(await patient.startJob(jobOf('node-7', 'true'), signal)).toMatchObject({ kind: 'command-failed' });
    node.fillDisk(false);
    expect(ok(await patient.inspect(signal)).root).toBe(true);
    expect(fixture.machine('node-7').told).toEqual([]);
  });

  test('answers the ssh of an engineer, and keeps its programs from the machine that it stands on', async () => {
    const ask = (command: string) => sshOnce(fixture, { node: 'node-8', command });
    expect(
      await ask('pwd; id -un; id -u; sudo id -un; sudo -u root FOO=bar sh -c \'echo "$FOO $SUDO_USER"\'; exit 7'),
    ).toEqual({
      exitCode: 7,
      output: `${fixture.node('node-8').directory}\nmaintenance\n1000\nroot\nbar maintenance\n`,
    });
    expect(await ask('kill -9 $$')).toEqual({ exitCode: undefined, output: '' });
    expect(await ask('sudo apt-get upgrade')).toMatchObject({ exitCode: 1, output: containing('not in the sandbox') });
    expect(await ask('env')).toMatchObject({ output: expect.not.stringContaining('VITEST') as string });
    const typed = await sshOnce(fixture, { node: 'node-8', typed: 'tty; hostname; exit 5\r' });
    expect(typed).toEqual({ exitCode: 5, output: matching(/\/dev\/pts\/\d+\r\nnode-8\r\n/) });
  });
});

describe('a set of hosts', () => {
  const opened: HostsFixture[] = [];
  const open = async (change: Parameters<typeof openFixture>[0] = {}) => {
    const fixture = await openFixture(change);
    opened.push(fixture);
    return fixture;
  };
  afterEach(async () => {
    for (const fixture of opened.splice(0)) await fixture.close();
  });

  test('closed in the middle of a job, a boot and a hang leaves no process, no file and no timer', async () => {
    const fixture = await open({ nodes: 3, bootMs: 60_000 });
    const host = await fixture.port('node-1');
    ok(
      await host.startJob(jobOf('node-1', 'trap "" TERM HUP; setsid sleep 60 & while :; do sleep 0.01; done'), signal),
    );
    fixture.node('node-2').reboot();
    fixture.node('node-3').hang(true);
    let isAsked = false;
    const unanswered = sshOnce(fixture, { node: 'node-3', command: 'echo here', onOpen: () => (isAsked = true) });
    const directory = fixture.node('node-1').directory;
    await until(() => isAsked && processesOf(directory).length >= 5);
    expect(fixture.timeline.pending).toBe(1);

    await Promise.all([fixture.set.close(), fixture.set.close()]);
    await fixture.set.close();
    expect(processesOf(directory)).toEqual([]);
    expect(fixture.timeline.pending).toBe(0);
    expect((await unanswered).output).toBe('');
    expect(await host.bootId(signal)).toMatchObject({ kind: 'unreachable' });
    fixture.node('node-1').reboot();
    fixture.node('node-2').powerOn();
    fixture.node('node-3').hang(false);
    expect(fixture.machine('node-1').told).toEqual([]);
    expect(fixture.timeline.pending).toBe(0);
  });

  test('stands beside another one, at a port of its own; a named port that is taken is said', async () => {
    const [first, second] = [await open(), await open()];
    expect(second.set.port).not.toBe(first.set.port);
    const hosts = [await first.port('node-1'), await second.port('node-1')];
    expect((await Promise.all(hosts.map((host) => host.bootId(signal)))).map(ok)).toEqual([
      first.machine('node-1').bootId,
      second.machine('node-1').bootId,
    ]);
    await expect(openFixture({ port: first.set.port })).rejects.toMatchObject({
      code: 'sandbox-port-taken',
      message: containing(`127.77.0.1 port ${String(first.set.port)}`),
    });
    await first.close();
    expect(ok(await (await second.port('node-2')).bootId(signal))).toBe(second.machine('node-2').bootId);
  });

  test('whose named port is taken on one of its addresses gives back what it had opened', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.77.0.2', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    await expect(openFixture({ port })).rejects.toMatchObject({ code: 'sandbox-port-taken' });
    const again = await open({ nodes: 1, port });
    expect(again.set.port).toBe(port);
    await new Promise((resolve) => taken.close(resolve));
  });

  test('looks for another port where the first that was free is taken on the next address', async () => {
    const free = [4001, 4002];
    const done: string[] = [];
    const listener = (address: string, taken: readonly number[]) => ({
      address,
      listen: (port: number) => {
        const bound = port === 0 ? (free.shift() ?? 0) : port;
        done.push(`${address} ${String(bound)}`);
        const inUse = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
        return taken.includes(bound) ? Promise.reject(inUse) : Promise.resolve(bound);
      },
      stopListening: () => done.push(`${address} shut`),
    });
    expect(await listenAtOnePort([listener('a', []), listener('b', [4001])], undefined)).toBe(4002);
    expect(done).toEqual(['a 4001', 'b 4001', 'a shut', 'b shut', 'a 4002', 'b 4002']);
    await expect(listenAtOnePort([listener('a', [0])], undefined)).rejects.toMatchObject({
      code: 'sandbox-port-taken',
    });
  });

  test('leaves a directory alone that is there already, and one that cannot be a host', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'turnus-hosts-'));
    await mkdir(join(directory, 'node-2'));
    await writeFile(join(directory, 'node-2/kept'), '');
    const openIn = (place: string, change: { clientKey?: string; path?: string } = {}) =>
      openHosts({
        directory: place,
        timeline: realTimeline(),
        nodes: ['node-1', 'node-2'].map((name, index) => ({ name, address: `127.77.0.${String(index + 1)}` })),
        machineOf: () => recordingMachine(),
        bootMs: 100,
        ...change,
      });
    await expect(openIn(directory)).rejects.toMatchObject({ code: 'sandbox-host-exists' });
    expect(existsSync(join(directory, 'node-1'))).toBe(false);
    expect(existsSync(join(directory, 'node-2/kept'))).toBe(true);
    for (const unfit of ["/tmp/it's", '/tmp/a:b', 'relative'])
      await expect(openIn(unfit)).rejects.toMatchObject({ code: 'sandbox-directory-unfit' });
    await expect(openIn(directory, { clientKey: 'no key' })).rejects.toMatchObject({ code: 'sandbox-key-unreadable' });
    await rm(directory, { recursive: true });
  });
});
