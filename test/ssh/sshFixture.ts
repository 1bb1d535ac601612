import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostPort, HostPorts, JobKey, JobReading, JobRequest } from '../../src/host/hostPort.js';
import type { SshPolicy } from '../../src/playbook/playbook.js';
import { createSshHosts, type SshHostsOptions } from '../../src/ssh/sshHosts.js';
import { systemClock } from '../../src/systemClock.js';
import { createKey, startShellHost, type ShellHost, type TestKey } from './shellHost.js';

/** One client key, hosts that accept it, and ports to them; `close` ends and removes everything. */
export interface SshFixture {
  readonly clientKey: TestKey;
  /** The port `node-1` on a host whose key is known. */
  port(host: ShellHost, change?: PortChange): Promise<HostPort>;
  ports(host: ShellHost, change?: PortChange): Promise<HostPorts>;
  start(options?: Partial<Parameters<typeof startShellHost>[0]>): Promise<ShellHost>;
  file(name: string, text: string): Promise<string>;
  close(): Promise<void>;
}

export interface PortChange {
  readonly policy?: Partial<SshPolicy>;
  readonly knownHosts?: string;
  readonly options?: Partial<Omit<SshHostsOptions, 'policy'>>;
}

export async function createSshFixture(): Promise<SshFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-ssh-'));
  const clientKey = createKey();
  const opened: HostPorts[] = [];
  const hosts: ShellHost[] = [];
  const file = async (name: string, text: string) => {
    const path = join(directory, name);
    await writeFile(path, text);
    return path;
  };
  const identity = await file('id_ed25519', clientKey.private);
  let files = 0;
  const ports = async (host: ShellHost, change: PortChange = {}) => {
    const knownHosts = await file(
      `known_hosts_${String((files += 1))}`,
      `${change.knownHosts ?? host.knownHostsLine()}\n`,
    );
    const policy: SshPolicy = {
      user: 'root',
      port: host.port,
      address: 'InternalIP',
      knownHosts: [knownHosts],
      fingerprints: {},
      identity,
      identityPassphrase: undefined,
      config: undefined,
      bastion: undefined,
      restricted: false,
      sudo: true,
      ...change.policy,
    };
    const made = await createSshHosts({
      policy,
      readFile: (path) => readFile(path, 'utf8'),
      accessTo: () => Promise.resolve(undefined),
      homeDirectory: directory,
      agentSocket: undefined,
      clock: systemClock,
      layout: host.layout,
      ...change.options,
    });
    opened.push(made);
    return made;
  };
  return {
    clientKey,
    file,
    ports,
    port: async (host, change) => (await ports(host, change)).hostOf({ name: 'node-1', address: '127.0.0.1' }),
    async start(options = {}) {
      const host = await startShellHost({ clientKey, ...options });
      hosts.push(host);
      return host;
    },
    async close() {
      for (const made of opened) made.close();
      for (const host of hosts) await host.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

let jobs = 0;

/** A job with a name of its own. */
export function jobOf(script: string, change: Partial<JobRequest> = {}): JobRequest {
  jobs += 1;
  const runUid = `6f1c0d52-0000-4000-8000-${String(jobs).padStart(12, '0')}`;
  return {
    run: 'monthly-2026-11',
    runUid,
    node: 'node-1',
    stage: 'update',
    execution: 1,
    script,
    scriptName: 'update.sh',
    timeoutMs: 30_000,
    ...change,
  };
}

/** Reads until the job has ended, through broken connections; all its output is in the answer. */
export async function endOf(host: HostPort, job: JobKey, signal: AbortSignal): Promise<JobReading> {
  let output = '';
  let fromByte = 0;
  for (;;) {
    const answer = await host.readJob(job, fromByte, signal);
    if (answer.kind === 'lost') continue;
    if (answer.kind !== 'ok') throw new Error(`${answer.kind}: ${answer.message}`);
    const reading = answer.value;
    if (reading.state === 'absent') return reading;
    output += reading.output;
    fromByte = reading.nextByte;
    if (reading.state !== 'running' && reading.output === '') return { ...reading, output };
    if (reading.output === '') await systemClock.sleep(25, signal);
  }
}
