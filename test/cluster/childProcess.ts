import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { TestbedError } from './testbedError.js';

export interface ChildProcessOptions {
  /** Stands in errors: "kube-apiserver", "host of node-1". */
  name: string;
  command: string;
  args: string[];
  /** Gets stdout and stderr, appended. */
  logPath: string;
  env?: NodeJS.ProcessEnv;
}

interface ExitReason {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** A running process of the testbed. It dies with the test process, also when that is killed with SIGKILL. */
export interface TestbedProcess {
  readonly name: string;
  readonly pid: number;
  /** Settles when the process has ended, however it ended. */
  readonly exited: Promise<ExitReason>;
  isRunning(): boolean;
  /** SIGSTOP: it keeps its connections and says nothing more. */
  pause(): void;
  resume(): void;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs` (2 s); returns when it has ended. */
  stop(graceMs?: number): Promise<void>;
  /** The end of its log, for error messages. */
  logTail(): string;
}

/** All processes of this test process: one exit listener for them, not one each. */
const running = new Set<number>();
process.once('exit', () => {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      continue; // it has ended, and its exit was not told yet
    }
  }
});

/** Starts a process that lives no longer than the test process. */
export async function startChildProcess(options: ChildProcessOptions): Promise<TestbedProcess> {
  const { name, logPath } = options;
  const [command, args] = dyingWithItsParent(options.command, options.args);
  const log = openSync(logPath, 'a');
  // detached: a Ctrl-C in the terminal is for the test process, which ends the others in their order.
  const child = spawn(command, args, { env: options.env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  const exited = new Promise<ExitReason>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
  const pid = await started(child, name);
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const signal = (which: NodeJS.Signals): void => {
    if (isRunning()) process.kill(pid, which);
  };
  running.add(pid);
  void exited.then(() => running.delete(pid));

  return {
    name,
    pid,
    exited,
    isRunning,
    signal,
    pause: () => {
      signal('SIGSTOP');
    },
    resume: () => {
      signal('SIGCONT');
    },
    stop: async (graceMs = 2000) => {
      signal('SIGCONT'); // a stopped process would not see the SIGTERM
      signal('SIGTERM');
      const kill = setTimeout(() => {
        signal('SIGKILL');
      }, graceMs);
      await exited;
      clearTimeout(kill);
    },
    logTail: () => (existsSync(logPath) ? readFileSync(logPath, 'utf8').trim().split('\n').slice(-15).join('\n') : ''),
  };
}

/**
 * The kernel ends the process with its parent (prctl PR_SET_PDEATHSIG, set by util-linux' setpriv before it becomes
 * the command, so the pid stays). Without setpriv only an orderly end of the test process cleans up.
 */
export function dyingWithItsParent(command: string, args: string[]): [string, string[]] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  return setpriv === undefined ? [command, args] : [setpriv, ['--pdeathsig', 'KILL', '--', command, ...args]];
}

function started(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new TestbedError(`${name} cannot be started: ${cause.message}`, { cause }));
    });
    child.once('spawn', () => {
      if (child.pid !== undefined) resolve(child.pid);
    });
  });
}
