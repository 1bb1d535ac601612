import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { NightEnd } from './night.js';

/** What a worker answers of a night: all but the night itself, which its seed tells. */
export type PlayedNight = Omit<NightEnd, 'night'> & { readonly seed: number };

export interface NightsToPlay {
  /** Path of the program that calls {@link serveNights}. */
  readonly program: string;
  readonly firstSeed: number;
  readonly nights: number;
  readonly workers: number;
  /** Hears of each night; `false` ends the playing after the nights that are under way. */
  readonly onNight: (night: PlayedNight) => boolean;
}

/** Plays nights in child processes, one after the other in each. Rejects where a worker ends before it was told to. */
export async function playNights(toPlay: NightsToPlay): Promise<void> {
  let next = toPlay.firstSeed;
  const until = toPlay.firstSeed + toPlay.nights;
  let goesOn = true;
  const program = await compiled(toPlay.program);
  const work = async (): Promise<void> => {
    const worker = startWorker(program);
    try {
      while (goesOn && next < until) {
        const seed = next;
        next += 1;
        const night = await played(worker, seed);
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
function startWorker(program: string): ChildProcess {
  const worker = spawn(process.execPath, ['--input-type=module', '-', '--worker'], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  });
  // A worker that ends before it has read the program is reported by the end itself.
  worker.stdin?.on('error', () => undefined);
  worker.stdin?.end(program);
  return worker;
}

async function played(worker: ChildProcess, seed: number): Promise<PlayedNight> {
  const stopped = new AbortController();
  const answer = once(worker, 'message', { signal: stopped.signal });
  const exit = once(worker, 'exit', { signal: stopped.signal }).then(() => {
    throw new Error(`the worker ended while it played the night of seed ${seed}`);
  });
  worker.send(seed);
  try {
    const [message] = (await Promise.race([answer, exit])) as [PlayedNight];
    return message;
  } finally {
    stopped.abort();
    await Promise.allSettled([answer, exit]);
  }
}

/** In a worker: plays each seed that comes in. */
export function serveNights(play: (seed: number) => Promise<NightEnd>): void {
  // Without whoever wants to know there is no point in going on.
  process.on('disconnect', () => process.exit());
  process.on('message', (seed: number) => {
    play(seed).then(
      ({ night: _night, ...end }) => process.send?.({ seed, ...end }),
      (error: unknown) => {
        process.stderr.write(
          `seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  });
}
