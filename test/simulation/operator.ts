import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import type { Ask } from '../../src/run/ask.js';
import { findRun } from '../../src/run/findRun.js';
import { listRuns } from '../../src/run/findRun.js';
import { putAsk } from '../../src/run/putAsk.js';
import type { Clock } from '../../src/time/clock.js';
import type { ActorEnd } from './actor.js';

/** How one call of `turnus run` ended for those who started it. */
export type CallEnd =
  { readonly kind: 'ended'; readonly end: ActorEnd } | { readonly kind: 'crashed'; readonly restartAfterMs: number };

export interface Operator {
  /** Starts the same command, and answers when it has ended or its machine has gone down. */
  readonly start: () => Promise<CallEnd>;
  /** The operator's own way to the API, which works. */
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const minuteMs = 60_000;
/** Tries after which an operator gives the matter up for the night. */
const patience = { errors: 40, blocked: 1, stopped: 6, retriesOfNode: 2, calls: 80 };

/**
 * Whoever started the run and wants it done by the morning: starts the same command again after a crash or an error,
 * asks for a retry of what failed, and skips a node that fails for the third time. Ends when nothing is left to do.
 */
export async function operate(operator: Operator): Promise<readonly number[]> {
  const { clock, log, signal } = operator;
  const exitCodes: number[] = [];
  const retries = new Map<string, number>();
  const counts = { errors: 0, blocked: 0, stopped: 0 };
  const again = async (what: keyof typeof counts, afterMs: number): Promise<boolean> => {
    counts[what] += 1;
    if (counts[what] > patience[what]) return false;
    await clock.sleep(afterMs, signal);
    return true;
  };
  for (let call = 1; call <= patience.calls; call += 1) {
    const ended = await operator.start();
    if (ended.kind === 'crashed') {
      await clock.sleep(ended.restartAfterMs, signal);
      continue;
    }
    const { exitCode, error } = ended.end;
    exitCodes.push(exitCode);
    log(`turnus run ended with exit code ${String(exitCode)}${error === undefined ? '' : ` (${error})`}`);
    if (exitCode === 0 || isAllDecided(ended.end)) break;
    if (exitCode === 4) {
      await clock.sleep(5 * minuteMs, signal);
      if (await answerFailures(operator, retries)) continue;
      break;
    }
    const goesOn =
      exitCode === 3
        ? await again('blocked', 10 * minuteMs)
        : exitCode === 7
          ? await again('stopped', 5 * minuteMs)
          : await again('errors', minuteMs);
    if (!goesOn) break;
  }
  return exitCodes;
}

/** Nothing is left that a further call would take: what is not Done was skipped by a person. */
function isAllDecided({ state }: ActorEnd): boolean {
  return state !== undefined && [...state.turns.values()].every(({ status }) => /^(Done|Skipped)$/.test(status.phase));
}

/** Retries every failed turn, skips those that failed too often; false where nothing was there to be asked. */
async function answerFailures(operator: Operator, retries: Map<string, number>): Promise<boolean> {
  const { cluster, clock, namespace, signal, log } = operator;
  const [run] = (await listRuns({ cluster, namespace, prefix: '' }, signal)).slice(-1);
  const found = run && (await findRun({ cluster, namespace, name: run.name }, signal));
  if (found === undefined) return false;
  const failed = found.turns.filter(({ status }) => status.phase === 'Failed');
  for (const { spec } of failed) {
    const tries = retries.get(spec.node) ?? 0;
    retries.set(spec.node, tries + 1);
    const ask: Ask = { verb: tries < patience.retriesOfNode ? 'retry' : 'skip', node: spec.node };
    const place = { cluster, clock, namespace, name: found.run.name };
    const id = `operator-${spec.node}-${String(tries)}`;
    const asked = await putAsk(place, { ask, by: 'operator', reason: 'the night must end', id }, signal);
    log(`operator asks for ${ask.verb} of ${spec.node}: ${asked.kind === 'no-run' ? 'no run' : asked.answer.kind}`);
  }
  return failed.length > 0;
}
