import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const namePrefix = 'turnus-testbed-';

/** The temporary directories of one cluster; they go with the process that made them. */
export interface WorkDirectory {
  /** On the machine's temporary disk: configuration, logs, the hosts' disks. */
  readonly path: string;
  /** In memory where the machine has /dev/shm: etcd's data. */
  readonly memoryPath: string;
  remove(): Promise<void>;
}

/** Makes the directories of a new cluster, and removes those that a killed test process left behind. */
export async function createWorkDirectory(): Promise<WorkDirectory> {
  const memoryRoot = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  for (const root of new Set([tmpdir(), memoryRoot])) await removeAbandoned(root);
  const path = await mkdtemp(join(tmpdir(), `${namePrefix}${process.pid}-`));
  const memoryPath = await mkdtemp(join(memoryRoot, `${namePrefix}${process.pid}-etcd-`));
  await mkdir(join(path, 'log'));
  const removeAtExit = (): void => {
    for (const directory of [path, memoryPath]) rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', removeAtExit);
  return {
    path,
    memoryPath,
    remove: async () => {
      process.removeListener('exit', removeAtExit);
      for (const directory of [path, memoryPath]) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function removeAbandoned(root: string): Promise<void> {
  for (const entry of await readdir(root)) {
    const [, owner] = /^turnus-testbed-(\d+)-/.exec(entry) ?? [];
    if (owner !== undefined && !existsSync(`/proc/${owner}`))
      await rm(join(root, entry), { recursive: true, force: true });
  }
}
