import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dyingWithItsParent } from './childProcess.js';
import { TestbedError } from './testbedError.js';

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'main.js');

/** The program on a terminal of its own (80 x 24), as an engineer sits before it. */
export interface TurnusOnTerminal {
  /** Everything that the terminal got so far, control sequences included. */
  output(): string;
  /** Ctrl-C, as a key. */
  pressCtrlC(): void;
  /** Takes the terminal away, and the program with it. */
  readonly close: () => void;
  readonly exited: Promise<number | undefined>;
}

/** Starts `turnus ARGS` on a pseudo terminal, which util-linux' script holds. The arguments must not need quotes. */
export function startOnTerminal(args: string[], options: { kubeconfig: string }): TurnusOnTerminal {
  const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
  if (script === undefined) throw new TestbedError('There is no pseudo terminal: install util-linux (script)');
  const command = `stty cols 80 rows 24; exec ${process.execPath} ${program} ${args.join(' ')}`;
  const [outer, outerArgs] = dyingWithItsParent(script, ['-qfec', command, '/dev/null']);
  const child = spawn(outer, outerArgs, {
    cwd: '/',
    env: { PATH: process.env['PATH'], HOME: '/', KUBECONFIG: options.kubeconfig, TERM: 'xterm-256color' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve(code ?? undefined);
    });
  });
  return {
    output: () => output,
    pressCtrlC: () => {
      child.stdin.write(String.fromCharCode(3));
    },
    close: () => {
      child.kill('SIGKILL');
    },
    exited,
  };
}
