import { spawn } from 'node:child_process';
import { TestbedError } from './testbedError.js';

export interface CommandResult {
  /** Undefined where a signal ended it. */
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  stdin?: string;
  timeoutMs?: number;
}

/** Runs a program to its end and answers what it said; a program that cannot be started is an error (ENOENT in `cause`). */
export function runCommand(command: string, args: string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
      stdio: 'pipe',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (cause) => {
      reject(new TestbedError(`${command} cannot be started: ${cause.message}`, { cause }));
    });
    child.on('close', (code) => {
      resolve({ exitCode: code ?? undefined, stdout, stderr });
    });
    child.stdin.on('error', () => undefined); // it ended without reading its input
    child.stdin.end(options.stdin ?? '');
  });
}

/** Like {@link runCommand}; anything but exit code 0 is an error that shows the end of what it said. */
export async function runCommandOk(
  command: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(command, args, options);
  if (result.exitCode !== 0) {
    const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-20).join('\n  ');
    throw new TestbedError(`${command} ${args[0] ?? ''} ended with ${result.exitCode ?? 'a signal'}:\n  ${said}`);
  }
  return result;
}
