import type { ClusterPort } from '../cluster/clusterPort.js';
import { adoptCordon } from '../cluster/cordon.js';
import type { WatchCache } from '../cluster/watchCache.js';
import { TurnusError } from '../turnusError.js';
import { openRequests } from './ask.js';
import { findRun } from './findRun.js';
import { isHostTouched } from './hostTouched.js';
import { isInWork } from './nextTurn.js';
import type { RunObject, TurnObject } from './objects.js';
import type { TurnStatus } from './state.js';
import { stages } from './stages.js';
import { stateFailure, type StateWriter } from './stateWrite.js';
import { openStore, type RunStore } from './store.js';
import { timestamp } from './turnContext.js';

/** Ends of a script that are known: it does not run any more. */
const knownEnds: readonly (string | undefined)[] = ['exited', 'timed-out', 'vanished', 'not-started', 'absent'];

/**
 * A run is not superseded while one of its scripts may still run: the successor would start a second one beside it.
 *
 * @throws TurnusError `script-may-run`
 */
export async function refuseRunningJobs(
  old: { cluster: ClusterPort; namespace: string; name: string },
  signal: AbortSignal,
): Promise<void> {
  const found = await findRun(old, signal);
  if (found === undefined) return;
  const left = nodesLeft(found.run);
  const unknown = found.turns.filter(
    ({ spec, status }) =>
      !left.has(spec.node) &&
      status.phase !== 'Done' &&
      status.phase !== 'Skipped' &&
      stages.some((stage) => status.jobs?.[stage] !== undefined && !knownEnds.includes(status.jobs[stage].state)),
  );
  if (unknown.length === 0) return;
  const nodes = unknown.map(({ spec }) => spec.node);
  throw new TurnusError({
    code: 'script-may-run',
    message: `A script of run ${old.name} may still run on ${nodes.join(', ')}; nothing was done.`,
    hint: `Let it end with the playbook as it was (turnus run -f PLAYBOOK), or, once somebody has looked at the host, leave the node out: turnus skip ${old.name} ${nodes[0] ?? 'NODE'}`,
    exitCode: 4,
  });
}

export interface Supersession {
  readonly writer: StateWriter;
  readonly cache: WatchCache;
  /** Of the run that supersedes. */
  readonly store: RunStore;
  /** Of the run that is superseded. */
  readonly name: string;
}

/**
 * Takes over what another run left: its Done turns are done, its cordons become ours together with the knowledge that a
 * host was touched. Then the other run ends. Safe to repeat: each part asks first whether it is there already.
 */
export async function supersede(work: Supersession, signal: AbortSignal): Promise<'superseded' | 'was-over'> {
  const { writer, name } = work;
  const found = await findRun({ cluster: writer.cluster, namespace: writer.namespace, name }, signal);
  if (found === undefined || found.run.status.phase === 'Superseded') return 'was-over';
  const left = nodesLeft(found.run);
  for (const turn of found.turns) {
    if (!left.has(turn.spec.node)) await takeOver(work, turn, signal);
  }
  await endOld(work, found, signal);
  return 'superseded';
}

/** Nodes that a person asked to leave out of the old run, answered or not. */
function nodesLeft(run: RunObject): ReadonlySet<string> {
  return new Set(openRequests(run).flatMap(({ verb, node }) => (verb === 'skip' && node !== undefined ? [node] : [])));
}

async function takeOver(work: Supersession, old: TurnObject, signal: AbortSignal): Promise<void> {
  const { store, writer, cache, name } = work;
  const { node: nodeName } = old.spec;
  const ours = store.state().turns.get(nodeName)?.status;
  const node = cache.view().nodes.get(nodeName);
  if (ours?.phase !== 'Pending' || node === undefined) return;
  if (old.status.phase === 'Done') {
    await store.saveTurn(
      nodeName,
      { phase: 'Done', message: `had its turn in run ${name}, which this one replaces` },
      signal,
    );
    return;
  }
  if (old.status.phase === 'Skipped') return;
  const change: Partial<TurnStatus> = { displaced: old.status.displaced };
  if (old.status.cordoned === true) {
    const run = store.state().name;
    const adopted = await adoptCordon({ cluster: writer.cluster, node, run, from: name, signal });
    if (adopted.kind !== 'ok') throw stateFailure(adopted, `take over the cordon of node ${nodeName} from run ${name}`);
    if (adopted.value) {
      change.cordoned = true;
      if (isHostTouched(old.status)) change.touchedBefore = true;
      change.message = `Run ${name}, which this one replaces, left the node cordoned (${old.status.phase}); its whole turn is taken.`;
    }
  }
  await store.saveTurn(nodeName, change, signal);
}

async function endOld(
  work: Supersession,
  found: { run: RunObject; turns: readonly TurnObject[] },
  signal: AbortSignal,
): Promise<void> {
  const { writer, store } = work;
  const successor = store.state().name;
  const old = openStore({ ...writer, onChange: () => undefined }, found);
  for (const { spec, status } of found.turns) {
    if (!isInWork(status.phase)) continue;
    const message = `Ended while ${status.phase}: run ${successor} supersedes this one and goes on with the node.`;
    await old.saveTurn(spec.node, { phase: 'Skipped', message, cordoned: undefined, waitingFor: undefined }, signal);
  }
  await old.saveRun(
    {
      phase: 'Superseded',
      supersededBy: successor,
      message: `Superseded by run ${successor}.`,
      finishedAt: timestamp(writer.clock),
      waitingFor: undefined,
    },
    signal,
  );
  await old.hold(false, signal);
}
