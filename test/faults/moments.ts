import { waitFor } from '../cluster/waitFor.js';
import type { FaultCase } from './scene.js';

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
