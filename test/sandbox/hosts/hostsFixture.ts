import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { HostPort, HostPorts, JobRequest } from '../../../src/host/hostPort.js';
import type { SshPolicy } from '../../../src/playbook/playbook.js';
import { loopbackAddress, openHosts, type SandboxHosts } from '../../../src/sandbox/hosts/openHosts.js';
import type { SandboxHost } from '../../../src/sandbox/hosts/sandboxHost.js';
import type { Machine } from '../../../src/sandbox/simulatedCluster.js';
import type { Timeline } from '../../../src/sandbox/timeline.js';
import { createSshHosts, type SshHostsOptions } from '../../../src/ssh/sshHosts.js';
import { systemClock } from '../../../src/systemClock.js';

/** The machine's clock; knows how many calls are still to come. */
export function realTimeline(): Timeline & { readonly pending: number } {
  let pending = 0;
  return {
    get pending() {
      return pending;
    },
    now: () => Date.now(),
    after(delayMs, act) {
      pending += 1;
      let isOpen = true;
      const settle = () => {
        if (isOpen) pending -= 1;
        isOpen = false;
      };
      const timer = setTimeout(() => {
        settle();
        act();
      }, delayMs);
      return () => {
        settle();
        clearTimeout(timer);
      };
    },
  };
}

/** A kubelet's machine that only remembers what it was told. */
export function recordingMachine(): Machine & { readonly told: string[] } {
  let bootId: string = randomUUID();
  let isUp = true;
  const told: string[] = [];
  return {
    told,
    get bootId() {
      return bootId;
    },
    get isUp() {
      return isUp;
    },
    goDown() {
      isUp = false;
      told.push('down');
    },
    boot(boot) {
      isUp = true;
      bootId = boot.bootId;
      told.push(`boot ${boot.kernel ?? ''}`.trim());
    },
    silence: () => undefined,
  };
}

/** Hosts `node-1` and so on in a directory of their own, and the product's ports to them. */
export interface HostsFixture {
  readonly directory: string;
  readonly set: SandboxHosts;
  readonly timeline: ReturnType<typeof realTimeline>;
  machine(node: string): ReturnType<typeof recordingMachine>;
  node(name: string): SandboxHost;
  /** A new port of the product to a host, with a connection of its own. */
  port(node: string, change?: PortChange): Promise<HostPort>;
  close(): Promise<void>;
}

export interface PortChange {
  readonly policy?: Partial<SshPolicy>;
  readonly options?: Partial<Omit<SshHostsOptions, 'policy'>>;
  readonly clientKey?: string;
  readonly knownHosts?: string;
}

export async function openFixture(
  change: { nodes?: number; bootMs?: number; port?: number; kernel?: string } = {},
): Promise<HostsFixture> {
  const parent = await mkdtemp(join(tmpdir(), 'turnus-hosts-'));
  const directory = join(parent, 'hosts');
  const timeline = realTimeline();
  const machines = new Map<string, ReturnType<typeof recordingMachine>>();
  const machine = (node: string) => {
    const made = machines.get(node) ?? recordingMachine();
    machines.set(node, made);
    return made;
  };
  const { nodes = 2, bootMs = 200, kernel, ...options } = change;
  const set = await openHosts({
    directory,
    timeline,
    bootMs,
    machineOf: machine,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: `node-${String(index + 1)}`,
      address: loopbackAddress(index),
      ...(kernel === undefined ? {} : { kernel }),
    })),
    ...options,
  }).catch(async (error: unknown) => {
    await rm(parent, { recursive: true });
    throw error;
  });
  const opened: HostPorts[] = [];
  const node = (name: string) => {
    const host = set.host(name);
    if (host === undefined) throw new Error(`there is no host ${name}`);
    return host;
  };
  return {
    directory,
    set,
    timeline,
    machine,
    node,
    async port(name, { policy = {}, options: portOptions = {}, clientKey, knownHosts } = {}) {
      const files = new Map([
        ['/known_hosts', knownHosts ?? set.knownHosts],
        ['/identity', clientKey ?? set.clientKey],
      ]);
      const ports = await createSshHosts({
        policy: {
          user: 'maintenance',
          port: set.port,
          address: 'InternalIP',
          knownHosts: ['/known_hosts'],
          fingerprints: {},
          identity: '/identity',
          identityPassphrase: undefined,
          config: undefined,
          bastion: undefined,
          restricted: false,
          sudo: true,
          ...policy,
        },
        readFile: (path) => Promise.resolve(files.get(path) ?? ''),
        accessTo: () => Promise.resolve(undefined),
        homeDirectory: '/home/nobody',
        agentSocket: undefined,
        clock: systemClock,
        ...portOptions,
      });
      opened.push(ports);
      return ports.hostOf({ name, address: node(name).address });
    },
    async close() {
      for (const ports of opened) ports.close();
      await set.close();
      const left = await readdir(directory).catch(() => []);
      await rm(parent, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`the hosts left ${left.join(', ')} behind`);
    },
  };
}

let jobs = 0;

/** A job with a name of its own. */
export function jobOf(node: string, script: string): JobRequest {
  jobs += 1;
  const runUid = `5a9d0b00-0000-4000-8000-${String(jobs).padStart(12, '0')}`;
  return {
    run: 'monthly-2026-11',
    runUid,
    node,
    stage: 'update',
    execution: 1,
    script,
    scriptName: 'update.sh',
    timeoutMs: 30_000,
  };
}

/** What an engineer's ssh says to a command, or to what is typed into a shell with a terminal. */
export function sshOnce(
  fixture: HostsFixture,
  what: {
    readonly node: string;
    readonly user?: string;
    readonly command?: string;
    readonly typed?: string;
    readonly onOpen?: () => void;
  },
): Promise<{ readonly exitCode: number | undefined; readonly output: string }> {
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    let output = '';
    // Once the channel is open, its end tells: a connection that is cut may also be reset.
    let isOpen = false;
    client.on('error', (error) => {
      if (!isOpen) reject(error);
    });
    const onChannel = (error: Error | undefined, channel: ssh2.ClientChannel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      isOpen = true;
      what.onOpen?.();
      let exitCode: number | undefined;
      channel.on('data', (data: Buffer) => (output += data.toString()));
      channel.stderr.on('data', (data: Buffer) => (output += data.toString()));
      channel.on('exit', (code: number | null) => {
        exitCode = code ?? undefined;
      });
      channel.on('close', () => {
        client.end();
        resolve({ exitCode, output });
      });
      if (what.typed === undefined) channel.end();
      else channel.write(what.typed);
    };
    client.on('ready', () => {
      if (what.command === undefined) client.shell(onChannel);
      else client.exec(what.command, onChannel);
    });
    client.connect({
      host: fixture.node(what.node).address,
      port: fixture.set.port,
      username: what.user ?? 'maintenance',
      privateKey: fixture.set.clientKey,
      hostVerifier: () => true,
    });
  });
}

/** Waits for a condition, ten seconds at most. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = systemClock.deadline(10_000, new AbortController().signal);
  while (!(await what())) await systemClock.sleep(10, deadline.signal);
  deadline.clear();
}
