import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { JobKey, JobReading, JobRequest } from '../../src/host/hostPort.js';
import { jobDirectory, type HostLayout } from '../../src/host/jobDirectory.js';
import { cancelProgram, readProgram, startProgram } from '../../src/host/jobPrograms.js';
import { parseJobReading } from '../../src/host/jobReading.js';
import {
  commandLine,
  parseAnswer,
  programInput,
  type RemoteAnswer,
  type RemoteProgram,
} from '../../src/host/remoteProgram.js';
import { shellQuote } from '../../src/host/shellQuote.js';
import { restrictedCommandLine, turnusHostScript } from '../../src/host/turnusHost.js';
import { waitFor } from '../cluster/waitFor.js';

/** A machine whose programs run here, with mounts and processes of its own: its disk and its /bin/sh are a test's. */
export interface Machine {
  /** Seen by the machine and by the test under the same path, and not on the machine's small disk. */
  readonly directory: string;
  /** Where installed scripts are, for turnus-host. */
  readonly scripts: string;
  readonly layout: HostLayout;
  /** What a program of Turnus answers, by the door that is given; throws where it does not answer. */
  run(program: RemoteProgram, door?: Door): Promise<RemoteAnswer>;
  start(job: JobRequest, door?: Door): Promise<RemoteAnswer>;
  /** Where it stands, with a piece of its output. */
  read(job: JobKey, door?: Door, fromByte?: number): Promise<JobReading>;
  cancel(job: JobKey, door?: Door): Promise<RemoteAnswer>;
  /** Reads until the job has ended; its whole output is in the answer. */
  endOf(job: JobKey, door?: Door): Promise<JobReading>;
  /** What a command says that is run by the machine's /bin/sh; throws where it fails. */
  shell(command: string): string;
  /** Puts a program in front of the machine's PATH, for one test. */
  install(name: string, text: string): Promise<void>;
  /** Lines that scripts have appended to `name` in the machine's directory; to `reboots` whoever wants to reboot. */
  count(name: string): Promise<number>;
  /** A file of a job's marker; undefined where there is none. */
  readFile(job: JobKey, name: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** A shell as root, or the key that may start installed scripts only. */
export type Door = 'shell' | 'turnus-host';

export interface MachineOptions {
  /** What /bin/sh is; absent: as on this machine. */
  readonly shell?: Shell;
  /** Turnus' directory is on a disk of this size; absent: on that of this machine. */
  readonly disk?: { readonly kib: number; readonly inodes: number };
  /** Systemd seems to be process 1. */
  readonly systemd?: boolean;
}

export type Shell = 'dash' | 'bash' | 'busybox';

const unshare = '/usr/bin/unshare';
const nsenter = '/usr/bin/nsenter';
const asRoot = process.getuid?.() === 0;
const separated = [
  ...(asRoot ? [] : ['--map-root-user']),
  '--mount',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

/** Why this machine cannot give a test mounts and processes of its own; undefined where it can. */
export function whyNoMachines(): string | undefined {
  try {
    execFileSync(unshare, [...separated, '/bin/sh', '-c', 'mount -t tmpfs -o size=64k,nr_inodes=8 none /tmp'], {
      stdio: 'pipe',
    });
    execFileSync(nsenter, ['--version'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n')[0] : undefined;
    return `mounts and processes of its own need root, or user namespaces (${said ?? String(error)})`;
  }
}

export async function startMachine(options: MachineOptions = {}): Promise<Machine> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-machine-'));
  const path = (name: string) => join(directory, name);
  const layout = { baseDirectory: path('disk/turnus'), bootIdPath: path('boot_id') };
  for (const name of ['bin', 'applets', 'disk', 'scripts']) await mkdir(path(name));
  await writeFile(layout.bootIdPath, `${randomUUID()}\n`);
  const turnusHost = turnusHostScript({ layout, scripts: path('scripts'), owner: 0 });
  await writeFile(path('bin/turnus-host'), turnusHost, { mode: 0o755 });
  for (const name of ['reboot', 'systemctl'])
    await writeFile(path(`bin/${name}`), `#!/bin/sh\necho "${name} $*" >>${path('reboots')}\n`, { mode: 0o755 });
  const keeper = spawn(unshare, [...separated, '/bin/sh', '-c', processOne(directory, options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const init = await firstProcess(keeper);
  const environment = {
    PATH: [path('bin'), path('applets'), '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LANG: 'C.UTF-8',
  };
  const entering = [...(asRoot ? [] : ['--user', '--preserve-credentials']), '--mount', '--pid', '-t', String(init)];

  const run: Machine['run'] = async (program, door = 'shell') => {
    const { line, input, original } = callOf(program, door, { layout, turnusHost: path('bin/turnus-host') });
    const { stdout, said } = await ended(
      spawn(nsenter, [...entering, '--', '/bin/sh', '-c', line], {
        env: { ...environment, ...(original === undefined ? {} : { SSH_ORIGINAL_COMMAND: original }) },
      }),
      input,
    );
    const answer = parseAnswer(stdout);
    if (answer === undefined) throw new Error(`no answer, but: ${said}`);
    return answer;
  };
  const shell = (command: string) =>
    execFileSync(nsenter, [...entering, '--', '/bin/sh', '-c', `cd ${shellQuote(directory)} && ${command}`], {
      env: environment,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const read: Machine['read'] = async (job, door = 'shell', fromByte = 0) => {
    const answer = await run(readProgram(job, fromByte), door);
    const reading = parseJobReading(answer, fromByte);
    if (reading === undefined) throw new Error(`not understood: ${JSON.stringify([...answer.fields])}`);
    return reading;
  };
  return {
    directory,
    scripts: path('scripts'),
    layout,
    run,
    start: (job, door) => run(startProgram(job), door),
    read,
    cancel: (job, door) => run(cancelProgram(job), door),
    endOf: async (job, door) => {
      let output = '';
      let fromByte = 0;
      return await waitFor({
        what: `the end of ${job.runUid}`,
        timeoutMs: 15_000,
        intervalMs: 20,
        probe: async () => {
          const reading = await read(job, door, fromByte);
          if (reading.state === 'absent') return reading;
          output += reading.output;
          fromByte = reading.nextByte;
          return reading.state !== 'running' && reading.output === '' && { ...reading, output };
        },
      });
    },
    shell,
    install: async (name, text) => {
      await writeFile(path(`bin/${name}`), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      onTestFinished(() => rm(path(`bin/${name}`), { force: true }));
    },
    count: async (name) => {
      const text = await readFile(path(name), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '').length;
    },
    readFile: async (job, name) => {
      const marker = jobDirectory(layout, job).job;
      return await readFile(`/proc/${String(init)}/root${marker}/${name}`, 'utf8').catch(() => undefined);
    },
    stop: async () => {
      const isOver = keeper.exitCode === null ? new Promise((resolve) => keeper.once('close', resolve)) : undefined;
      keeper.kill('SIGKILL');
      await isOver;
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * Process 1 of a machine: lays out its mounts, and ends with the test, not by a signal to all. It waits, because a shell
 * that waits takes the ends of all processes that were left to it.
 */
function processOne(directory: string, { shell, disk, systemd = false }: MachineOptions): string {
  const quoted = shellQuote(directory);
  const lines = ['set -e', 'exec 3<&0', `cd ${quoted}`];
  if (disk !== undefined)
    lines.push(`mount -t tmpfs -o size=${String(disk.kib)}k,nr_inodes=${String(disk.inodes)} disk ${quoted}/disk`);
  // Without systemd also where this machine has it.
  lines.push('mount -t tmpfs run /run');
  if (systemd) lines.push('mkdir -p /run/systemd/system');
  if (shell === 'busybox') lines.push('busybox --install -s applets');
  if (shell !== undefined) lines.push(`mount --bind "$(command -v ${shell})" "$(readlink -f /bin/sh)"`);
  return [...lines, "trap '' HUP TERM", 'cat <&3 >/dev/null &', 'echo ready', 'wait $!'].join('\n');
}

/** The process 1 of a machine that has been laid out, as this machine names it. */
async function firstProcess(keeper: ChildProcess): Promise<number> {
  let said = '';
  keeper.stderr?.on('data', (data: Buffer) => (said += data.toString()));
  await new Promise<void>((resolve, reject) => {
    keeper.stdout?.once('data', () => {
      resolve();
    });
    keeper.once('close', () => {
      reject(new Error(`the machine does not start: ${said}`));
    });
  });
  const pid = String(keeper.pid);
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

function callOf(
  program: RemoteProgram,
  door: Door,
  place: { readonly layout: HostLayout; readonly turnusHost: string },
): { readonly line: string; readonly input: Buffer; readonly original?: string } {
  if (door === 'shell') return { line: commandLine({ sudo: false }), input: programInput(program, place.layout) };
  if (program.restricted === undefined) throw new Error('turnus-host does not know this program');
  const { verb, words } = program.restricted;
  return { line: place.turnusHost, input: Buffer.alloc(0), original: restrictedCommandLine(verb, words) };
}

async function ended(child: ChildProcess, input: Buffer): Promise<{ readonly stdout: Buffer; readonly said: string }> {
  const out: Buffer[] = [];
  const said: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => out.push(data));
  child.stderr?.on('data', (data: Buffer) => said.push(data));
  child.stdin?.on('error', () => undefined); // it ended without reading its input
  child.stdin?.end(input);
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { stdout: Buffer.concat(out), said: Buffer.concat(said).toString() };
}

/** A job with a name of its own. */
export function jobOf(script: string, change: Partial<JobRequest> = {}): JobRequest {
  const key = { runUid: randomUUID(), node: 'node-1', stage: 'update', execution: 1 } as const;
  return { ...key, run: 'monthly-2026-11', script, scriptName: 'update.sh', timeoutMs: 30_000, ...change };
}
