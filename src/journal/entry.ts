/**
 * One decision of a run with its evidence. The journal is a chain: `hash` is the SHA-256 over the canonical JSON
 * (RFC 8785) of the entry without `hash`, `prev` the hash of the entry before ('' for the first).
 */
export interface JournalEntry {
  readonly seq: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  readonly run: string;
  readonly node?: string;
  readonly type: JournalType;
  readonly prev: string;
  readonly hash: string;
  readonly [evidence: string]: unknown;
}

export type JournalType =
  | 'run.started'
  | 'run.resumed'
  | 'run.finished'
  | 'run.paused'
  | 'run.handed-over'
  | 'run.superseded'
  | 'runs.deleting'
  | 'request.answered'
  | 'turn.started'
  | 'turn.finished'
  | 'gate.checked'
  | 'node.cordoning'
  | 'node.cordoned'
  | 'node.uncordoning'
  | 'node.uncordoned'
  | 'nodes.steering'
  | 'nodes.steering-failed'
  | 'pod.evicting'
  | 'pod.gone'
  | 'eviction.refused'
  | 'owner.surging'
  | 'owner.surged'
  | 'surge.refused'
  | 'drain.requested'
  | 'drain.finished'
  | 'host.connected'
  | 'job.started'
  | 'job.finished'
  | 'reboot.requested'
  | 'boot.proved'
  | 'health.checked'
  | 'window.closed';

/** What a decision brings; seq, prev and hash are added by the journal. */
export interface JournalRecord {
  readonly type: JournalType;
  readonly node?: string;
  readonly [evidence: string]: unknown;
}

/** Where a journal stands: the last entry's number and hash. */
export interface JournalHead {
  readonly seq: number;
  readonly hash: string;
}

/** Append-only record of a run. */
export interface Journal {
  /** Appends and flushes to every sink; resolves when it is safe to act. */
  append(record: JournalRecord): Promise<JournalHead>;
  head(): JournalHead;
}

/** Takes finished entries: a file, standard output. */
export interface JournalSink {
  /** What people call it: a path, "standard output". */
  readonly name: string;
  /** Resolves when the entry is flushed. */
  write(entry: JournalEntry): Promise<void>;
  close(): Promise<void>;
}
