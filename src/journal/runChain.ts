import { entriesFromTo, type Damage } from './damage.js';
import {
  earlySuspicion,
  gapSuspicion,
  inserted,
  linkSuspicion,
  siblingSuspicion,
  straySuspicion,
  type PlacedEntry,
  type Suspicion,
} from './suspicion.js';

/** Entries of one run in one file that follow each other without a break. */
export interface Segment {
  readonly fileNumber: number;
  readonly first: PlacedEntry;
  last: PlacedEntry;
  /** The entry that the first one follows had been read before this segment began. */
  readonly followsKnown: boolean;
}

/** An entry that is known by its hash. */
interface KnownEntry {
  readonly segment: Segment;
  readonly seq: number;
}

/**
 * What an entry does to its chain. `fits` also covers a copy of an entry that another file holds.
 */
type ChainStep =
  | { readonly kind: 'fits' }
  | { readonly kind: 'damaged'; readonly damage: Damage }
  | { readonly kind: 'suspicious'; readonly suspicion: Suspicion };

const fits: ChainStep = { kind: 'fits' };

/** The entries of one run over all files: a tree, because a successor may go on before a dead actor's last entry. */
export interface RunChain {
  readonly run: string;
  readonly segments: readonly Segment[];
  /** Every entry by its hash. */
  readonly known: ReadonlyMap<string, KnownEntry>;
  /** Takes the next entry of the run; files are numbered in the order they are read. */
  take(next: PlacedEntry, fileNumber: number): ChainStep;
}

/** An empty chain. Keeps a hash and a number for each entry, nothing else. */
export function emptyRunChain(run: string): RunChain {
  const segments: Segment[] = [];
  const known = new Map<string, KnownEntry>();

  const append = (segment: Segment, next: PlacedEntry): ChainStep => {
    segment.last = next;
    known.set(next.entry.hash, { segment, seq: next.entry.seq });
    return fits;
  };

  return {
    run,
    segments,
    known,
    take(next, fileNumber) {
      const { entry } = next;
      const copy = known.get(entry.hash);
      if (copy?.segment.fileNumber === fileNumber) return damaged(duplicated(next));
      if (copy !== undefined) return fits;

      const here = segments.filter((segment) => segment.fileNumber === fileNumber);
      const continued = here.find((segment) => segment.last.entry.hash === entry.prev);
      if (continued !== undefined) {
        return entry.seq === continued.last.entry.seq + 1 ? append(continued, next) : damaged(misnumbered(next));
      }
      const parent = known.get(entry.prev);
      const followsOtherFile = parent !== undefined && parent.segment.fileNumber !== fileNumber;
      if (here.length === 0 || entry.type === 'run.resumed' || followsOtherFile) {
        const segment: Segment = { fileNumber, first: next, last: next, followsKnown: parent !== undefined };
        segments.push(segment);
        return append(segment, next);
      }
      return misfit({ next, here, parent });
    },
  };
}

/** Why `next`, which neither continues a segment of this file nor may begin one, is not where it belongs. */
function misfit(found: { next: PlacedEntry; here: readonly Segment[]; parent: KnownEntry | undefined }): ChainStep {
  const { next, here, parent } = found;
  const seq = next.entry.seq;
  const first = here[0]?.first;
  if (first !== undefined && seq < first.entry.seq) return suspicious(earlySuspicion(first, seq));
  if (parent !== undefined || seq === 1) {
    const sibling = here.find(({ last }) => last.entry.prev === next.entry.prev && last.entry.seq === seq);
    if (sibling !== undefined) return suspicious(siblingSuspicion(sibling.last, next));
    return damaged(seq === 1 ? startedTwice(next) : inserted(next));
  }
  const last = here
    .map((segment) => segment.last)
    .reduce((former, later) => (isBefore(former, later) ? later : former));
  if (seq > last.entry.seq + 1) return suspicious(gapSuspicion(last, next));
  if (seq === last.entry.seq + 1) return suspicious(linkSuspicion(last, next));
  return suspicious(straySuspicion(next));
}

/** The damage that shows only when every file has been read: segments that follow nothing, or not the right entry. */
export function looseSegment(chain: RunChain): Damage | undefined {
  const followed = new Set<string>();
  const damages = chain.segments.flatMap((segment) => {
    const { entry, at } = segment.first;
    // An actor that died before any head was anchored left nothing to go on from: its successor resumes at the beginning.
    const isResumption = entry.type === 'run.resumed';
    const isSecond = !isResumption && followed.has(entry.prev);
    if (!isResumption) followed.add(entry.prev);
    if (entry.seq === 1) return isSecond ? [startedTwice(segment.first)] : [];
    const parent = chain.known.get(entry.prev);
    if (parent === undefined) return [missingBefore(segment.first, chain)];
    if (parent.seq + 1 !== entry.seq) return [misnumbered(segment.first)];
    if (parent.segment.fileNumber === segment.fileNumber && !segment.followsKnown) {
      const message = `Entry ${entry.seq} stands before the entry ${parent.seq} that it follows`;
      return [{ what: 'reordered', at, message } as const];
    }
    const followsEnd = parent.seq === parent.segment.last.entry.seq;
    return !isResumption && (isSecond || !followsEnd) ? [inserted(segment.first)] : [];
  });
  return damages.sort((a, b) => (a.at.seq ?? 0) - (b.at.seq ?? 0))[0];
}

function missingBefore({ entry, at }: PlacedEntry, chain: RunChain): Damage {
  const to = entry.seq - 1;
  const ends = chain.segments.map((segment) => segment.last.entry.seq).filter((seq) => seq < to);
  const from = chain.segments.some(({ first, last }) => first.entry.seq <= to && last.entry.seq >= to)
    ? to
    : Math.max(0, ...ends) + 1;
  return {
    what: 'missing',
    at,
    message: `Missing: ${entriesFromTo(from, to)} of run ${chain.run}, before entry ${entry.seq} (follows hash ${entry.prev}); give the files of the earlier actors as well`,
  };
}

function isBefore(former: PlacedEntry, later: PlacedEntry): boolean {
  return former.at.line < later.at.line;
}

function duplicated({ entry, at }: PlacedEntry): Damage {
  return { what: 'duplicated', at, message: `Entry ${entry.seq} stands a second time` };
}

function misnumbered({ entry, at }: PlacedEntry): Damage {
  return { what: 'changed', at, message: `Entry ${entry.seq} has not the number after the entry that it follows` };
}

function startedTwice({ entry, at }: PlacedEntry): Damage {
  return {
    what: 'started-twice',
    at,
    message: `Run ${entry.run} starts a second time: where a run of the same name was made anew, verify the two journals apart`,
  };
}

function damaged(damage: Damage): ChainStep {
  return { kind: 'damaged', damage };
}

function suspicious(suspicion: Suspicion): ChainStep {
  return { kind: 'suspicious', suspicion };
}
