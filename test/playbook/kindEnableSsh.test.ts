import { readFile, stat, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseKnownHosts, verifyHostKey } from '../../src/host/knownHosts.js';
import { KindMachine } from './kindMachine.js';
import { isInstalled, projectPath } from './shippedFiles.js';

let machine: KindMachine;

beforeEach(async () => {
  machine = await KindMachine.start();
});

afterEach(async () => {
  await machine.stop();
});

const keyOf = (publicKey: string) => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');

/** What Turnus thinks of this key at this address, with the known_hosts that the script wrote. */
async function verdictOf(address: string, publicKey: string): Promise<string> {
  const file = parseKnownHosts((await machine.readOutput('known_hosts')) ?? '', 'known_hosts');
  expect(file.problems).toEqual([]);
  const host = { names: [address, 'turnus-worker'], port: 22 };
  return verifyHostKey({ files: [file], host, key: keyOf(publicKey) }).kind;
}

async function addTwoWorkers() {
  return [
    await machine.addWorker('turnus-worker', ['172.18.0.3', 'fc00:f853:ccd:e793::3']),
    await machine.addWorker('turnus-worker2', ['172.18.0.4']),
  ] as const;
}

describe.skipIf(!isInstalled('ssh-keygen'))('playbooks/kind/enable-ssh.sh', () => {
  it('runs set-up-node.sh with the public key in every worker', async () => {
    await addTwoWorkers();
    const { exitCode, output, calls } = await machine.enableSsh();

    expect(exitCode, output).toBe(0);
    const program = await readFile(projectPath('playbooks/kind/set-up-node.sh'), 'utf8');
    const key = (await machine.readOutput('id_ed25519.pub'))?.trim().split(' ').slice(0, 2).join(' ') ?? 'no key';
    for (const node of ['turnus-worker', 'turnus-worker2']) {
      const setUp = await machine.setUpOf(node);
      expect(setUp.program).toBe(program);
      expect(setUp.key.startsWith(key)).toBe(true);
      expect(calls.find((call) => call.startsWith(`docker [exec] [-i] [${node}]`))).toMatch(
        /\[\/bin\/sh\] \[-s\] \[--\] \[ssh-ed25519 /,
      );
    }
    expect(calls[0]).toMatch(
      /^kubectl \[--context\] \[kind-turnus\] \[get\] \[nodes\] \[--selector\] \[!node-role\.kubernetes\.io\/control-plane\]/,
    );
    expect((await stat(join(machine.output, 'id_ed25519'))).mode & 0o077).toBe(0);
  });

  it('writes host keys that were read inside the nodes, in a form that Turnus trusts', async () => {
    const [first, second] = await addTwoWorkers();
    const { calls } = await machine.enableSsh();

    expect(await verdictOf('172.18.0.3', first.hostKey)).toBe('known');
    expect(await verdictOf('172.18.0.4', second.hostKey)).toBe('known');
    expect(await verdictOf('172.18.0.3', second.hostKey)).toBe('mismatch');
    expect(await verdictOf('172.18.0.9', first.hostKey)).toBe('unknown');
    expect(calls).toContain('docker [exec] [turnus-worker] [cat] [/etc/ssh/ssh_host_ed25519_key.pub]');
    expect(calls.filter((call) => call.startsWith('ssh-keyscan'))).toEqual([]);
  });

  it('logs in as Turnus will, verifying the host key, and compares the boot id with the one of the node', async () => {
    await addTwoWorkers();
    const { calls, output } = await machine.enableSsh();

    const logins = calls.filter((call) => call.startsWith('ssh '));
    expect(logins).toHaveLength(2);
    for (const login of logins) {
      expect(login).toContain('[StrictHostKeyChecking=yes]');
      expect(login).toContain(`[UserKnownHostsFile=${machine.output}/known_hosts]`);
      expect(login).toContain('[sudo -n cat /proc/sys/kernel/random/boot_id]');
    }
    expect(output).toContain('turnus-worker2 (172.18.0.4): logged in, same boot id as the node reports');
    expect(output).toContain(`ssh-add -t 8h ${machine.output}/id_ed25519`);
  });

  it('may be repeated: the key stays, and nodes that were created anew get their new host keys', async () => {
    const [first, second] = await addTwoWorkers();
    await machine.enableSsh();
    const key = await machine.readOutput('id_ed25519');
    const again = await machine.addWorker('turnus-worker', ['172.18.0.3']);
    const { exitCode, output } = await machine.enableSsh();

    expect(exitCode, output).toBe(0);
    expect(await machine.readOutput('id_ed25519')).toBe(key);
    expect(await verdictOf('172.18.0.3', again.hostKey)).toBe('known');
    expect(await verdictOf('172.18.0.3', first.hostKey)).toBe('mismatch');
    expect(await verdictOf('172.18.0.4', second.hostKey)).toBe('known');
  });

  it('ends with 3 and says why where the nodes cannot be reached, with everything in its place', async () => {
    const [first] = await addTwoWorkers();
    await machine.play('ssh', 'echo "ssh: connect to host: Operation timed out" >&2; exit 255');
    const { exitCode, output } = await machine.enableSsh();

    expect(exitCode).toBe(3);
    expect(output).toContain('not reachable from here: turnus-worker turnus-worker2');
    expect(output).toContain('Docker Desktop');
    expect(await verdictOf('172.18.0.3', first.hostKey)).toBe('known');
  });

  it('fails where another machine answers at the address', async () => {
    await addTwoWorkers();
    await machine.play('ssh', 'echo 00000000-0000-4000-8000-000000000000; exit 0');
    const { exitCode, output } = await machine.enableSsh();

    expect(exitCode).toBe(1);
    expect(output).toContain('it is another machine');
  });

  it.each([
    ['that belongs to another kind cluster', '[ "$1" != inspect ] || { echo other; exit 0; }'],
    ['that the engine does not know', '[ "$1" != inspect ] || { echo "no such object" >&2; exit 1; }'],
  ])('touches no container %s', async (_, docker) => {
    await addTwoWorkers();
    await machine.play('docker', docker);
    const { exitCode, output, calls } = await machine.enableSsh();

    expect(exitCode).toBe(1);
    expect(output).toContain('knows no container turnus-worker of the kind cluster turnus');
    expect(calls.filter((call) => call.startsWith('docker [exec]'))).toEqual([]);
  });

  it.each([
    [
      'the set-up of a node fails',
      '[ "$2" != -i ] || { cat >/dev/null; echo "E: no network" >&2; exit 100; }',
      'E: no network',
    ],
    ['a host key cannot be read', '[ "$3" != cat ] || exit 1', 'the host key of turnus-worker cannot be read'],
    ['a host key is of another kind', '[ "$3" != cat ] || { echo "ssh-rsa AAAA root@x"; exit 0; }', 'cannot be read'],
  ])('leaves the former known_hosts as it is where %s', async (_, docker, message) => {
    await addTwoWorkers();
    await mkdir(machine.output);
    await writeFile(join(machine.output, 'known_hosts'), 'before\n');
    await machine.play('docker', docker);
    const { exitCode, output } = await machine.enableSsh();

    expect(exitCode).toBe(1);
    expect(output).toContain(message);
    expect(await machine.readOutput('known_hosts')).toBe('before\n');
    expect(await machine.readOutput('known_hosts.new')).toBeUndefined();
  });

  it('says so where there is no such cluster, or one without workers', async () => {
    const empty = await machine.enableSsh();
    expect(empty.exitCode).toBe(1);
    expect(empty.output).toContain('the cluster turnus has no workers');

    await machine.play('kubectl', 'echo "error: context was not found" >&2; exit 1');
    const none = await machine.enableSsh(['--name', 'other']);
    expect(none.exitCode).toBe(1);
    expect(none.output).toContain('the nodes of context kind-other cannot be listed');
  });

  it('uses the engine that kind is told to use', async () => {
    await addTwoWorkers();
    await machine.play('podman');
    const { exitCode, output, calls } = await machine.enableSsh([], { KIND_EXPERIMENTAL_PROVIDER: 'podman' });

    expect(exitCode, output).toBe(0);
    expect(calls.filter((call) => call.startsWith('docker'))).toEqual([]);
    expect(calls.filter((call) => call.startsWith('podman [exec] [-i]'))).toHaveLength(2);
  });

  it('names a program that is missing', async () => {
    const { exitCode, output } = await machine.enableSsh([], { KIND_EXPERIMENTAL_PROVIDER: 'no-such-engine' });
    expect(exitCode).toBe(1);
    expect(output).toContain('the program no-such-engine is missing');
  });

  it.each([[['--name']], [['--name', '']], [['--nonsense', 'x']]])('refuses the arguments %j', async (args) => {
    const { exitCode, output, calls } = await machine.enableSsh(args);
    expect(exitCode).toBe(2);
    expect(output).toContain('usage: ');
    expect(calls).toEqual([]);
  });
});
