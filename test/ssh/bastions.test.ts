import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/host/knownHosts.js';
import type { SshBastion } from '../../src/playbook/playbook.js';
import { containing, matching } from '../host/matchers.js';
import { parsedKey, type ShellHost } from './shellHost.js';
import { createSshFixture, type PortChange, type SshFixture } from './sshFixture.js';

const signal = new AbortController().signal;
let fixture: SshFixture;
let outer: ShellHost;
let inner: ShellHost;
let machine: ShellHost;

beforeAll(async () => {
  fixture = await createSshFixture();
  outer = await fixture.start({ user: 'jump' });
  inner = await fixture.start();
  machine = await fixture.start();
});
afterEach(() => {
  inner.hang(false);
});
afterAll(async () => {
  await fixture.close();
});

const at = (host: ShellHost, user?: string): SshBastion => ({ host: '127.0.0.1', port: host.port, user });
const lines = (...hosts: ShellHost[]) => hosts.map((host) => host.knownHostsLine()).join('\n');
const throughBoth = (change: PortChange = {}): PortChange => ({
  policy: { bastion: [at(outer, 'jump'), at(inner)] },
  knownHosts: lines(outer, inner, machine),
  ...change,
});

describe('several bastions', () => {
  test('are gone through in their order, each with its own user, and shared by all hosts', async () => {
    const ports = await fixture.ports(machine, throughBoth());
    const before = [outer.logins(), inner.logins(), machine.logins()] as const;
    const names = ['node-1', 'node-2', 'node-3'];
    const answers = await Promise.all(
      names.map(async (name) => await ports.hostOf({ name, address: '127.0.0.1' }).inspect(signal)),
    );
    expect(answers.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'ok']);
    expect([outer.logins(), inner.logins(), machine.logins()]).toEqual([before[0] + 1, before[1] + 1, before[2] + 3]);
    // What reaches the machine comes from the last bastion, and what reaches that from the first.
    inner.cutConnections();
    await expect.poll(() => machine.connections()).toBe(0);
    expect(outer.connections()).toBeGreaterThan(0);
    expect(await ports.hostOf({ name: 'node-1', address: '127.0.0.1' }).inspect(signal)).toMatchObject({ kind: 'ok' });
    ports.close();
    await expect.poll(() => outer.connections() + inner.connections() + machine.connections()).toBe(0);
  });

  test('are each verified, and the one whose key is not known is named', async () => {
    for (const [unknown, known] of [
      [outer, [inner, machine]],
      [inner, [outer, machine]],
      [machine, [outer, inner]],
    ] as const) {
      const before = unknown.logins();
      const answer = await (await fixture.port(machine, throughBoth({ knownHosts: lines(...known) }))).bootId(signal);
      expect(answer).toMatchObject({
        kind: 'host-key-unknown',
        line: unknown.knownHostsLine().trim(),
        message: containing(`127.0.0.1 port ${String(unknown.port)}`),
      });
      expect(unknown.logins()).toBe(before);
    }
  });

  test('may have their keys pinned by the name that they are written with', async () => {
    const fingerprint = (host: ShellHost) => fingerprintOf(parsedKey(host.hostKey).getPublicSSH());
    const answerWith = async (pinned: ShellHost) => {
      const fingerprints = { '127.0.0.1': fingerprint(pinned), 'node-1': fingerprint(machine) };
      const change = { policy: { bastion: [at(inner)], fingerprints }, knownHosts: '' };
      return await (await fixture.port(machine, change)).bootId(signal);
    };
    expect(await answerWith(inner)).toMatchObject({ kind: 'ok' });
    expect(await answerWith(outer)).toMatchObject({ kind: 'host-key-mismatch', message: containing('On the way to') });
  });

  test('may refuse the login, and the one that does is named, once', async () => {
    for (const [refusing, bastion] of [
      [outer, [at(outer, 'stranger'), at(inner)]],
      [inner, [at(outer, 'jump'), at(inner, 'stranger')]],
    ] as const) {
      const answer = await (await fixture.port(machine, throughBoth({ policy: { bastion } }))).bootId(signal);
      expect(answer).toMatchObject({
        kind: 'login-refused',
        message: containing(
          `On the way to node-1 (127.0.0.1 port ${String(machine.port)}): 127.0.0.1 port ${String(refusing.port)} refused the login of user stranger`,
        ),
      });
      expect(answer.kind === 'ok' ? '' : answer.message.split('On the way to')).toHaveLength(2);
    }
  });

  test('say who of them reaches nobody', async () => {
    const gone = await fixture.start();
    const knownHosts = lines(outer, inner, gone);
    const host = await fixture.port(gone, throughBoth({ knownHosts }));
    await gone.stop();
    expect(await host.bootId(signal)).toMatchObject({
      kind: 'unreachable',
      message: containing(`The bastion 127.0.0.1 port ${String(inner.port)} opened no way to node-1`),
    });
  });

  test('that hear nothing from beyond say so in the time that a connection may take', async () => {
    const host = await fixture.port(machine, throughBoth({ options: { timings: { connectTimeoutMs: 300 } } }));
    expect(await host.inspect(signal)).toMatchObject({ kind: 'ok' });
    host.disconnect();
    inner.hang(true);
    expect(await host.inspect(signal)).toMatchObject({
      kind: 'unreachable',
      message: matching(/The bastion .* opened no way to node-1 .*: nobody answered there within 0\.3 s\./),
    });
  });

  test('need no list where there is one, and none where the list is empty', async () => {
    const none = await fixture.port(machine, { policy: { bastion: [] } });
    const before = inner.logins();
    expect(await none.bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(inner.logins()).toBe(before);
    const one = await fixture.port(machine, { policy: { bastion: [at(inner)] }, knownHosts: lines(inner, machine) });
    expect(await one.bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(inner.logins()).toBe(before + 1);
  });
});
