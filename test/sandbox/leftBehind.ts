import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory for the temporary files of one process, so that one can see what it leaves there. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'turnus-test-')));
  onTestFinished(async () => {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  return directory;
}

/** Sandboxes in the directory, and processes that name it in their command line or environment; not `except`. */
export async function leftBehind(directory: string, except: readonly number[] = [process.pid]): Promise<string[]> {
  const files = (await readdir(directory)).filter((name) => name.startsWith('turnus-'));
  const found: string[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || except.includes(Number(entry))) continue;
    const [command, environment] = await Promise.all(
      ['cmdline', 'environ'].map((name) => readFile(`/proc/${entry}/${name}`, 'utf8').catch(() => '')),
    );
    if (`${command ?? ''}\0${environment ?? ''}`.includes(directory)) found.push(`${entry} ${command ?? ''}`);
  }
  return [...files, ...found];
}
