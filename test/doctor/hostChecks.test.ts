import { describe, expect, it } from 'vitest';
import { judgeHost, type HostReading } from '../../src/doctor/hostChecks.js';
import { bytesText } from '../../src/doctor/hostFactChecks.js';
import type { HostAnswer, HostFacts, HostFailure } from '../../src/host/hostPort.js';
import type { HostPolicy } from '../../src/playbook/playbook.js';
import { node, takenAt } from '../drain/clusterFixtures.js';

const facts: HostFacts = {
  bootId: 'boot-of-node-1',
  user: 'maintenance',
  root: true,
  hostKeyFingerprint: 'SHA256:abc',
  systemd: true,
  kernel: '6.1',
  freeBytes: 20 * 2 ** 30,
  automaticReboot: false,
  clockMs: takenAt,
  missingPrograms: [],
  rebootCommand: 'systemctl reboot',
  jobsInMemory: false,
};

const policy: Pick<HostPolicy, 'ssh' | 'reboot'> = {
  ssh: {
    user: 'maintenance',
    port: 22,
    address: 'InternalIP',
    knownHosts: ['/etc/turnus/known_hosts'],
    fingerprints: {},
    identity: undefined,
    identityPassphrase: undefined,
    config: undefined,
    bastion: undefined,
    restricted: false,
    sudo: true,
  },
  reboot: { when: 'required', timeoutMs: 1_800_000 },
};

function judged(changes: Partial<HostReading> = {}, of: Partial<typeof policy> = {}) {
  const reading: HostReading = {
    node: node('node-1'),
    address: '10.0.0.1',
    answer: { kind: 'ok', value: facts },
    askedAtMs: takenAt,
    answeredAtMs: takenAt + 300,
    missingInterpreters: { kind: 'ok', value: [] },
    ...changes,
  };
  return judgeHost(reading, { ...policy, ...of });
}

/** `check state` of whatever is not ok. */
function notOk(checks: ReturnType<typeof judged>): string[] {
  return checks.filter(({ state }) => state !== 'ok').map(({ check, state }) => `${check} ${state}`);
}

const answered = (changes: Partial<HostFacts>): Partial<HostReading> => ({
  answer: { kind: 'ok', value: { ...facts, ...changes } },
});
const refused = (answer: HostFailure): Partial<HostReading> => ({ answer });

const way = ['address', 'reachable', 'host-key', 'login', 'sudo', 'usable'];
const afterwards = ['same-machine', 'disk', 'job-directory', 'programs', 'reboot-command', 'host-clock'];

describe('a host that is as it should be', () => {
  it('passes every check, each once and in the order in which they depend on each other', () => {
    const checks = judged();
    expect(notOk(checks)).toEqual([]);
    expect(checks.map(({ check }) => check).sort()).toEqual([...way, ...afterwards].sort());
    expect(checks.every(({ subject }) => subject.kind === 'host' && subject.node === 'node-1')).toBe(true);
    expect(checks[0]?.subject).toEqual({ kind: 'host', node: 'node-1', address: '10.0.0.1' });
  });
});

describe('the way into a host ends where it', () => {
  it.each<[string, HostFailure, string]>([
    ['does not answer', { kind: 'unreachable', message: 'refused the connection' }, 'reachable'],
    ['cannot be gone to as configured', { kind: 'config-refused', message: 'ProxyCommand' }, 'reachable'],
    ['breaks off', { kind: 'lost', message: 'broke' }, 'reachable'],
    ['shows an unknown key', { kind: 'host-key-unknown', message: 'key', fingerprint: 'SHA256:x' }, 'host-key'],
    ['shows another key', { kind: 'host-key-mismatch', message: 'key', fingerprint: 'SHA256:x' }, 'host-key'],
    ['shows a revoked key', { kind: 'host-key-revoked', message: 'key', fingerprint: 'SHA256:x' }, 'host-key'],
    ['refuses the login', { kind: 'login-refused', message: 'no' }, 'login'],
    ['refuses sudo', { kind: 'sudo-refused', message: 'no' }, 'sudo'],
    ['cannot run the program', { kind: 'command-failed', message: 'no' }, 'usable'],
  ])('%s: what comes before is ok, what comes after is not known', (_, failure, check) => {
    const checks = judged(refused(failure));
    const at = way.indexOf(check);
    expect(checks.map((one) => `${one.check} ${one.state}`)).toEqual([
      ...way.slice(0, at).map((step) => `${step} ok`),
      `${check} failed`,
      ...[...way.slice(at + 1), ...afterwards].map((step) => `${step} skipped`),
    ]);
    expect(checks[at]).toMatchObject({ hint: expect.stringMatching(/\S/) as string });
    expect(checks[at]?.message).toContain(failure.message);
  });

  it('has no address of the type that the playbook names', () => {
    const checks = judged({ address: undefined, answer: undefined });
    expect(checks[0]).toMatchObject({ subject: { kind: 'host', node: 'node-1' }, check: 'address', state: 'failed' });
    expect(checks[0]?.subject).not.toHaveProperty('address');
    expect(checks.slice(1).every(({ state }) => state === 'skipped')).toBe(true);
  });

  it('shows an unknown key, with the fingerprint to compare and the line to add', () => {
    const line = '10.0.0.1 ssh-ed25519 AAAA';
    const unknown = judged(refused({ kind: 'host-key-unknown', message: 'key', fingerprint: 'SHA256:x', line }));
    expect(unknown.find(({ check }) => check === 'host-key')).toMatchObject({
      fingerprint: 'SHA256:x',
      knownHostsLine: line,
      hint: expect.stringContaining('Compare SHA256:x on the machine itself') as string,
    });
    // Of a key that contradicts a known one there is no line to be added without thinking.
    const other = judged(refused({ kind: 'host-key-mismatch', message: 'key', fingerprint: 'SHA256:x' }));
    expect(other.find(({ check }) => check === 'host-key')).not.toHaveProperty('knownHostsLine');
  });
});

describe('a host that says itself what is in the way', () => {
  it.each<[Extract<HostFailure, { kind: 'command-failed' }>['about'], string]>([
    ['disk-full', 'disk'],
    ['disk-read-only', 'job-directory'],
    ['program-missing', 'programs'],
  ])('%s fails the check that it is about', (about = 'disk-full', check) => {
    const checks = judged(refused({ kind: 'command-failed', message: 'the disk', about }));
    expect(checks.filter(({ state }) => state === 'failed').map((one) => one.check)).toEqual([check]);
    expect(checks.find((one) => one.check === 'login')?.state).toBe('ok');
    // Only root is asked about the disk.
    expect(checks.find((one) => one.check === 'sudo')?.state).toBe(about === 'program-missing' ? 'skipped' : 'ok');
  });
});

describe('a host that answers', () => {
  const missing = (names: string[]): HostAnswer<readonly string[]> => ({ kind: 'ok', value: names });
  it.each<[string, Partial<HostReading>, string[]]>([
    ['from another boot', answered({ bootId: 'another' }), ['same-machine failed']],
    ['but not as root', answered({ root: false }), ['sudo failed', 'job-directory skipped']],
    [
      'from another boot and not as root',
      answered({ bootId: 'another', root: false }),
      ['sudo failed', 'same-machine failed', 'job-directory skipped'],
    ],
    ['with little disk', answered({ freeBytes: 99 * 2 ** 20 }), ['disk warning']],
    ['with just enough disk', answered({ freeBytes: 100 * 2 ** 20 }), []],
    ['with its jobs in memory', answered({ jobsInMemory: true }), ['job-directory failed']],
    ['without a program', answered({ missingPrograms: ['setsid'] }), ['programs failed']],
    ['without an interpreter', { missingInterpreters: missing(['/bin/bash']) }, ['programs failed']],
    [
      'and breaks off when it is asked for interpreters',
      { missingInterpreters: { kind: 'lost', message: 'broke' } },
      ['programs skipped'],
    ],
    ['where no interpreter was asked for', { missingInterpreters: undefined }, []],
    ['without a way to reboot', answered({ rebootCommand: '' }), ['reboot-command failed']],
    ['with a clock that is ahead', answered({ clockMs: takenAt + 6000 }), ['host-clock warning']],
    ['with a clock that is an hour behind', answered({ clockMs: takenAt - 3_600_000 }), ['host-clock warning']],
    ['and reboots by itself', answered({ automaticReboot: true }), ['other-rebooter warning']],
    [
      'as earlier versions did',
      answered({ clockMs: undefined, missingPrograms: undefined, rebootCommand: undefined, jobsInMemory: undefined }),
      ['programs skipped', 'reboot-command skipped', 'host-clock skipped'],
    ],
  ])('%s', (_, changes, expected) => {
    const checks = judged(changes);
    expect(notOk(checks)).toEqual(expected);
    for (const { state, hint } of checks) if (state === 'failed' || state === 'warning') expect(hint).toMatch(/\S/);
  });

  it('without a way to reboot is well where the playbook never reboots', () => {
    const never = { reboot: { when: 'never', timeoutMs: 1 } } as const;
    expect(notOk(judged(answered({ rebootCommand: '' }), never))).toEqual([]);
  });
});

describe('an amount of bytes', () => {
  it.each([
    [20 * 2 ** 30, '20.0 GiB'],
    [480 * 2 ** 20, '480 MiB'],
    [3 * 2 ** 10, '3 KiB'],
  ])('%i reads %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text);
  });
});
