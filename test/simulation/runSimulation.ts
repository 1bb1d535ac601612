import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface SimulationEnd {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Runs `npm run simulate` with these arguments in a process of its own. `root` is the project, or a copy of it. */
export async function runSimulation(root: string, args: readonly string[]): Promise<SimulationEnd> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/simulation/simulate.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, output };
}
