import { readFile as readFromDisk, stat } from 'node:fs/promises';
import { parseClusterFilePath, shownFile } from '../cluster/clusterFile.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { readClusterFile } from '../cluster/readClusterFile.js';
import type { ReadFile } from '../playbook/referencedFiles.js';
import type { AccessTo, FileAccess } from '../ssh/fileAccess.js';
import { readFile } from './readFile.js';

/** What reads the files that a playbook names, by their paths in the Playbook. Nothing read is kept. */
export interface PlaybookFiles {
  /** The bytes, or why there are none. */
  readonly readFile: ReadFile;
  /** The text; rejects with an error whose `code` says why, `ENOENT` where there is no such file. */
  readonly readText: (path: string) => Promise<string>;
  readonly accessTo: AccessTo;
}

/** The files of this machine. */
export const machineFiles: PlaybookFiles = {
  readFile,
  readText: (path) => readFromDisk(path, 'utf8'),
  accessTo: accessOnDisk,
};

/**
 * The files of this machine, and those in ConfigMaps and Secrets of Turnus' namespace by the paths of
 * src/cluster/clusterFile.ts. Reading rejects with TurnusError `cluster-file-unavailable` while the API server is away.
 */
export function clusterFiles(
  place: { readonly cluster: ClusterPort; readonly namespace: string },
  signal: AbortSignal,
): PlaybookFiles {
  const read: ReadFile = async (path) => {
    const file = parseClusterFilePath(path);
    return file === undefined ? await readFile(path) : await readClusterFile({ ...place, file }, signal);
  };
  return {
    readFile: read,
    readText: async (path) => {
      const file = parseClusterFilePath(path);
      if (file === undefined) return await machineFiles.readText(path);
      const answer = await readClusterFile({ ...place, file }, signal);
      if (answer.kind === 'ok') return new TextDecoder().decode(answer.bytes);
      const code = answer.kind === 'missing' ? 'ENOENT' : answer.code;
      throw Object.assign(new Error(`${shownFile(path)}: ${answer.message}`), { code });
    },
    accessTo: async (path) => {
      const file = parseClusterFilePath(path);
      return file === undefined ? await accessOnDisk(path) : accessInCluster[file.kind];
    },
  };
}

/** As if it lay on this machine: a Secret is for its owner, a ConfigMap for everybody to look at. */
const accessInCluster: Readonly<Record<'ConfigMap' | 'Secret', FileAccess>> = {
  Secret: { mode: 0o600, isOwn: true },
  ConfigMap: { mode: 0o644, isOwn: true },
};

async function accessOnDisk(path: string): Promise<FileAccess | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : { mode: found.mode & 0o777, isOwn: found.uid === process.getuid?.() };
}
