import { spawn } from 'node:child_process';

/** Runs a command line by /bin/sh, as a session would, and kills that shell (not what it has detached) after a while. */
export function runOnce(command: {
  readonly line: string;
  readonly input: Buffer;
  readonly killAfterMs: number;
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', `exec ${command.line}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { ...process.env, ...command.environment },
    });
    const kill = setTimeout(() => child.kill('SIGKILL'), command.killAfterMs);
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input);
    child.on('exit', () => {
      clearTimeout(kill);
      resolve();
    });
  });
}
