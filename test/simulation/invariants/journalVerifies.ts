import type { JournalEntry } from '../../../src/journal/entry.js';
import { entryLine } from '../../../src/journal/entryLine.js';
import type { JournalLine } from '../../../src/journal/journalLines.js';
import { verifyJournal } from '../../../src/journal/verifyJournal.js';
import { nameOf, runStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** The journals of all actors together verify against the head in the run's status. */
export const journalVerifies: MakeInvariant = (night) => {
  const { say, violations } = complaints('journal-verifies', night);
  return {
    async atEnd({ journal }) {
      for (const run of night.truth.runs()) {
        const anchored = runStatusOf(run).journal;
        const lines = linesOf(journal.filter((entry) => entry.run === nameOf(run)));
        const head = anchored && { seq: anchored.seq, hash: anchored.head };
        if (lines.length === 0 && head === undefined) continue;
        const verdict = await verifyJournal({ lines, ...(head === undefined ? {} : { head }) });
        if (verdict.kind === 'broken')
          say(`the journal of ${nameOf(run)} is broken (${verdict.what}): ${verdict.message}`);
      }
    },
    violations,
  };
};

/** A file for each actor: what it wrote begins with an entry of its own and goes on from there. */
function linesOf(journal: readonly JournalEntry[]): readonly JournalLine[] {
  const files: JournalEntry[][] = [];
  for (const entry of journal) {
    const isFirst = entry.type === 'run.started' || entry.type === 'run.resumed';
    const own = isFirst ? undefined : files.find((file) => file.at(-1)?.hash === entry.prev);
    if (own === undefined) files.push([entry]);
    else own.push(entry);
  }
  return files.flatMap((entries, number) =>
    entries.map((entry, line) => ({ file: `actor-${number + 1}`, line: line + 1, text: entryLine(entry).trimEnd() })),
  );
}
