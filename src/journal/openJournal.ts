import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { boundedEvidence } from './boundedEvidence.js';
import { canonicalDigest } from './canonicalJson.js';
import type { Journal, JournalEntry, JournalHead, JournalRecord, JournalSink } from './entry.js';

/** Names that the journal itself gives; evidence must not use them. */
const ownNames = ['seq', 'time', 'run', 'prev', 'hash'] as const;

/**
 * The journal of one run, going on after `head` (undefined for a new run). Entries are written one after the other,
 * each to every sink. When a sink fails, this append and every later one rejects with a TurnusError that names the
 * sink: nothing may be done that is not recorded. Closing the sinks is the caller's task.
 */
export function openJournal(journal: {
  readonly run: string;
  readonly clock: Clock;
  readonly sinks: readonly JournalSink[];
  readonly head: JournalHead | undefined;
}): Journal {
  let head = journal.head ?? { seq: 0, hash: '' };
  let failure: TurnusError | undefined;
  let formerAppend: Promise<unknown> = Promise.resolve();

  const write = async (evidence: JournalRecord): Promise<JournalHead> => {
    if (failure !== undefined) throw failure;
    const entry = sealedEntry({ evidence, run: journal.run, timeMs: journal.clock.now(), former: head });
    for (const sink of journal.sinks) {
      try {
        await sink.write(entry);
      } catch (cause) {
        failure = sinkFailed(sink, entry, cause);
        throw failure;
      }
    }
    head = { seq: entry.seq, hash: entry.hash };
    return head;
  };

  return {
    head: () => head,
    async append(record) {
      // Taken now, so that the caller may change its objects while the entry waits for its turn.
      const { type, node, ...rest } = record;
      refuseOwnNames(rest);
      const evidence = { ...boundedEvidence(rest), type, ...(node === undefined ? {} : { node }) };
      const append = formerAppend.then(() => write(evidence));
      formerAppend = append.catch(() => undefined);
      return await append;
    },
  };
}

/** The entry as it is written: number, time and place in the chain added, the hash over all of it. */
function sealedEntry(input: {
  readonly evidence: JournalRecord;
  readonly run: string;
  readonly timeMs: number;
  readonly former: JournalHead;
}): JournalEntry {
  const { type, node, ...rest } = input.evidence;
  const content = {
    seq: input.former.seq + 1,
    time: new Date(input.timeMs).toISOString(),
    run: input.run,
    ...(node === undefined ? {} : { node }),
    type,
    ...rest,
    prev: input.former.hash,
  };
  return { ...content, hash: canonicalDigest(content) };
}

function refuseOwnNames(evidence: Readonly<Record<string, unknown>>): void {
  const taken = ownNames.find((name) => Object.hasOwn(evidence, name));
  if (taken === undefined) return;
  throw new TurnusError({
    code: 'journal-name-taken',
    message: `Evidence of a journal entry must not be called "${taken}": the journal itself uses that name`,
    hint: 'This is a defect in Turnus: please report it with this message.',
    exitCode: 1,
  });
}

function sinkFailed(sink: JournalSink, entry: JournalEntry, cause: unknown): TurnusError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new TurnusError({
    code: 'journal-sink-failed',
    message: `Entry ${entry.seq} (${entry.type}) of run ${entry.run} cannot be written to ${sink.name}: ${reason}`,
    hint: 'Nothing is done without a record. Make the journal writable again (space, permissions, reader), then start the same command again: the run goes on where it stopped.',
    exitCode: 1,
    cause,
  });
}
