import { readFile } from 'node:fs/promises';
import { defaultHostLayout } from '../host/jobDirectory.js';
import type { ThisMachine } from '../run/ownNode.js';
import type { CommandIo } from './io.js';

/** Where this process runs: the node named in TURNUS_NODE_NAME (downward API) and this machine's boot id. */
export async function readThisMachine(io: CommandIo): Promise<ThisMachine> {
  const nodeName = io.env['TURNUS_NODE_NAME'] ?? '';
  return { nodeName: nodeName === '' ? undefined : nodeName, bootId: await readBootId() };
}

/** Undefined where the system has no such file: only Linux has it. */
async function readBootId(): Promise<string | undefined> {
  try {
    return (await readFile(defaultHostLayout.bootIdPath, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
