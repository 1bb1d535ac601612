import type { CheckedEntry } from './checkedEntry.js';
import { entriesFromTo, type Damage, type JournalPlace } from './damage.js';

/**
 * A break in the chain whose kind only the following entries can tell: a line that stands too early looks like a gap
 * until the skipped entry turns up. It is shown the rest of the run's entries in the file, then asked.
 */
export interface Suspicion {
  observe(entry: CheckedEntry): void;
  verdict(): Damage;
}

/** An entry at its place in a file. */
export interface PlacedEntry {
  readonly entry: CheckedEntry;
  readonly at: JournalPlace;
}

/** `suspect` stands after `last` but its number is higher than the next: entries are missing, or it stands too early. */
export function gapSuspicion(last: PlacedEntry, suspect: PlacedEntry): Suspicion {
  const twin = twinOf(suspect);
  const next = last.entry.seq + 1;
  let nextFollows = false;
  return {
    observe(entry) {
      if (entry.seq === next && entry.prev === last.entry.hash) nextFollows = true;
      twin.observe(entry);
    },
    verdict() {
      if (nextFollows) return twin.verdict(`Entry ${suspect.entry.seq} stands before entry ${next}`);
      const gap = entriesFromTo(next, suspect.entry.seq - 1);
      return { what: 'missing', at: suspect.at, message: `Missing: ${gap}, before entry ${suspect.entry.seq}` };
    },
  };
}

/** Entries with lower numbers follow `suspect`, the first of its run in the file: it stands too early. */
export function earlySuspicion(suspect: PlacedEntry, lowerSeq: number): Suspicion {
  const twin = twinOf(suspect);
  return {
    observe: (entry) => {
      twin.observe(entry);
    },
    verdict: () => twin.verdict(`Entry ${suspect.entry.seq} stands before entry ${lowerSeq}`),
  };
}

/** `suspect` has the next number but does not link to `last`: one of both got a new hash, or `suspect` was put in. */
export function linkSuspicion(last: PlacedEntry, suspect: PlacedEntry): Suspicion {
  let lastIsContinued = false;
  return {
    observe(entry) {
      if (entry.seq === suspect.entry.seq && entry.prev === last.entry.hash) lastIsContinued = true;
    },
    verdict() {
      if (lastIsContinued) return inserted(suspect);
      const [former, later] = [last.entry.seq, suspect.entry.seq];
      return {
        what: 'changed',
        at: last.at,
        message: `Entry ${former} was changed and given a new hash, or a run.resumed was taken out: entry ${later} follows an entry ${former} with another hash`,
      };
    },
  };
}

/** Two entries claim the same place in the chain: the one that the following entry links to is the true one. */
export function siblingSuspicion(former: PlacedEntry, later: PlacedEntry): Suspicion {
  let trueHash: string | undefined;
  return {
    observe(entry) {
      if (entry.prev === former.entry.hash || entry.prev === later.entry.hash) trueHash ??= entry.prev;
    },
    verdict: () => inserted(trueHash === later.entry.hash ? former : later),
  };
}

/** `suspect` links to an entry that is nowhere and has a number already passed: torn from its branch, or put in. */
export function straySuspicion(suspect: PlacedEntry): Suspicion {
  let isContinued = false;
  return {
    observe(entry) {
      if (entry.prev === suspect.entry.hash) isContinued = true;
    },
    verdict() {
      if (!isContinued) return inserted(suspect);
      const former = suspect.entry.seq - 1;
      return {
        what: 'missing',
        at: suspect.at,
        message: `Missing: the entry ${former} that entry ${suspect.entry.seq} follows (hash ${suspect.entry.prev})`,
      };
    },
  };
}

/** The damage of an entry that does not belong where it stands. */
export function inserted({ entry, at }: PlacedEntry): Damage {
  return { what: 'inserted', at, message: `Entry ${entry.seq} was put in: the chain goes on without it` };
}

/** Tells a moved entry from a copy and from a forgery with the same number. */
function twinOf(suspect: PlacedEntry) {
  let twinHash: string | undefined;
  return {
    observe(entry: CheckedEntry): void {
      if (entry.seq === suspect.entry.seq) twinHash ??= entry.hash;
    },
    verdict(movedMessage: string): Damage {
      if (twinHash === undefined) return { what: 'reordered', at: suspect.at, message: movedMessage };
      if (twinHash !== suspect.entry.hash) return inserted(suspect);
      return { what: 'duplicated', at: suspect.at, message: `Entry ${suspect.entry.seq} stands twice, here too early` };
    },
  };
}
