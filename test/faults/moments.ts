import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../cluster/waitFor.js';
import type { FaultCase, Scene } from './scene.js';

/** A moment of a turn: the line of a journal entry holds all these texts. */
export interface Moment {
  readonly name: string;
  readonly texts: readonly string[];
}

/** The entry of a type, further told apart by other texts of its line. */
export function entry(type: string, ...texts: readonly string[]): Moment {
  return { name: [type, ...texts].join(' '), texts: [`"type":"${type}"`, ...texts] };
}

/** Waits until the entry is in the journal of the case. */
export async function untilEntry(fault: FaultCase, { name, texts }: Moment): Promise<void> {
  await waitFor({
    what: `the journal entry ${name}`,
    timeoutMs: 60_000,
    intervalMs: 5,
    probe: async () => (await fault.journalLines()).some((line) => texts.every((text) => line.includes(text))),
  });
}

/** Waits until this file is in the directory of the update job on the host. */
export async function untilUpdateHas(scene: Scene, fault: FaultCase, file: string): Promise<void> {
  const jobs = scene.hosts.host(fault.node).pathOnDisk('/var/lib/turnus/jobs');
  const directory = join(jobs, await fault.runUid(), `${fault.node}.update.1`);
  await waitFor({
    what: `${file} of the update on ${fault.node}`,
    timeoutMs: 60_000,
    intervalMs: 5,
    probe: async () => (await readdir(directory).catch((): string[] => [])).includes(file),
  });
}
