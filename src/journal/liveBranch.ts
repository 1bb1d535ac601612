import type { JournalHead } from './entry.js';
import type { RunChain, Segment } from './runChain.js';

/** Entries that a dead actor wrote after the head that its successor went on from. */
interface OrphanedEntries {
  readonly file: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** One run of a journal that is intact. */
export interface VerifiedRun {
  readonly run: string;
  /** Entries of the run as it went on, without the orphaned ones. */
  readonly entries: number;
  /** RFC 3339. */
  readonly firstTime: string;
  readonly lastTime: string;
  readonly head: JournalHead;
  /** How many entries are orphaned, and which. */
  readonly orphaned: number;
  readonly orphans: readonly OrphanedEntries[];
  /** Entries that follow the head given from outside: they are in the chain, but nothing proves them. */
  readonly afterHead: number;
}

/**
 * The branch of the run that counts: the one that holds `anchorHash` (the head from outside), and beyond it, or without
 * one, the branch of the successor that resumed last. Everything beside it is orphaned.
 */
export function verifiedRun(chain: RunChain, anchorHash: string | undefined): VerifiedRun | undefined {
  let root = latestOf(chain.segments.filter((segment) => segment.first.entry.seq === 1));
  if (root === undefined) return undefined;
  const anchor = anchorHash === undefined ? undefined : chain.known.get(anchorHash);
  /** How far each segment belongs to the branch. */
  const liveUntil = new Map<Segment, number>();
  for (let at = anchor; at !== undefined; at = chain.known.get(at.segment.first.entry.prev)) {
    liveUntil.set(at.segment, at.seq);
    root = at.segment;
  }

  let last = anchor?.segment ?? root;
  let fromSeq = anchor?.seq ?? 1;
  for (let next = successor(chain, last, fromSeq); next !== undefined; next = successor(chain, last, fromSeq)) {
    liveUntil.set(last, next.first.entry.seq - 1);
    last = next;
    fromSeq = next.first.entry.seq;
  }
  liveUntil.set(last, last.last.entry.seq);

  const { entry } = last.last;
  const orphans = chain.segments.flatMap((segment) => orphansOf(segment, liveUntil.get(segment)));
  return {
    run: chain.run,
    entries: entry.seq,
    firstTime: root.first.entry.time,
    lastTime: entry.time,
    head: { seq: entry.seq, hash: entry.hash },
    orphaned: orphans.reduce((sum, { fromSeq: from, toSeq }) => sum + toSeq - from + 1, 0),
    orphans,
    afterHead: anchor === undefined ? 0 : entry.seq - anchor.seq,
  };
}

/** The segment that goes on from `segment` at `fromSeq` or later; of several, the one that began last. */
function successor(chain: RunChain, segment: Segment, fromSeq: number): Segment | undefined {
  return latestOf(
    chain.segments.filter((candidate) => {
      const parent = chain.known.get(candidate.first.entry.prev);
      return parent?.segment === segment && parent.seq >= fromSeq;
    }),
  );
}

/** The one that began last. */
function latestOf(segments: readonly Segment[]): Segment | undefined {
  let latest: Segment | undefined;
  for (const segment of segments) {
    if (latest === undefined || beganAtMs(segment) >= beganAtMs(latest)) latest = segment;
  }
  return latest;
}

function beganAtMs(segment: Segment): number {
  return Date.parse(segment.first.entry.time);
}

function orphansOf(segment: Segment, liveUntil: number | undefined): OrphanedEntries[] {
  const fromSeq = liveUntil === undefined ? segment.first.entry.seq : liveUntil + 1;
  const toSeq = segment.last.entry.seq;
  return fromSeq > toSeq ? [] : [{ file: segment.first.at.file, fromSeq, toSeq }];
}
