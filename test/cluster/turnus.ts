import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quickBuild } from '../quickBuild.js';
import { dyingWithItsParent } from './childProcess.js';
import type { CommandResult } from './runCommand.js';
import { runCommandOk } from './runCommand.js';
import { TestbedError } from './testbedError.js';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const programs = {
  built: join(repository, 'dist', 'main.js'),
  'quick-build': join(repository, quickBuild, 'main.js'),
} as const;

/** What `npm run build` makes. */
export const builtTurnus = programs.built;

export interface TurnusOptions {
  /** Becomes KUBECONFIG; absent: none. */
  kubeconfig?: string;
  /** Besides PATH, HOME (`cwd`) and KUBECONFIG, which is all that Turnus gets of the environment. */
  env?: NodeJS.ProcessEnv;
  /** Working directory and home; `/`. */
  cwd?: string;
  /** What Node runs: what `npm run build` makes, or what test/quickBuild.ts has made of the sources; `built`. */
  program?: keyof typeof programs;
}

/** The program as people start it, in a process of its own, without a terminal. */
export interface RunningTurnus {
  readonly pid: number;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Settles when it has ended and all of its output is there: the exit code, or undefined where a signal ended it. */
  readonly exited: Promise<number | undefined>;
  isRunning(): boolean;
  /** SIGSTOP: it stands still and keeps its connections, until SIGCONT. */
  kill(signal: 'SIGKILL' | 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Nobody reads its standard output any more: what it writes next fails, as in `turnus ... | head`. */
  closeStdout(): void;
}

/** Compiles Turnus into dist/, as `npm run build` does. */
export async function buildTurnus(): Promise<void> {
  await runCommandOk('npm', ['run', '--silent', 'build'], { cwd: repository });
}

/** Starts `turnus ARGS`; it dies with the test process. */
export function startTurnus(args: string[], options: TurnusOptions = {}): RunningTurnus {
  const { kubeconfig, env = {}, cwd = '/', program = 'built' } = options;
  const [command, commandArgs] = dyingWithItsParent(process.execPath, [programs[program], ...args]);
  const child = spawn(command, commandArgs, {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: cwd,
      ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new TestbedError(`turnus cannot be started: ${cause.message}`, { cause }));
    });
    child.once('close', (code) => {
      resolve(code ?? undefined);
    });
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: (signal) => {
      child.kill(signal);
    },
    closeStdout: () => {
      child.stdout.destroy();
    },
  };
}

/** Runs `turnus ARGS` to its end. */
export async function runTurnus(args: string[], options: TurnusOptions = {}): Promise<CommandResult> {
  const turnus = startTurnus(args, options);
  const exitCode = await turnus.exited;
  return { exitCode, stdout: turnus.stdout(), stderr: turnus.stderr() };
}
