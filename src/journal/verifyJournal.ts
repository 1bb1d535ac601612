import { checkedEntry, type CheckedEntry, type LineReading } from './checkedEntry.js';
import type { Damage, DamageKind, JournalPlace } from './damage.js';
import type { JournalLine } from './journalLines.js';
import { verifiedRun, type VerifiedRun } from './liveBranch.js';
import { emptyRunChain, looseSegment, type RunChain } from './runChain.js';
import type { PlacedEntry, Suspicion } from './suspicion.js';

/** What verification found. */
export type JournalVerdict =
  | {
      readonly kind: 'intact';
      readonly runs: readonly VerifiedRun[];
      /** Lines that a crash cut off in the middle; they hold nothing that was acted on. */
      readonly torn: readonly { readonly file: string; readonly line: number }[];
      /** True when the head given from outside is the last entry. Else entries at the end may have been cut off. */
      readonly endProved: boolean;
    }
  | {
      readonly kind: 'broken';
      /** Undefined only where nothing was there at all. */
      readonly at: JournalPlace | undefined;
      readonly what: DamageKind;
      readonly message: string;
    };

/** The head from outside (the run's status, a ticket): the hash, and the number where it is known. */
export interface OutsideHead {
  readonly hash: string;
  readonly seq?: number;
}

/**
 * Checks that the entries of every run in the journal are unchanged, complete and in their order, and names the first
 * that is not. Files may come in any order, each in one piece; what two files have in common counts once.
 * Keeps one hash an entry in memory. Without `head` nobody can say whether entries were cut off at the end.
 */
export async function verifyJournal(journal: {
  readonly lines: AsyncIterable<JournalLine> | Iterable<JournalLine>;
  readonly head?: OutsideHead;
}): Promise<JournalVerdict> {
  const reading = new JournalReading();
  for await (const line of journal.lines) {
    const damage = reading.take(line);
    if (damage !== undefined) return { kind: 'broken', ...damage };
  }
  const damage = reading.end();
  if (damage !== undefined) return { kind: 'broken', ...damage };
  return verdict(reading, journal.head);
}

function verdict(reading: JournalReading, head: OutsideHead | undefined): JournalVerdict {
  const chains = [...reading.chains.values()];
  const anchored = head && chains.find((chain) => chain.known.has(head.hash));
  const runs = chains.flatMap((chain) => verifiedRun(chain, chain === anchored ? head?.hash : undefined) ?? []);
  if (head === undefined) return { kind: 'intact', runs, torn: reading.torn, endProved: false };
  const seq = anchored?.known.get(head.hash)?.seq;
  if (seq === undefined || (head.seq !== undefined && head.seq !== seq)) {
    const name = head.seq === undefined ? 'The entry' : `Entry ${head.seq}`;
    const message = `${name} with the hash ${head.hash} is not in the journal: the end was cut off or replaced, or the head belongs to another run`;
    return { kind: 'broken', what: 'end-missing', at: reading.lastPlace, message };
  }
  const endProved = runs.some((run) => run.run === anchored?.run && run.afterHead === 0);
  return { kind: 'intact', runs, torn: reading.torn, endProved };
}

/** The state of reading one journal line by line. */
class JournalReading {
  readonly chains = new Map<string, RunChain>();
  readonly torn: { file: string; line: number }[] = [];
  lastPlace: JournalPlace | undefined;
  private file: string | undefined;
  private fileNumber = 0;
  /** A line that is not JSON and is torn if a new actor's entry follows, or nothing that was cut at its end. */
  private unreadable: { readonly at: JournalPlace; readonly message: string } | undefined;
  private suspected: { readonly run: string; readonly suspicion: Suspicion } | undefined;

  take(line: JournalLine): Damage | undefined {
    if (line.file !== this.file || line.line <= (this.lastPlace?.line ?? 0)) {
      const damage = this.endFile();
      if (damage !== undefined) return damage;
      this.file = line.file;
      this.fileNumber += 1;
    }
    const reading = checkedEntry(line.text);
    this.lastPlace = { file: line.file, line: line.line, seq: seqOf(reading) };
    return line.text.trim() === '' ? undefined : this.takeReading(reading, this.lastPlace, line.ended ?? true);
  }

  end(): Damage | undefined {
    const damage = this.endFile();
    if (damage !== undefined) return damage;
    for (const chain of this.chains.values()) {
      const loose = looseSegment(chain);
      if (loose !== undefined) return loose;
    }
    return undefined;
  }

  private takeReading(reading: LineReading, at: JournalPlace, ended: boolean): Damage | undefined {
    if (this.suspected !== undefined) {
      if (reading.kind === 'entry' && reading.entry.run === this.suspected.run) {
        this.suspected.suspicion.observe(reading.entry);
      }
      return undefined;
    }
    if (this.unreadable !== undefined) {
      const isNewActor = reading.kind === 'entry' && /^run\.(resumed|started)$/.test(reading.entry.type);
      if (!isNewActor) return notJson(this.unreadable);
      this.torn.push({ file: this.unreadable.at.file, line: this.unreadable.at.line });
      this.unreadable = undefined;
    }
    switch (reading.kind) {
      case 'entry':
        return this.takeEntry({ entry: reading.entry, at });
      case 'not-json':
        if (reading.complete) return notJson({ at, message: reading.message });
        if (!ended) this.torn.push({ file: at.file, line: at.line });
        else this.unreadable = { at, message: reading.message };
        return undefined;
      case 'changed':
      case 'not-an-entry':
        return { what: reading.kind, at, message: reading.message };
    }
  }

  private takeEntry(next: PlacedEntry): Damage | undefined {
    const { entry } = next;
    const chain = this.chains.get(entry.run) ?? emptyRunChain(entry.run);
    this.chains.set(entry.run, chain);
    if (!chain.known.has(entry.prev)) {
      const other = this.runThatHolds(entry);
      if (other !== undefined) return wrongRun(next, other);
    }
    const step = chain.take(next, this.fileNumber);
    if (step.kind === 'damaged') return step.damage;
    if (step.kind === 'suspicious') this.suspected = { run: entry.run, suspicion: step.suspicion };
    return undefined;
  }

  private runThatHolds(entry: CheckedEntry): string | undefined {
    for (const chain of this.chains.values()) if (chain.known.has(entry.prev)) return chain.run;
    return undefined;
  }

  private endFile(): Damage | undefined {
    if (this.suspected !== undefined) return this.suspected.suspicion.verdict();
    return this.unreadable && notJson(this.unreadable);
  }
}

function seqOf(reading: LineReading): number | undefined {
  switch (reading.kind) {
    case 'entry':
      return reading.entry.seq;
    case 'not-json':
      return undefined;
    case 'changed':
    case 'not-an-entry':
      return reading.seq;
  }
}

function wrongRun({ entry, at }: PlacedEntry, otherRun: string): Damage {
  const message = `Entry ${entry.seq} says that it belongs to run ${entry.run}, but follows an entry of run ${otherRun}`;
  return { what: 'wrong-run', at, message };
}

function notJson({ at, message }: { at: JournalPlace; message: string }): Damage {
  return { what: 'not-json', at, message };
}
