import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ParsedKey, ServerChannel } from 'ssh2';
import { defaultHostLayout } from '../../host/jobDirectory.js';
import { TurnusError } from '../../turnusError.js';
import type { Machine } from '../simulatedCluster.js';
import type { Timeline } from '../timeline.js';
import { runCommand, type HostCommand } from './hostCommand.js';
import { endProcesses, hostVariable } from './hostProcesses.js';
import { openRequests } from './hostRequests.js';
import { pathOnHost } from './programPaths.js';
import { createSshDoor } from './sshDoor.js';
import { hostFiles, probe, rootVariable, writeStandIns } from './standIns.js';

/** A machine of the sandbox, seen from outside. */
export interface SandboxHost {
  readonly name: string;
  readonly address: string;
  /** What it has instead of a file system; its jobs are below `var/lib/turnus`. */
  readonly directory: string;
  readonly bootId: string;
  readonly isUp: boolean;
  /** What its `reboot` does: connections drop, every process dies, and a while later it is there in a new boot. */
  reboot(): void;
  /** It loses its power and stays down until {@link powerOn}. */
  powerCut(): void;
  /** Boots a machine that is down. */
  powerOn(): void;
  /** What comes of the next boot; once. `same-boot-id`: it was down, but has not booted. */
  nextBoot(outcome: BootOutcome): void;
  /** Commands get no answer; when that is over, those still waited for are run. */
  hang(on: boolean): void;
  /** Its SSH server does not answer: connections break, and new ones are refused. Its processes go on. */
  refuseConnections(on: boolean): void;
  /** Nobody may log in any more. */
  loseLogin(on: boolean): void;
  /** Its disk is full: no job can be stored. */
  fillDisk(on: boolean): void;
}

export type BootOutcome = 'as-usual' | 'never' | 'same-boot-id';

/** A host in the hands of the room that runs it. */
export interface OwnedHost extends SandboxHost {
  /** Opens its SSH server, from now on at this port (0: any free one), and says which. */
  listen(port: number): Promise<number>;
  /** Takes that back. */
  stopListening(): void;
  /** Ends every process and removes the directory. */
  close(): Promise<void>;
}

export interface HostParts {
  readonly name: string;
  readonly address: string;
  readonly kernel?: string;
  /** Made here, and removed by `close`. */
  readonly directory: string;
  readonly hostKey: string;
  readonly clientKey: ParsedKey;
  /** Who may log in; `root` is root without sudo. */
  readonly users: readonly string[];
  readonly path: string;
  readonly machine: Machine;
  readonly timeline: Timeline;
  readonly bootMs: number;
}

/** A port that something else has taken while the host was down is tried again after so long. */
const listenAgainMs = 1000;

/**
 * A machine with a disk and a boot of its own: a directory, ssh2's server, and the commands run by the machine's real
 * /bin/sh, by the user who runs the sandbox.
 */
export async function createSandboxHost(parts: HostParts): Promise<OwnedHost> {
  const { name, address, directory, machine, timeline } = parts;
  const file = (part: keyof typeof hostFiles) => join(directory, hostFiles[part]);
  const bootIdPath = pathOnHost(directory, defaultHostLayout.bootIdPath);
  let bootId = machine.bootId;
  let isUp = true;
  let isClosed = false;
  let port = 0;
  let hangs = false;
  let refuses = false;
  let loginLost = false;
  let isListening = false;
  let outcome: BootOutcome = 'as-usual';
  /** Takes back what is still to come of the boot under way; undefined where none is. */
  let cancelBoot: (() => void) | undefined;
  let cancelListen: (() => void) | undefined;
  let processesEnded = Promise.resolve();
  const held = new Set<() => void>();
  const leaders = new Set<number>();

  const run = (command: HostCommand, user: string, channel: ServerChannel) => {
    const start = () => {
      held.delete(start);
      // Without its stand-ins a program of the host would find the machine's own `reboot`.
      if (!isUp || !existsSync(join(file('programs'), 'reboot'))) {
        channel.close();
        return;
      }
      const environment = environmentOf(parts, user, command.terminal);
      const child = runCommand(command, { directory, environment, channel });
      const { pid } = child;
      if (pid === undefined) return;
      leaders.add(pid);
      child.once('exit', () => leaders.delete(pid));
    };
    if (!hangs) {
      start();
      return;
    }
    held.add(start);
    channel.once('close', () => held.delete(start));
  };
  const mayLogIn = (user: string) => !loginLost && parts.users.includes(user);
  const door = createSshDoor({ ...parts, mayLogIn, onCommand: run });

  const settleDoor = () => {
    const isWanted = isUp && !refuses && !isClosed;
    if (isWanted === isListening) return;
    isListening = isWanted;
    cancelListen?.();
    if (!isWanted) door.shut();
    else {
      door.open(port).catch(() => {
        isListening = false;
        cancelListen = timeline.after(listenAgainMs, settleDoor);
      });
    }
  };
  const goDown = () => {
    cancelBoot?.();
    cancelBoot = undefined;
    if (!isUp || isClosed) return;
    isUp = false;
    held.clear();
    settleDoor();
    // One that does not go is ended again when the host is closed, which says so.
    processesEnded = endProcesses(directory, leaders).catch(() => undefined);
    machine.goDown();
  };
  const comeUp = (isNewBoot: boolean) => {
    cancelBoot = undefined;
    // Somebody has taken its disk away: it does not boot.
    if (!existsSync(directory)) return;
    if (isNewBoot) bootId = randomUUID();
    writeFileSync(bootIdPath, `${bootId}\n`);
    const kernel = existsSync(file('installedKernel')) ? readFileSync(file('installedKernel'), 'utf8').trim() : '';
    writeFileSync(file('runningKernel'), kernel === '' ? '' : `${kernel}\n`);
    isUp = true;
    settleDoor();
    machine.boot({ bootId, ...(kernel === '' ? {} : { kernel }) });
  };
  const boot = () => {
    if (isUp || isClosed || cancelBoot !== undefined) return;
    const coming = outcome;
    outcome = 'as-usual';
    if (coming === 'never') return;
    let isWanted = true;
    const cancelTimer = timeline.after(parts.bootMs, () => {
      void processesEnded.then(() => {
        if (isWanted) comeUp(coming !== 'same-boot-id');
      });
    });
    cancelBoot = () => {
      isWanted = false;
      cancelTimer();
    };
  };
  const reboot = () => {
    if (!isUp) return;
    goDown();
    boot();
  };

  let requests: Awaited<ReturnType<typeof openRequests>> | undefined;
  const end = async () => {
    isClosed = true;
    cancelBoot?.();
    cancelListen?.();
    settleDoor();
    requests?.close();
    // While a process is left, so are the stand-ins: without them it would find the machine's own programs.
    await endProcesses(directory, leaders);
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  };
  await mkdir(directory, { mode: 0o700 });
  try {
    await lay(parts, bootIdPath);
    requests = await openRequests(file('requests'), (word) => {
      if (word === 'reboot') reboot();
      if (word === 'poweroff') goDown();
    });
  } catch (error) {
    await end();
    throw error;
  }

  let closing: Promise<void> | undefined;
  return {
    name,
    address,
    directory,
    get bootId() {
      return bootId;
    },
    get isUp() {
      return isUp;
    },
    reboot,
    powerCut: goDown,
    powerOn: boot,
    nextBoot(next) {
      outcome = next;
    },
    hang(on) {
      hangs = on;
      if (!on) for (const start of [...held]) start();
    },
    refuseConnections(on) {
      refuses = on;
      settleDoor();
    },
    loseLogin(on) {
      loginLost = on;
    },
    fillDisk(on) {
      if (on) writeFileSync(file('diskFull'), '');
      else rmSync(file('diskFull'), { force: true });
    },
    async listen(wanted) {
      port = await door.open(wanted);
      isListening = true;
      return port;
    },
    stopListening() {
      isListening = false;
      door.shut();
    },
    close: async () => {
      await (closing ??= end());
    },
  };
}

/** Lays the host's directory out, and makes sure that its stand-ins are what is found there. */
async function lay(parts: HostParts, bootIdPath: string): Promise<void> {
  const { directory, kernel } = parts;
  const files = {
    [bootIdPath]: `${parts.machine.bootId}\n`,
    [join(directory, hostFiles.installedKernel)]: kernel === undefined ? '' : `${kernel}\n`,
    [join(directory, hostFiles.runningKernel)]: kernel === undefined ? '' : `${kernel}\n`,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  for (const path of ['tmp', 'run', 'var/lib']) await mkdir(join(directory, path), { recursive: true });
  await writeStandIns({ directory, node: parts.name, path: parts.path });
  const environment = environmentOf(parts, 'root', undefined);
  const found = await promisify(execFile)('/bin/sh', ['-c', probe], { env: environment }).catch(() => undefined);
  if (found?.stdout !== `${directory}\n`) {
    throw new TurnusError({
      code: 'sandbox-programs-not-found',
      message: `Programs in ${join(directory, hostFiles.programs)} cannot be run`,
      hint: 'Is the disk there mounted noexec? Set TMPDIR to a directory in which programs can be run.',
    });
  }
}

function environmentOf(parts: HostParts, user: string, terminal: string | undefined): Record<string, string> {
  const { directory, path } = parts;
  return {
    [hostVariable]: directory,
    PATH: `${join(directory, hostFiles.programs)}:${path}`,
    HOME: directory,
    TMPDIR: join(directory, 'tmp'),
    USER: user,
    LOGNAME: user,
    SHELL: '/bin/sh',
    LANG: 'C.UTF-8',
    ...(user === 'root' ? { [rootVariable]: 'yes' } : {}),
    ...(terminal === undefined ? {} : { TERM: terminal }),
  };
}
