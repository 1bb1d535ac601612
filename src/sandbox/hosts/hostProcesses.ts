import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TurnusError } from '../../turnusError.js';

/** Names the host that a process belongs to, in the environment of everything that runs there. */
export const hostVariable = 'TURNUS_SANDBOX_HOST';

const pauseMs = 10;
const longestMs = 5000;

/**
 * Kills every process of a host, also those that have detached themselves, and returns when none is left. `leaders` are
 * the processes that were started for it and have not ended: known whatever they have become.
 *
 * @throws TurnusError `sandbox-process-left` where one does not go within five seconds.
 */
export async function endProcesses(hostDirectory: string, leaders: ReadonlySet<number> = new Set()): Promise<void> {
  // Twice nothing: a process that is just being replaced by another program has no environment for a moment.
  let empty = 0;
  for (let waitedMs = 0; empty < 2; waitedMs += pauseMs) {
    const found = processesOf(hostDirectory, leaders);
    empty = found.length === 0 ? empty + 1 : 0;
    // Stopped before any is killed: as in a power cut, nobody sees another one die and goes on.
    for (const signalName of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of found) signal(pid, signalName);
    if (found.length > 0 && waitedMs >= longestMs) throw processLeft(hostDirectory, found);
    if (empty < 2) await sleep(pauseMs);
  }
}

/**
 * The processes that carry the host's mark or are leaders, and those that have dropped the mark but were started by one
 * of these or share a session with one: every command of a host has a session of its own. A process that has cleared
 * its environment and has outlived parent and session is not found.
 */
export function processesOf(hostDirectory: string, leaders: ReadonlySet<number> = new Set()): readonly number[] {
  const mark = `${hostVariable}=${hostDirectory}`;
  const others: Process[] = [];
  const ours = new Set<number>();
  const sessions = new Set<number>();
  const running = runningProcesses();
  const self = running.find(({ pid }) => pid === process.pid);
  const take = ({ pid, session }: Process) => {
    ours.add(pid);
    if (session !== self?.session) sessions.add(session);
  };
  for (const candidate of running) {
    if (candidate === self) continue;
    if (leaders.has(candidate.pid) || environmentOf(candidate.pid).includes(mark)) take(candidate);
    else others.push(candidate);
  }
  for (let size = -1; size !== ours.size;) {
    size = ours.size;
    for (const other of others) {
      if (!ours.has(other.pid) && (ours.has(other.parent) || sessions.has(other.session))) take(other);
    }
  }
  return [...ours];
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

/** Those that are not ended yet (proc(5), /proc/pid/stat: state, parent, process group and session follow the name). */
function runningProcesses(): readonly Process[] {
  const found: Process[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = textOf(`/proc/${name}/stat`);
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === undefined || state === '' || state === 'Z' || state === 'X') continue;
    found.push({ pid: Number(name), parent: Number(parent), session: Number(session) });
  }
  return found;
}

/** Empty for a process of another user: it may not be looked into, and is not ours. */
function environmentOf(pid: number): readonly string[] {
  return textOf(`/proc/${String(pid)}/environ`).split('\0');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended; one that may not be killed is still there at the next look.
  }
}

function processLeft(hostDirectory: string, pids: readonly number[]): TurnusError {
  return new TurnusError({
    code: 'sandbox-process-left',
    message: `Processes of the sandbox's host ${hostDirectory} do not end: ${pids.join(', ')}`,
    hint: 'Look at them with ps, and end them by hand.',
    exitCode: 1,
  });
}
