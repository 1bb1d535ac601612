import { randomUUID } from 'node:crypto';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { isObjectName } from '../cluster/objectName.js';
import { answerLines, recordedLines } from '../console/askLines.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import type { Ask } from '../run/ask.js';
import { awaitAnswer } from '../run/awaitAnswer.js';
import { listAllRuns } from '../run/listRuns.js';
import { readUserName, refuseMissingPermissions, refuseUnreachable } from '../run/preconditions.js';
import { putAsk } from '../run/putAsk.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { say, type ClusterOptions, type CommandIo } from './io.js';

export interface ControlOptions extends ClusterOptions {
  readonly reason?: string;
}

/** Runs that an unknown name is answered with. */
const mostRuns = 10;

/**
 * `turnus pause|resume|abort|retry|skip`: writes what is asked into the run and, where an actor is at work, waits a
 * moment for its answer. Acts on no node itself.
 */
export async function controlCommand(
  io: CommandIo,
  asked: { readonly run: string; readonly ask: Ask; readonly options: ControlOptions },
): Promise<number> {
  const { run, ask, options } = asked;
  const cluster = await connectCluster(io, { ...options, command: ask.verb });
  const { signal } = new AbortController();
  try {
    await refuseUnreachable(cluster, signal);
    const { namespace } = await readInstallation(cluster, signal);
    await refuseMissingPermissions({ cluster, wanted: permissionsFor('operate', namespace) }, signal);
    const by = await readUserName(cluster, signal);
    const place = { cluster, clock: io.clock, namespace, name: run };
    const put = isObjectName(run)
      ? await putAsk(place, { ask, by, reason: options.reason, id: randomUUID() }, signal)
      : { kind: 'no-run' as const };
    if (put.kind === 'no-run') throw await unknownRun({ cluster, namespace, run }, signal);
    const { state, answer } = put;
    switch (answer.kind) {
      case 'refused':
        throw new TurnusError({ code: 'ask-refused', message: answer.message, hint: answer.hint });
      case 'nothing':
        say(io, answer.message);
        return 0;
      case 'write': {
        for (const line of recordedLines(state, ask, answer.awaits)) say(io, line);
        for (const remark of answer.remarks) say(io, remark);
        const end = await awaitAnswer(
          { cluster, clock: io.clock, namespace, before: state, awaits: answer.awaits },
          signal,
        );
        for (const line of answerLines(state, ask, end)) say(io, line);
        return end.kind === 'refused' || end.kind === 'run-gone' ? 2 : 0;
      }
    }
  } finally {
    cluster.close();
  }
}

async function unknownRun(
  place: { cluster: ClusterPort; namespace: string; run: string },
  signal: AbortSignal,
): Promise<TurnusError> {
  const runs = await listAllRuns(place, signal);
  const named = runs.slice(0, mostRuns).map(({ name, phase }) => `${name} (${phase})`);
  const more = runs.length > mostRuns ? `, and ${String(runs.length - mostRuns)} older` : '';
  return new TurnusError({
    code: 'unknown-run',
    message: `There is no run ${JSON.stringify(place.run)} in namespace ${place.namespace} of ${place.cluster.target.server}.`,
    hint: named.length === 0 ? 'There is no run at all.' : `There are: ${named.join(', ')}${more}.`,
  });
}
