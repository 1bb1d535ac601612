import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HostPorts, JobRequest } from '../../src/host/hostPort.js';
import type { SshPolicy } from '../../src/playbook/playbook.js';
import { lookUpHost } from '../../src/ssh/sshConfigLookup.js';
import { parseSshConfig } from '../../src/ssh/sshConfigFile.js';
import { createSshHosts, type SshHostsOptions } from '../../src/ssh/sshHosts.js';
import { systemClock } from '../../src/systemClock.js';
import { containing } from '../host/matchers.js';
import { reserveAddresses, sshPort, type ClusterAddresses } from './addresses.js';
import { createKeyPair, knownHostsLine, type KeyPair } from './hosts/keys.js';
import { startSshd, type Sshd } from './hosts/sshd.js';
import { runCommand, runCommandOk } from './runCommand.js';
import { createWorkDirectory, type WorkDirectory } from './workDirectory.js';

const signal = new AbortController().signal;
let work: WorkDirectory;
let addresses: ClusterAddresses;
let clientKey: KeyPair;
const started: Sshd[] = [];
const opened: HostPorts[] = [];

beforeAll(async () => {
  work = await createWorkDirectory();
  await chmod(work.path, 0o700);
  addresses = await reserveAddresses();
  clientKey = await createKeyPair(join(work.path, 'id_ed25519'), 'test');
});
afterEach(async () => {
  for (const hosts of opened.splice(0)) hosts.close();
  await Promise.all(
    started.splice(0).map(async (sshd) => {
      await sshd.stop();
    }),
  );
});
afterAll(async () => {
  await addresses.release();
  await work.remove();
});

async function keyPair(name: string): Promise<KeyPair> {
  return await createKeyPair(join(work.path, `${name}-${randomUUID()}`), name);
}

/** An sshd on the Nth address that the client key, and others, may log in to. */
async function sshdAt(number: number, options: { hostKey: KeyPair; settings?: string[]; others?: string[] }) {
  const { hostKey, settings = [], others = [] } = options;
  const sshd = await startSshd({
    name: `sshd-${randomUUID()}`,
    address: addresses.node(number),
    directory: work.path,
    hostKey,
    authorizedKeys: [clientKey.publicKey, ...others],
    settings,
  });
  started.push(sshd);
  return sshd;
}

function lineOf(sshd: Sshd, key: KeyPair): string {
  return knownHostsLine({ address: sshd.address, port: sshPort, key });
}

async function textFile(name: string, text: string): Promise<string> {
  const path = join(work.path, `${name}-${randomUUID()}`);
  await writeFile(path, `${text}\n`, { mode: 0o600 });
  return path;
}

async function hostAt(
  sshd: Sshd,
  change: { policy?: Partial<SshPolicy>; knownHosts: string; options?: Partial<SshHostsOptions> },
) {
  const knownHosts = change.knownHosts.startsWith('/')
    ? change.knownHosts
    : await textFile('known_hosts', change.knownHosts);
  const baseDirectory = join(work.path, `jobs-${randomUUID()}`);
  const hosts = await createSshHosts({
    policy: {
      user: 'root',
      port: sshPort,
      address: 'InternalIP',
      knownHosts: [knownHosts],
      fingerprints: {},
      identity: clientKey.privatePath,
      identityPassphrase: undefined,
      config: undefined,
      bastion: undefined,
      restricted: false,
      sudo: true,
      ...change.policy,
    },
    readFile: (path) => readFile(path, 'utf8'),
    accessTo: () => Promise.resolve({ mode: 0o600, isOwn: true }),
    homeDirectory: work.path,
    agentSocket: undefined,
    clock: systemClock,
    layout: { baseDirectory, bootIdPath: '/proc/sys/kernel/random/boot_id' },
    ...change.options,
  });
  opened.push(hosts);
  return hosts.hostOf({ name: 'node-1', address: sshd.address });
}

describe('new session keys', () => {
  const settings = ['RekeyLimit 1M 1s'];
  const timings = { keepaliveIntervalMs: 200, keepaliveCount: 5 };

  test('are agreed on again and again while the output of a job is read, and none of it is lost', async () => {
    const hostKey = await keyPair('host');
    const sshd = await sshdAt(1, { hostKey, settings });
    const host = await hostAt(sshd, { knownHosts: lineOf(sshd, hostKey), options: { timings } });
    const job: JobRequest = {
      run: 'monthly-2026-11',
      runUid: randomUUID(),
      node: 'node-1',
      stage: 'update',
      execution: 1,
      scriptName: 'update.sh',
      script: '#!/bin/sh\nseq 1 400000\n',
      timeoutMs: 60_000,
    };
    expect(await host.startJob(job, signal)).toMatchObject({ kind: 'ok', value: { started: true } });
    const read: string[] = [];
    for (let nextByte = 0; ;) {
      const answer = await host.readJob(job, nextByte, signal);
      if (answer.kind !== 'ok' || answer.value.state === 'absent') throw new Error(JSON.stringify(answer));
      const { state, output } = answer.value;
      nextByte = answer.value.nextByte;
      read.push(output);
      if (state !== 'running' && output === '') break;
    }
    const expected = Array.from({ length: 400_000 }, (_, index) => `${String(index + 1)}\n`).join('');
    expect(read.join('') === expected, `${String(read.join('').length)} of ${String(expected.length)} bytes`).toBe(
      true,
    );
    const log = await sshd.log();
    expect(log.match(/set_newkeys: rekeying out/g)?.length ?? 0).toBeGreaterThan(3);
    expect(log.match(/Accepted publickey/g)).toHaveLength(1);
  });

  test('are agreed on while a command is silent, and it comes to its end on the one connection', async () => {
    const hostKey = await keyPair('host');
    const sshd = await sshdAt(1, { hostKey, settings });
    const host = await hostAt(sshd, { knownHosts: lineOf(sshd, hostKey), options: { timings } });
    const answer = await host.check('sleep 4; echo done', signal);
    expect(answer).toEqual({ kind: 'ok', value: { exitCode: 0, output: 'done\n' } });
    const log = await sshd.log();
    expect(log.match(/set_newkeys: rekeying out/g)?.length ?? 0).toBeGreaterThan(1);
    expect(log.match(/keepalive@openssh\.com/g)?.length ?? 0).toBeGreaterThan(5);
    expect(log.match(/Accepted publickey/g)).toHaveLength(1);
  });
});

describe('a host with a certificate', () => {
  test('is refused where only its authority is known, with a sentence, and accepted by its plain key', async () => {
    const [hostKey, authority] = await Promise.all([keyPair('host'), keyPair('authority')]);
    const address = addresses.node(1);
    await runCommandOk('ssh-keygen', [
      ...['-q', '-s', authority.privatePath, '-I', 'node-1', '-h', '-n', address],
      `${hostKey.privatePath}.pub`,
    ]);
    const sshd = await sshdAt(1, { hostKey, settings: [`HostCertificate ${hostKey.privatePath}-cert.pub`] });
    const trusts = `@cert-authority [${address}]:${String(sshPort)} ${authority.publicKey}`;
    const trusting = await textFile('trusting', trusts);
    const openSsh = await runCommand('ssh', [
      ...['-F', 'none', '-o', `UserKnownHostsFile=${trusting}`, '-o', 'GlobalKnownHostsFile=/dev/null'],
      ...['-o', 'BatchMode=yes', '-i', clientKey.privatePath, '-p', String(sshPort), `root@${address}`, 'echo in'],
    ]);
    expect(openSsh, 'the certificate is good').toMatchObject({ exitCode: 0, stdout: 'in\n' });

    expect(await (await hostAt(sshd, { knownHosts: trusting })).bootId(signal)).toMatchObject({
      kind: 'host-key-unknown',
      message: containing(
        `${trusting}:1 trusts a certificate authority for this host, and host certificates are not supported: add a line for the key itself, or pin its fingerprint`,
      ),
      line: lineOf(sshd, hostKey),
    });
    const both = `${trusts}\n${lineOf(sshd, hostKey)}`;
    expect(await (await hostAt(sshd, { knownHosts: both })).bootId(signal)).toMatchObject({ kind: 'ok' });
    const revoked = `@revoked * ${hostKey.publicKey}\n${both}`;
    expect(await (await hostAt(sshd, { knownHosts: revoked })).bootId(signal)).toMatchObject({
      kind: 'host-key-revoked',
    });
  });
});

describe('a host that was reinstalled', () => {
  test.each(['plain', 'hashed'])('is trusted again once the named command has taken its %s line out', async (form) => {
    const [oldKey, newKey] = await Promise.all([keyPair('old'), keyPair('new')]);
    const first = await sshdAt(1, { hostKey: oldKey });
    const knownHosts = await textFile("known hosts of 'ops'", `# ours\n${lineOf(first, oldKey)}`);
    if (form === 'hashed') await runCommandOk('ssh-keygen', ['-q', '-H', '-f', knownHosts]);
    expect(await (await hostAt(first, { knownHosts })).bootId(signal)).toMatchObject({ kind: 'ok' });
    await first.stop();
    const second = await sshdAt(1, { hostKey: newKey });
    const answer = await (await hostAt(second, { knownHosts })).bootId(signal);
    expect(answer).toMatchObject({ kind: 'host-key-mismatch' });
    const [, command = ''] = /only then take the old line out with: (ssh-keygen -R .*), and add the new key\.$/.exec(
      answer.kind === 'ok' ? '' : answer.message,
    ) ?? ['', ''];
    await runCommandOk('/bin/sh', ['-c', command]);
    expect(await readFile(knownHosts, 'utf8')).toBe('# ours\n');
    await writeFile(knownHosts, `${lineOf(second, newKey)}\n`);
    expect(await (await hostAt(second, { knownHosts })).bootId(signal)).toMatchObject({ kind: 'ok' });
  });
});

describe('a key that ssh-keygen has locked with a passphrase', () => {
  test.each([
    ['ed25519', []],
    ['ecdsa', []],
    ['rsa', ['-b', '3072']],
    ['rsa', ['-b', '3072', '-m', 'PEM']],
  ])('logs in once it is opened: %s %j', async (type, more) => {
    const identity = join(work.path, `locked-${randomUUID()}`);
    await runCommandOk('ssh-keygen', ['-q', '-t', type, ...more, '-N', 'open sesame', '-f', identity]);
    const hostKey = await keyPair('host');
    const sshd = await sshdAt(1, { hostKey, others: [(await readFile(`${identity}.pub`, 'utf8')).trim()] });
    const knownHosts = lineOf(sshd, hostKey);
    const policy = { identity, identityPassphrase: await textFile('passphrase', 'open sesame') };
    expect(await (await hostAt(sshd, { knownHosts, policy })).bootId(signal)).toMatchObject({ kind: 'ok' });
    const wrong = { identity, identityPassphrase: await textFile('passphrase', 'open barley') };
    await expect(hostAt(sshd, { knownHosts, policy: wrong })).rejects.toMatchObject({
      code: 'identity-passphrase-wrong',
    });
  });
});

test('several bastions lead to a host, and each is asked for the next alone', async () => {
  const keys = await Promise.all([keyPair('outer'), keyPair('inner'), keyPair('host')]);
  const sshds = await Promise.all(keys.map(async (hostKey, index) => await sshdAt(index + 1, { hostKey })));
  const [outer, inner, target] = sshds;
  if (outer === undefined || inner === undefined || target === undefined) throw new Error('three are started');
  const knownHosts = sshds.map((sshd, index) => lineOf(sshd, keys[index] ?? clientKey)).join('\n');
  const config = await textFile(
    'config',
    [
      'Host node-1',
      '  ProxyJump way-in,inner',
      'Host way-in',
      `  HostName ${outer.address}`,
      'Host inner',
      `  HostName ${inner.address}`,
      'Host *',
      '  User root',
      `  Port ${String(sshPort)}`,
      `  IdentityFile ${clientKey.privatePath}`,
    ].join('\n'),
  );
  const policy = { user: undefined, port: undefined, identity: undefined, config };
  expect(await (await hostAt(target, { knownHosts, policy })).bootId(signal)).toMatchObject({ kind: 'ok' });
  const forwards = (await Promise.all([outer.log(), inner.log(), target.log()])).map((log) =>
    [...log.matchAll(/server_request_direct_tcpip: .* target (\S+) port/g)].map(([, to]) => to),
  );
  expect(forwards).toEqual([[inner.address], [target.address], []]);
});

describe('an ssh_config file', () => {
  const name = fc.constantFrom('worker-1', 'worker-2', 'jump', 'other');
  const pattern = fc.oneof(name, fc.constantFrom('*', 'worker-*', 'worker-?', '*-1', 'j*', '??mp'));
  const patterns = fc.array(
    fc.tuple(fc.boolean(), pattern).map(([negated, each]) => `${negated ? '!' : ''}${each}`),
    { minLength: 1, maxLength: 3 },
  );
  const word = fc.constantFrom('a', 'b', '"a"', "'b'", 'a # b', '%h.example', '10.0.0.1');
  const setting = fc.oneof(
    fc.tuple(fc.constantFrom('HostName', 'hostname='), word).map((parts) => parts.join(' ')),
    fc
      .tuple(fc.constantFrom('User', 'USER ='), fc.constantFrom('ops', '"root"', "'me' # x"))
      .map((parts) => parts.join(' ')),
    fc.integer({ min: 1, max: 65_535 }).map((port) => `Port ${String(port)}`),
    fc
      .constantFrom('~/.ssh/a', '/keys/b', '"/keys/b #c"', String.raw`/keys/d\ e`)
      .map((path) => `IdentityFile ${path}`),
    fc
      .constantFrom('gate', 'ops@gate:2222', 'a,b:1,c@d', 'none', '[2001:db8::1]:22')
      .map((jump) => `ProxyJump ${jump}`),
    fc.constantFrom('ProxyCommand none', 'ForwardAgent yes', 'ServerAliveInterval 5', '# comment', ''),
  );
  const file = fc
    .array(
      fc.oneof(
        { weight: 1, arbitrary: patterns.map((each) => `Host ${each.join(' ')}`) },
        { weight: 4, arbitrary: setting },
      ),
      {
        maxLength: 14,
      },
    )
    .map((lines) => lines.join('\n'));

  test('says to Turnus what it says to ssh', async () => {
    await mkdir(join(work.path, 'config'), { recursive: true });
    await fc.assert(
      fc.asyncProperty(file, name, async (text, host) => {
        const answer = lookUpHost(parseSshConfig(text, 'config'), host, { identity: false, way: false });
        const path = join(work.path, 'config', 'one');
        await writeFile(path, `${text}\n`);
        const { stdout } = await runCommandOk('ssh', ['-G', '-F', path, host]);
        const said = (keyword: string) =>
          stdout
            .split('\n')
            .flatMap((line) => (line.startsWith(`${keyword} `) ? [line.slice(keyword.length + 1)] : []));
        if (answer.kind === 'refused') throw new Error(answer.message);
        const { hostName, user, port, identityFiles, jumps } = answer.config;
        expect(hostName?.value ?? host).toBe(said('hostname')[0]);
        if (user !== undefined) expect(user.value).toBe(said('user')[0]);
        expect(String(port?.value ?? 22)).toBe(said('port')[0]);
        if (identityFiles.length > 0) {
          const distinct = [...new Set(identityFiles.map(({ value }) => value))];
          expect(distinct).toEqual([...new Set(said('identityfile'))].map((each) => each.replace(homedir(), '~')));
        }
        const chain = jumps?.value.map(
          (jump) =>
            `${jump.user === undefined ? '' : `${jump.user}@`}${jump.host.includes(':') ? `[${jump.host}]` : jump.host}${jump.port === undefined ? '' : `:${String(jump.port)}`}`,
        );
        expect((chain ?? []).join(',')).toBe((said('proxyjump')[0] ?? '').replace(/^none$/, ''));
      }),
      { numRuns: 300 },
    );
  });
});
