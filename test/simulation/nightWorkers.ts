import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What a worker answers of a night or a year. */
type Played<End> = End & { readonly seed: number };

export interface NightsToPlay<End> {
  /** Path of the program that calls {@link serveNights}. */
  readonly program: string;
  /** With which it is started to do so. */
  readonly args: readonly string[];
  readonly firstSeed: number;
  readonly nights: number;
  readonly workers: number;
  /** Hears of each night; `false` ends the playing after the nights that are under way. */
  readonly onNight: (night: Played<End>) => boolean;
}

/** Plays nights, or years, in child processes, one after the other in each. Rejects where a worker ends before it was told to. */
export async function playNights<End>(toPlay: NightsToPlay<End>): Promise<void> {
  let next = toPlay.firstSeed;
  const until = toPlay.firstSeed + toPlay.nights;
  let goesOn = true;
  const program = await compiled(toPlay.program);
  const work = async (): Promise<void> => {
    const worker = startWorker(program, toPlay.args);
    try {
      while (goesOn && next < until) {
        const seed = next;
        next += 1;
        const night = await played<End>(worker, seed);
        if (!toPlay.onNight(night)) goesOn = false;
      }
    } finally {
      worker.kill();
    }
  };
  await Promise.all(Array.from({ length: toPlay.workers }, work));
}

/**
 * The program in one piece of JavaScript. tsx wraps every function to keep its name, which costs a fifth of a night; source
 * maps cost some more, and `--seed N` has them.
 */
async function compiled(program: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [program],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

/** The program comes over standard input, so that no file of it is left; packages are looked for from the project. */
function startWorker(program: string, args: readonly string[]): ChildProcess {
  const worker = spawn(process.execPath, ['--input-type=module', '-', ...args], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  });
  // A worker that ends before it has read the program is reported by the end itself.
  worker.stdin?.on('error', () => undefined);
  worker.stdin?.end(program);
  return worker;
}

async function played<End>(worker: ChildProcess, seed: number): Promise<Played<End>> {
  const stopped = new AbortController();
  const answer = once(worker, 'message', { signal: stopped.signal });
  const exit = once(worker, 'exit', { signal: stopped.signal }).then(() => {
    throw new Error(`the worker ended while it played seed ${seed}`);
  });
  worker.send(seed);
  try {
    const [message] = (await Promise.race([answer, exit])) as [Played<End>];
    return message;
  } finally {
    stopped.abort();
    await Promise.allSettled([answer, exit]);
  }
}

/** In a worker: plays each seed that comes in. */
export function serveNights<End>(play: (seed: number) => Promise<End>): void {
  // Without whoever wants to know there is no point in going on.
  process.on('disconnect', () => process.exit());
  process.on('message', (seed: number) => {
    play(seed).then(
      (end) => process.send?.({ ...end, seed }),
      (error: unknown) => {
        process.stderr.write(
          `seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  });
}
