import { randomUUID } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runJob } from '../../src/host/followJob.js';
import type { HostPort, HostPorts, JobRequest } from '../../src/host/hostPort.js';
import { proveBoot } from '../../src/host/proveBoot.js';
import type { SshPolicy } from '../../src/playbook/playbook.js';
import { createSshHosts } from '../../src/ssh/sshHosts.js';
import { systemClock } from '../../src/systemClock.js';
import { reserveAddresses, sshPort, type ClusterAddresses } from './addresses.js';
import { Host, maintenanceUserName } from './hosts/host.js';
import { createKeyPair, knownHostsLine, type KeyPair } from './hosts/keys.js';
import type { NodePower } from './hosts/nodePower.js';
import { runCommand, runCommandOk } from './runCommand.js';
import { waitFor } from './waitFor.js';
import { createWorkDirectory, type WorkDirectory } from './workDirectory.js';
import { containing } from '../host/matchers.js';

const signal = new AbortController().signal;
const done = () => Promise.resolve();
/** No node hangs on these hosts. */
const noPower: NodePower = { lose: done, release: done, restartPods: done };

let work: WorkDirectory;
let addresses: ClusterAddresses;
let clientKey: KeyPair;
let one: Host;
let two: Host;
let opened: HostPorts[] = [];

beforeAll(async () => {
  work = await createWorkDirectory();
  addresses = await reserveAddresses();
  clientKey = await createKeyPair(join(work.path, 'id_ed25519'), 'test');
  await chmod(work.path, 0o700);
  [one, two] = await Promise.all([startHost('node-1', 1), startHost('node-2', 2)]);
});
afterEach(() => {
  for (const hosts of opened) hosts.close();
  opened = [];
});
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await addresses.release();
  await work.remove();
});

async function startHost(node: string, number: number): Promise<Host> {
  const directory = join(work.path, node);
  return await Host.start({
    node,
    address: addresses.node(number),
    bootId: randomUUID(),
    directory,
    clientKey,
    power: noPower,
    bootDelayMs: 500,
  });
}

async function port(
  host: Host,
  change: Partial<SshPolicy> & { knownHostsText?: string; agentSocket?: string } = {},
): Promise<HostPort> {
  const { knownHostsText = [one, two].map((each) => each.knownHostsLine).join('\n'), agentSocket, ...policy } = change;
  const knownHosts = join(work.path, `known_hosts-${randomUUID()}`);
  await writeFile(knownHosts, `${knownHostsText}\n`);
  const hosts = await createSshHosts({
    policy: {
      user: maintenanceUserName,
      port: sshPort,
      address: 'InternalIP',
      knownHosts: [knownHosts],
      fingerprints: {},
      identity: agentSocket === undefined ? clientKey.privatePath : undefined,
      identityPassphrase: undefined,
      config: undefined,
      bastion: undefined,
      restricted: false,
      sudo: true,
      ...policy,
    },
    readFile: (path) => readFile(path, 'utf8'),
    accessTo: () => Promise.resolve({ mode: 0o600, isOwn: true }),
    homeDirectory: work.path,
    agentSocket,
    clock: systemClock,
  });
  opened.push(hosts);
  return hosts.hostOf({ name: host.node, address: host.address });
}

function jobOf(script: string, change: Partial<JobRequest> = {}): JobRequest {
  const key = { runUid: randomUUID(), node: 'node-1', stage: 'update', execution: 1 } as const;
  return { ...key, run: 'monthly-2026-11', script, scriptName: 'update.sh', timeoutMs: 60_000, ...change };
}

async function run(host: HostPort, job: JobRequest, onOutput?: (text: string) => void) {
  const follow = {
    host,
    job,
    clock: systemClock,
    deadlineMs: 60_000,
    bootIdBefore: one.bootId,
    fence: () => undefined,
  };
  return await runJob(onOutput === undefined ? follow : { ...follow, onOutput }, signal);
}

describe('a host behind a real sshd', () => {
  test('is inspected as the login user, through sudo', async () => {
    const host = await port(one);
    const fingerprint = (
      await runCommandOk('ssh-keygen', ['-l', '-f', join(work.path, 'node-1', 'host_key.pub')])
    ).stdout.split(' ')[1];
    expect(await host.inspect(signal)).toMatchObject({
      kind: 'ok',
      value: {
        bootId: one.bootId,
        user: maintenanceUserName,
        root: true,
        hostKeyFingerprint: fingerprint,
        systemd: false,
      },
    });
  });

  test('runs a job as root with its answers, on the disk that survives a reboot', async () => {
    const job = jobOf('id -un; printf "reboot=required\\nversion.kernel=6.1\\n" >"$TURNUS_RESULT"');
    expect(await run(await port(one), job)).toMatchObject({
      kind: 'exited',
      exitCode: 0,
      startedHere: true,
      output: { tail: 'root\n', isComplete: true },
      result: { reboot: 'required', versions: { kernel: '6.1' } },
    });
    expect(await one.readFile(`/var/lib/turnus/jobs/${job.runUid}/node-1.update.1/exit_code`)).toMatch(/^0 exited/);
  });

  test('goes on with a job when the connection breaks; the follower finds it again and it ran once', async () => {
    const job = jobOf(
      'echo x >>/srv/host/broken; echo before; until [ -e /srv/host/go-on ]; do sleep 0.1; done; echo after',
    );
    let seen = '';
    const end = run(await port(one), job, (text) => {
      seen += text;
    });
    await waitFor({ what: 'first output', probe: () => seen.includes('before') });
    one.dropConnections();
    await one.ssh('touch /srv/host/go-on');
    expect(await end).toMatchObject({ kind: 'exited', exitCode: 0, output: { tail: 'before\nafter\n' } });
    expect(seen).toBe('before\nafter\n');
    expect(await one.counter('broken')).toBe(1);
  });

  test('runs a job once although two actors start it at the same time', async () => {
    const job = jobOf('echo x >>/srv/host/twice; sleep 0.3');
    const ends = await Promise.all([run(await port(one), job), run(await port(one), job)]);
    expect(ends.map((end) => end.kind)).toEqual(['exited', 'exited']);
    expect(ends.filter((end) => end.kind === 'exited' && end.startedHere)).toHaveLength(1);
    expect(await one.counter('twice')).toBe(1);
  });

  test('gives a job a scope of its own under systemd, and runs it once also where that fails', async () => {
    await two.ssh('mkdir -p /run/systemd/system');
    const host = await port(two);
    // Nothing answers behind the directory: the machine's own systemd-run fails here.
    expect(await run(host, jobOf('echo x >>/srv/host/no-scope'))).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect(await two.counter('no-scope')).toBe(1);
    await two.ssh(
      `printf '#!/bin/sh\\necho "$*" >>/srv/host/scopes\\nwhile [ "$1" != -- ]; do shift; done\\nshift\\nexec "$@"\\n' >/usr/local/sbin/systemd-run; chmod +x /usr/local/sbin/systemd-run`,
    );
    expect(await run(host, jobOf('echo x >>/srv/host/scope'))).toMatchObject({ kind: 'exited', exitCode: 0 });
    await two.ssh('rm -rf /run/systemd /usr/local/sbin/systemd-run');
    expect(await two.counter('scope')).toBe(1);
    expect(await two.readFile('/srv/host/scopes')).toMatch(/^--quiet --scope --collect .*runner\n$/);
  });

  test('loses a job in a power cut: it has vanished, and is not run again', async () => {
    const job = jobOf('echo x >>/srv/host/cut; echo working; sleep 60');
    const bootIdBefore = one.bootId;
    const end = runJob(
      { host: await port(one), job, clock: systemClock, deadlineMs: 60_000, bootIdBefore, fence: () => undefined },
      signal,
    );
    // Its output goes to the disk through another process: what is on its way is lost with the power.
    const output = `/var/lib/turnus/jobs/${job.runUid}/node-1.update.1/output`;
    await waitFor({
      what: 'the first line of the script',
      probe: async () => (await one.readFile(output).catch(() => '')) === 'working\n',
    });
    expect(await one.counter('cut')).toBe(1);
    await one.powerCut();
    await one.powerOn();
    expect(await end).toMatchObject({
      kind: 'vanished',
      startedBootId: bootIdBefore,
      rebootedDuringJob: { before: bootIdBefore, after: one.bootId },
      output: { tail: 'working\n' },
    });
    expect(await run(await port(one), job)).toMatchObject({ kind: 'vanished', startedHere: false });
    expect(await one.counter('cut')).toBe(1);
  });

  test('reboots once and only in the boot that is expected, and proves the new boot', async () => {
    const host = await port(one);
    const before = one.bootId;
    expect(await host.reboot({ expectedBootId: randomUUID() }, signal)).toEqual({
      kind: 'ok',
      value: { requested: false, bootId: before },
    });
    expect(await host.reboot({ expectedBootId: before }, signal)).toEqual({
      kind: 'ok',
      value: { requested: true, bootId: before },
    });
    const waits: string[] = [];
    const proof = await proveBoot(
      { host, recordedBootId: before, clock: systemClock, deadlineMs: 30_000, onWaiting: (text) => waits.push(text) },
      signal,
    );
    expect(proof).toEqual({ kind: 'proved', bootId: one.bootId });
    expect(one.bootId).not.toBe(before);
    expect(waits[0]).toContain('still answers from the boot');
    expect((await host.reboot({ expectedBootId: before }, signal)).kind).toBe('ok');
    expect(one.bootIds.filter((bootId) => bootId === before)).toHaveLength(1);
  });

  test('says what is wrong when sudo wants a password, or is missing', async () => {
    const host = await port(two);
    await two.setSudo('password-required');
    expect(await host.inspect(signal)).toMatchObject({
      kind: 'sudo-refused',
      message: containing('NOPASSWD'),
    });
    await two.setSudo('missing');
    expect(await host.startJob(jobOf('true'), signal)).toMatchObject({ kind: 'sudo-refused' });
    await two.setSudo('works');
  });

  test('is reached through a bastion whose key is verified as well', async () => {
    const bastion = [{ host: two.address, port: sshPort, user: 'root' }];
    expect(await (await port(one, { bastion })).bootId(signal)).toEqual({ kind: 'ok', value: one.bootId });
    const withoutBastion = await port(one, { bastion, knownHostsText: one.knownHostsLine });
    const refused = await withoutBastion.bootId(signal);
    expect(refused).toMatchObject({ kind: 'host-key-unknown', message: containing(two.address) });
  });

  test('is not logged in to with a user or key that it does not accept', async () => {
    expect(await (await port(one, { user: 'nobody-here' })).inspect(signal)).toMatchObject({ kind: 'login-refused' });
    const other = await createKeyPair(join(work.path, `other-${randomUUID()}`), 'other');
    const refused = await (await port(one, { identity: other.privatePath })).inspect(signal);
    expect(refused).toMatchObject({ kind: 'login-refused', message: containing(other.privatePath) });
  });

  test('is logged in to with a key that an agent holds', async () => {
    const agentSocket = join(work.path, 'agent.sock');
    const started = await runCommandOk('ssh-agent', ['-s', '-a', agentSocket]);
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started.stdout)?.[1]);
    try {
      await runCommandOk('ssh-add', ['-q', clientKey.privatePath], {
        env: { ...process.env, SSH_AUTH_SOCK: agentSocket },
      });
      expect(await (await port(one, { agentSocket })).bootId(signal)).toMatchObject({ kind: 'ok' });
    } finally {
      process.kill(pid);
    }
  });

  test('is known by lines that ssh-keygen has hashed, and by no others', async () => {
    const path = join(work.path, `hashed-${randomUUID()}`);
    await writeFile(path, `${one.knownHostsLine}\n`);
    await runCommandOk('ssh-keygen', ['-H', '-f', path]);
    const hashed = await readFile(path, 'utf8');
    expect(hashed).toContain('|1|');
    expect(await (await port(one, { knownHostsText: hashed })).bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(await (await port(two, { knownHostsText: hashed })).bootId(signal)).toMatchObject({
      kind: 'host-key-unknown',
    });
  });

  test('is refused where OpenSSH refuses it, for every kind of line', async () => {
    const [, type = '', key = ''] = one.knownHostsLine.split(' ');
    const place = `[${one.address}]:${String(sshPort)}`;
    const foreign = knownHostsLine({
      address: one.address,
      port: sshPort,
      key: await createKeyPair(join(work.path, `k-${randomUUID()}`), 'x'),
    });
    const lines: Record<string, string> = {
      plain: one.knownHostsLine,
      'with a comment and tabs': `# a comment\n\n${place}\t${type}\t${key}\tcomment here`,
      list: `other.example,${place} ${type} ${key}`,
      wildcard: `[127.0.*]:* ${type} ${key}`,
      'question marks': `[${one.address.replace(/\d$/, '?')}]:2?0? ${type} ${key}`,
      'without port': `${one.address} ${type} ${key}`,
      'other port': `[${one.address}]:2299 ${type} ${key}`,
      negated: `[127.0.*]:*,!${place} ${type} ${key}`,
      'other host': `[127.9.9.9]:${String(sshPort)} ${type} ${key}`,
      mismatch: foreign,
      'mismatch and match': `${foreign}\n${one.knownHostsLine}`,
      revoked: `${one.knownHostsLine}\n@revoked * ${type} ${key}`,
      'certificate authority': `@cert-authority * ${type} ${key}`,
      damaged: `${place} ${type} AAAA${key.slice(8)}`,
      empty: '',
    };
    const answers: Record<string, [string, string]> = {};
    for (const [name, text] of Object.entries(lines)) {
      const path = join(work.path, `lines-${randomUUID()}`);
      await writeFile(path, `${text}\n`);
      const settings = [
        'BatchMode=yes',
        'StrictHostKeyChecking=yes',
        'IdentitiesOnly=yes',
        `UserKnownHostsFile=${path}`,
        'GlobalKnownHostsFile=none',
        'CheckHostIP=no',
      ];
      const openssh = await runCommand('ssh', [
        ...['-F', 'none', '-i', clientKey.privatePath, '-p', String(sshPort)],
        ...settings.flatMap((setting) => ['-o', setting]),
        `root@${one.address}`,
        'true',
      ]);
      const ours = await (await port(one, { knownHostsText: text, user: 'root' })).bootId(signal);
      answers[name] = [openssh.exitCode === 0 ? 'accepted' : 'refused', ours.kind === 'ok' ? 'accepted' : 'refused'];
    }
    for (const [name, [openssh, ours]] of Object.entries(answers))
      expect(`${name}: ${ours}`).toBe(`${name}: ${openssh}`);
  });
});
