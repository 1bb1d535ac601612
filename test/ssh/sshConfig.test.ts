import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SshPolicy } from '../../src/playbook/playbook.js';
import { containing, matching } from '../host/matchers.js';
import { createKey, type ShellHost } from './shellHost.js';
import { createSshFixture, type PortChange, type SshFixture } from './sshFixture.js';

const signal = new AbortController().signal;
let fixture: SshFixture;
let machine: ShellHost;
let jump: ShellHost;
let identity: string;

beforeAll(async () => {
  fixture = await createSshFixture();
  machine = await fixture.start({ user: 'ops' });
  jump = await fixture.start({ user: 'jumper' });
  identity = await fixture.file('configured', fixture.clientKey.private);
});
afterAll(async () => {
  await fixture.close();
});

let files = 0;
async function configured(lines: readonly string[], change: PortChange = {}) {
  const config = await fixture.file(`config_${String((files += 1))}`, `${lines.join('\n')}\n`);
  const policy: Partial<SshPolicy> = {
    user: undefined,
    port: undefined,
    identity: undefined,
    config,
    ...change.policy,
  };
  const knownHosts = `${machine.knownHostsLine()}\n${jump.knownHostsLine()}`;
  const ports = await fixture.ports(machine, { knownHosts, ...change, policy });
  const host = (name: string) => ports.hostOf({ name, address: '127.0.0.2' });
  return { config, host };
}
const worker = () => [
  'Host worker-*',
  '  HostName 127.0.0.1',
  `  Port ${String(machine.port)}`,
  '  User ops',
  `  IdentityFile ${identity}`,
];

describe('an ssh_config file', () => {
  test('says address, port, user and key for the name of the node', async () => {
    const { host } = await configured(['ForwardAgent yes', ...worker()]);
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
  });

  test('sends through its ProxyJump, whose name it is asked for too', async () => {
    const before = jump.logins();
    const { host } = await configured([
      ...worker(),
      '  ProxyJump way-in',
      'Host way-in',
      '  HostName 127.0.0.1',
      `  Port ${String(jump.port)}`,
      '  User jumper',
      `  IdentityFile ${identity}`,
    ]);
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(jump.logins()).toBe(before + 1);
  });

  test('may make the user root, who needs no sudo', async () => {
    const root = await fixture.start();
    await root.install('sudo', '#!/bin/sh\nexit 1\n');
    const lines = ['HostName 127.0.0.1', `Port ${String(root.port)}`, 'User root', `IdentityFile ${identity}`];
    const { host } = await configured(lines, { knownHosts: root.knownHostsLine(), options: { layout: root.layout } });
    expect(await host('worker-1').inspect(signal)).toMatchObject({ kind: 'ok' });
  });

  test('gives way to what the playbook says', async () => {
    const wrong = worker().map((line) => line.replace(String(machine.port), '1').replace('ops', 'stranger'));
    const { host } = await configured(wrong, { policy: { user: 'ops', port: machine.port } });
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
  });

  test('refuses the hosts that a line applies to which cannot be followed, before anything is sent, and no others', async () => {
    const before = [machine.logins(), machine.connections()];
    const { config, host } = await configured(['Host worker-2', '  ProxyCommand nc %h %p', ...worker()]);
    expect(await host('worker-2').bootId(signal)).toEqual({
      kind: 'config-refused',
      message: `Nothing was sent to worker-2: ${config}:2 has ProxyCommand "nc %h %p", which Turnus does not follow: use ProxyJump, or spec.host.ssh.bastion in the playbook.`,
    });
    expect([machine.logins(), machine.connections()]).toEqual(before);
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
  });

  test('names keys of which none can be used: the first is named with its line, and looked for again', async () => {
    const later = `${identity}_later`;
    const lines = worker().map((line) => line.replace(identity, later));
    const { config, host } = await configured(lines);
    expect(await host('worker-1').bootId(signal)).toMatchObject({
      kind: 'config-refused',
      message: `Nothing was sent to worker-1: The private key ${later} is not there. Correct IdentityFile in ${config}:5, or put the key there.`,
    });
    await fixture.file('configured_later', fixture.clientKey.private);
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
  });

  test('names several keys, and the host takes the one that it knows', async () => {
    const stranger = await fixture.file('stranger', createKey().private);
    const { host } = await configured(['Host *', `IdentityFile ${stranger}`, ...worker()]);
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
  });

  test('may name a key whose passphrase the playbook has', async () => {
    const key = createKey('ed25519', 'open sesame');
    const locked = await fixture.start({ clientKey: key });
    const path = await fixture.file('locked', key.private);
    const identityPassphrase = await fixture.file('passphrase', 'open sesame\n');
    const lines = ['Host *', 'HostName 127.0.0.1', `Port ${String(locked.port)}`, 'User root', `IdentityFile ${path}`];
    const change = { knownHosts: locked.knownHostsLine(), options: { layout: locked.layout } };
    const open = await configured(lines, { ...change, policy: { identityPassphrase } });
    expect(await open.host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
    const without = await configured(lines, change);
    expect(await without.host('worker-1').bootId(signal)).toMatchObject({
      kind: 'config-refused',
      message: containing(`The private key ${path} has a passphrase`),
    });
  });

  test('takes a host key that is known under the name of the node', async () => {
    const knownHosts = `[worker-1]:${String(machine.port)} ${machine.hostKey.public}`;
    const { host } = await configured(worker(), { knownHosts });
    expect(await host('worker-1').bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(await host('worker-2').bootId(signal)).toMatchObject({
      kind: 'host-key-unknown',
      message: matching(/^worker-2 \(127\.0\.0\.1 port \d+\) shows the host key/),
    });
  });
});

describe('an ssh_config file that cannot be used', () => {
  const made = (policy: Partial<SshPolicy>, options: PortChange['options'] = {}) =>
    fixture.ports(machine, { policy, options });

  test('is named where it is missing', async () => {
    await expect(made({ config: '/nowhere/config' })).rejects.toMatchObject({
      code: 'ssh-config-missing',
      message: 'The ssh_config file /nowhere/config is not there',
    });
  });

  test('is refused where others may change it, and accepted where they may read it', async () => {
    const config = await fixture.file('shared', '');
    const accessTo = (mode: number) => ({ accessTo: () => Promise.resolve({ mode, isOwn: false }) });
    for (const mode of [0o660, 0o602]) {
      await expect(made({ config }, accessTo(mode))).rejects.toMatchObject({ code: 'ssh-config-writable' });
    }
    await expect(made({ config }, accessTo(0o644))).resolves.toBeDefined();
  });

  test('is refused where it is larger than any', async () => {
    const config = await fixture.file('large', '#'.repeat(1024 * 1024 + 1));
    await expect(made({ config })).rejects.toMatchObject({ code: 'ssh-config-too-large' });
  });
});
