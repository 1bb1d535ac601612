import { readInstallation } from '../install/installation.js';
import { journalLines } from '../journal/journalLines.js';
import { verifyJournal, type OutsideHead } from '../journal/verifyJournal.js';
import { findRun } from '../run/findRun.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { print, type ClusterOptions, type CommandIo } from './io.js';

export interface VerifyOptions extends ClusterOptions {
  readonly head?: string;
  readonly run?: string;
}

/** `turnus journal verify`: exit 0 where nothing was altered, 3 where something was. */
export async function verifyCommand(io: CommandIo, files: readonly string[], options: VerifyOptions): Promise<number> {
  const head = await outsideHead(io, options);
  const verdict = await verifyJournal({ lines: journalLines(files), ...(head === undefined ? {} : { head }) });
  if (verdict.kind === 'broken') {
    const where = verdict.at === undefined ? '' : `${verdict.at.file}:${String(verdict.at.line)}: `;
    await print(io, `${where}${verdict.what}: ${verdict.message}`);
    return 3;
  }
  if (verdict.runs.length === 0) {
    await print(io, `There is no entry in ${files.join(', ')}, so nothing is proved.`);
    return 3;
  }
  for (const run of verdict.runs) {
    await print(
      io,
      `${run.run}: ${String(run.entries)} entries from ${run.firstTime} to ${run.lastTime} are intact; head ${run.head.hash}`,
    );
    for (const orphans of run.orphans) {
      await print(
        io,
        `${run.run}: entries ${String(orphans.fromSeq)} to ${String(orphans.toSeq)} in ${orphans.file} are orphaned: their actor died before they were anchored`,
      );
    }
    if (run.afterHead > 0)
      await print(
        io,
        `${run.run}: ${String(run.afterHead)} entries follow the given head; nothing from outside proves them`,
      );
  }
  for (const torn of verdict.torn)
    await print(
      io,
      `${torn.file}:${String(torn.line)}: the line was cut off by a crash; it holds nothing that was acted on`,
    );
  await print(
    io,
    verdict.endProved
      ? 'The end is proved: the last entry is the head that is known from outside the journal.'
      : 'The end is not proved: entries may have been cut off there. Give --head HASH or --run RUN.',
  );
  return 0;
}

async function outsideHead(io: CommandIo, options: VerifyOptions): Promise<OutsideHead | undefined> {
  if (options.head !== undefined) return { hash: options.head };
  if (options.run === undefined) return undefined;
  const cluster = await connectCluster(io, { ...options, command: 'journal verify' });
  try {
    const { signal } = new AbortController();
    const { namespace } = await readInstallation(cluster, signal);
    const found = await findRun({ cluster, namespace, name: options.run }, signal);
    const journal = found?.run.status.journal;
    if (journal === undefined) {
      throw new TurnusError({
        code: 'no-journal-head',
        message:
          found === undefined
            ? `There is no run ${options.run} in namespace ${namespace}.`
            : `Run ${options.run} has no journal head yet.`,
        hint: 'List the runs with: kubectl get maintenanceruns -A',
      });
    }
    return { hash: journal.head, seq: journal.seq };
  } finally {
    cluster.close();
  }
}
