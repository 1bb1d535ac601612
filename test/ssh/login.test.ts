import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../src/host/knownHosts.js';
import { systemClock } from '../../src/systemClock.js';
import { createKey, parsedKey, type ShellHost, type TestKey } from './shellHost.js';
import { createSshFixture, jobOf, type SshFixture } from './sshFixture.js';
import { containing, matching } from '../host/matchers.js';

let fixture: SshFixture;
let machine: ShellHost;
let other: ShellHost;
const signal = new AbortController().signal;

beforeAll(async () => {
  fixture = await createSshFixture();
  machine = await fixture.start();
  other = await fixture.start();
});
afterEach(() => {
  machine.hang(false);
  machine.refuseConnections(false);
});
afterAll(async () => {
  await fixture.close();
});

const fingerprint = (key: TestKey) => fingerprintOf(parsedKey(key).getPublicSSH());

describe('the host key', () => {
  test('that no line names is refused, with its fingerprint and the line to add', async () => {
    const answer = await (await fixture.port(machine, { knownHosts: '' })).bootId(signal);
    expect(answer).toMatchObject({
      kind: 'host-key-unknown',
      fingerprint: fingerprint(machine.hostKey),
      line: machine.knownHostsLine().trim(),
    });
    if (answer.kind === 'ok') return;
    expect(answer.message).toContain(
      `node-1 (127.0.0.1 port ${String(machine.port)}) shows the host key ssh-ed25519 SHA256:`,
    );
  });

  test('that has changed is named as such, with both keys, what to check and what to remove', async () => {
    const swapped = `[127.0.0.1]:${String(machine.port)} ${other.hostKey.public}`;
    const before = machine.logins();
    const port = await fixture.port(machine, { knownHosts: `# comment\n${swapped}` });
    const answer = await port.bootId(signal);
    expect(answer).toMatchObject({ kind: 'host-key-mismatch', fingerprint: fingerprint(machine.hostKey) });
    const message = answer.kind === 'ok' ? '' : answer.message;
    const [, path = ''] = /but (\S+known_hosts_\d+):2 expects/.exec(message) ?? [];
    expect(message).toBe(
      `node-1 (127.0.0.1 port ${String(machine.port)}) shows the host key ssh-ed25519 ${fingerprint(machine.hostKey)}, but ${path}:2 expects ssh-ed25519 ${fingerprint(other.hostKey)}: the key has changed as after a reinstallation, or another machine answers here. Ask whether the machine was reinstalled, and compare the new fingerprint with what ssh-keygen -lf on its /etc/ssh/ssh_host_*_key.pub prints on its console; only then take the old line out with: ssh-keygen -R '[127.0.0.1]:${String(machine.port)}' -f '${path}', and add the new key.`,
    );
    expect(machine.logins()).toBe(before);
  });

  test('that has changed behind a line for several hosts has no command that would take that out', async () => {
    const knownHosts = `[127.0.0.*]:${String(machine.port)} ${other.hostKey.public}`;
    const answer = await (await fixture.port(machine, { knownHosts })).bootId(signal);
    expect(answer).toMatchObject({
      kind: 'host-key-mismatch',
      message: containing('only then change that line by hand'),
    });
  });

  test('that only a certificate authority would vouch for is refused, with what to do instead', async () => {
    const knownHosts = `@cert-authority * ${other.hostKey.public}`;
    const answer = await (await fixture.port(machine, { knownHosts })).bootId(signal);
    expect(answer).toMatchObject({
      kind: 'host-key-unknown',
      message: matching(
        /known_hosts_\d+:1 trusts a certificate authority for this host, and host certificates are not supported: add a line for the key itself, or pin its fingerprint in host\.ssh\.fingerprints\.$/,
      ),
      line: machine.knownHostsLine().trim(),
    });
  });

  test('of another type than those that are known is refused, and reinstallation is thought of', async () => {
    const rsa = createKey('rsa');
    const knownHosts = `[127.0.0.1]:${String(machine.port)} ${rsa.public}`;
    expect(await (await fixture.port(machine, { knownHosts })).bootId(signal)).toMatchObject({
      kind: 'host-key-unknown',
      message: containing('(only ssh-rsa: was the machine reinstalled'),
    });
  });

  test('that is revoked is refused', async () => {
    const knownHosts = `${machine.knownHostsLine()}\n@revoked * ${machine.hostKey.public}`;
    expect(await (await fixture.port(machine, { knownHosts })).bootId(signal)).toMatchObject({
      kind: 'host-key-revoked',
    });
  });

  test('is accepted by its fingerprint in the playbook alone, and refused by another one', async () => {
    const pin = (key: TestKey) => ({ knownHosts: '', policy: { fingerprints: { 'node-1': fingerprint(key) } } });
    expect(await (await fixture.port(machine, pin(machine.hostKey))).bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(await (await fixture.port(machine, pin(other.hostKey))).bootId(signal)).toMatchObject({
      kind: 'host-key-mismatch',
      message: matching(
        /but host\.ssh\.fingerprints of the playbook expects SHA256:\S+: .* only then write the new fingerprint into host\.ssh\.fingerprints\.$/,
      ),
    });
  });

  test.each(['rsa', 'ecdsa', 'ed25519'] as const)(
    'of type %s is asked for where it is the one that is known',
    async (type) => {
      const keys = { rsa: createKey('rsa'), ecdsa: createKey('ecdsa'), ed25519: createKey() };
      const several = await fixture.start({ hostKeys: [keys.ed25519, keys.ecdsa, keys.rsa] });
      const knownHosts = `[127.0.0.1]:${String(several.port)} ${keys[type].public}`;
      const answer = await (await fixture.port(several, { knownHosts })).inspect(signal);
      expect(answer).toMatchObject({ kind: 'ok', value: { hostKeyFingerprint: fingerprint(keys[type]) } });
    },
  );

  test('of the bastion is verified as well, and of the host behind it', async () => {
    const policy = { bastion: [{ host: '127.0.0.1', port: other.port, user: 'root' }] };
    const both = `${machine.knownHostsLine()}\n${other.knownHostsLine()}`;
    const through = other.logins();
    expect(await (await fixture.port(machine, { policy, knownHosts: both })).inspect(signal)).toMatchObject({
      kind: 'ok',
      value: { hostKeyFingerprint: fingerprint(machine.hostKey) },
    });
    expect(other.logins()).toBe(through + 1);
    const hostOnly = await (await fixture.port(machine, { policy })).inspect(signal);
    expect(hostOnly).toMatchObject({
      kind: 'host-key-unknown',
      message: containing(`port ${String(other.port)}`),
    });
    const bastionOnly = await (
      await fixture.port(machine, { policy, knownHosts: other.knownHostsLine() })
    ).inspect(signal);
    expect(bastionOnly).toMatchObject({ kind: 'host-key-unknown', message: containing('node-1') });
  });
});

describe('the private key', () => {
  const missing = '/nowhere/id_ed25519';
  const code = async (policy: { identity: string | undefined }, agentSocket?: string) =>
    await fixture.ports(machine, { policy, options: { agentSocket } }).then(
      () => 'accepted',
      (error: unknown) => error,
    );

  test('that is missing is named, with what to do', async () => {
    expect(await code({ identity: missing })).toMatchObject({
      code: 'identity-missing',
      message: `The private key ${missing} is not there`,
      hint: containing('spec.host.ssh.identity'),
    });
  });

  test('with a passphrase needs an agent', async () => {
    const identity = await fixture.file('encrypted', createKey('ed25519', 'secret passphrase').private);
    expect(await code({ identity })).toMatchObject({
      code: 'identity-encrypted',
      hint: containing(`ssh-add ${identity}`),
    });
    expect(await code({ identity }, '/run/agent.sock')).toBe('accepted');
  });

  test('is not the public one, nor something else', async () => {
    expect(await code({ identity: await fixture.file('id.pub', fixture.clientKey.public) })).toMatchObject({
      code: 'identity-not-private',
      message: containing('is a public key'),
    });
    expect(await code({ identity: await fixture.file('text', 'hello') })).toMatchObject({
      code: 'identity-not-private',
    });
  });

  test('may be left out only where an agent is', async () => {
    expect(await code({ identity: undefined })).toMatchObject({ code: 'identity-none' });
  });

  test('that the host does not accept is named', async () => {
    const identity = await fixture.file('stranger', createKey().private);
    const answer = await (await fixture.port(machine, { policy: { identity } })).bootId(signal);
    expect(answer).toMatchObject({ kind: 'login-refused', message: containing(identity) });
    expect(await (await fixture.port(machine, { policy: { user: 'stranger' } })).bootId(signal)).toMatchObject({
      kind: 'login-refused',
    });
  });

  test('is not needed to hear that the agent is gone', async () => {
    const port = await fixture.port(machine, {
      policy: { identity: undefined },
      options: { agentSocket: '/nowhere/agent.sock' },
    });
    expect(await port.bootId(signal)).toMatchObject({
      kind: 'login-refused',
      message: containing('agent did not work'),
    });
  });
});

describe('known_hosts', () => {
  test('that is missing is named', async () => {
    const made = fixture.ports(machine, { policy: { knownHosts: ['/nowhere/known_hosts'] } });
    await expect(made).rejects.toMatchObject({
      code: 'known-hosts-missing',
      message: containing('/nowhere/known_hosts'),
    });
  });

  test('with a broken line is used, and the line is reported', async () => {
    const problems: string[] = [];
    const knownHosts = `broken\n${machine.knownHostsLine()}`;
    const port = await fixture.port(machine, { knownHosts, options: { onProblem: (text) => problems.push(text) } });
    expect(await port.bootId(signal)).toMatchObject({ kind: 'ok' });
    expect(problems).toEqual([matching(/known_hosts_\d+:1: a line needs/)]);
  });
});

describe('the connection', () => {
  test('is one for many calls, also at the same time, and a fresh one for the boot id', async () => {
    const port = await fixture.port(machine);
    const before = machine.logins();
    await Promise.all([port.inspect(signal), port.inspect(signal), port.check('true', signal)]);
    await port.inspect(signal);
    expect(machine.logins()).toBe(before + 1);
    await port.bootId(signal);
    expect(machine.logins()).toBe(before + 2);
    await port.inspect(signal);
    expect(machine.logins()).toBe(before + 2);
  });

  test('that was ended is made again at the next call', async () => {
    const port = await fixture.port(machine);
    await port.inspect(signal);
    port.disconnect();
    expect(await port.inspect(signal)).toMatchObject({ kind: 'ok' });
  });

  test('that nobody answers is unreachable', async () => {
    const gone = await fixture.start();
    const port = await fixture.port(gone);
    await gone.stop();
    expect(await port.bootId(signal)).toMatchObject({
      kind: 'unreachable',
      message: containing('refused the connection'),
    });
    machine.refuseConnections(true);
    expect(await (await fixture.port(machine)).bootId(signal)).toMatchObject({ kind: 'unreachable' });
  });

  test('to a server that never greets is unreachable in time', async () => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined);
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => {
        const address = silent.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const options = { timings: { connectTimeoutMs: 200 } };
    const host = await fixture.port(machine, { policy: { port }, options });
    expect(await host.bootId(signal)).toMatchObject({
      kind: 'unreachable',
      message: containing('did not answer in time'),
    });
    silent.close();
  });

  test('on which the host falls silent is lost after the time of a call, and made again', async () => {
    const port = await fixture.port(machine, { options: { callTimeoutMs: 200 } });
    await port.inspect(signal);
    machine.hang(true);
    expect(await port.startJob(jobOf('true'), signal)).toMatchObject({
      kind: 'lost',
      message: containing('did not answer within'),
    });
    machine.hang(false);
    const patient = await fixture.port(machine);
    expect(await patient.inspect(signal)).toMatchObject({ kind: 'ok' });
  });

  test('gives way at once when the work is stopped, while connecting and while a command runs', async () => {
    machine.hang(true);
    const running = await fixture.port(machine);
    for (const call of [running.inspect.bind(running), running.bootId.bind(running)]) {
      const stop = new AbortController();
      const answer = call(stop.signal);
      await systemClock.sleep(50, signal);
      stop.abort(new Error('stopped by a person'));
      await expect(answer).rejects.toThrow('stopped by a person');
    }
    const early = new AbortController();
    early.abort(new Error('never begun'));
    await expect(running.inspect(early.signal)).rejects.toThrow('never begun');
  });
});
