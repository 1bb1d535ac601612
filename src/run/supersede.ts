import type { ClusterPort } from '../cluster/clusterPort.js';
import { adoptCordon } from '../cluster/cordon.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { HostPort } from '../host/hostPort.js';
import { TurnusError } from '../turnusError.js';
import { openRequests } from './ask.js';
import { isCarriedOver } from './carryOver.js';
import { findRun } from './findRun.js';
import { isOver } from './execution.js';
import { hasLeft } from './hasLeft.js';
import { isHostTouched } from './hostTouched.js';
import { isInWork } from './nextTurn.js';
import type { RunObject, TurnObject } from './objects.js';
import type { TurnStatus } from './state.js';
import { stages } from './stages.js';
import { stateFailure, type StateWriter } from './stateWrite.js';
import { openStore, type RunStore } from './store.js';
import { timestamp } from './turnContext.js';

/**
 * A run is not superseded while one of its scripts may still run: the successor would start a second one beside it.
 * Where the record does not say how a script ended, its host is asked; `hostOf` knows those of nodes in the cluster.
 *
 * @throws TurnusError `script-may-run`
 */
export async function refuseRunningJobs(
  old: {
    readonly cluster: ClusterPort;
    readonly namespace: string;
    readonly name: string;
    readonly hostOf: (node: string) => HostPort | undefined;
  },
  signal: AbortSignal,
): Promise<void> {
  const found = await findRun(old, signal);
  if (found === undefined || found.run.status.phase === 'Superseded') return;
  const left = nodesLeft(found.run);
  for (const { spec, status } of found.turns) {
    const { node } = spec;
    const host = old.hostOf(node);
    // Of a node that is no longer in the cluster nothing is begun.
    if (host === undefined || left.has(node) || status.phase === 'Done' || status.phase === 'Skipped') continue;
    for (const stage of stages) {
      const job = status.jobs?.[stage];
      if (job === undefined || isOver(job)) continue;
      const { execution } = job;
      const answer = await host.readJob({ runUid: found.run.uid, node, stage, execution }, 0, signal);
      if (answer.kind === 'ok' && answer.value.state !== 'running') continue;
      throw mayRun(old.name, { node, stage, why: answer.kind === 'ok' ? 'it runs' : answer.message });
    }
  }
}

function mayRun(run: string, job: { node: string; stage: string; why: string }): TurnusError {
  const { node, stage, why } = job;
  return new TurnusError({
    code: 'script-may-run',
    message: `Script ${stage} of run ${run} may still run on the host of ${node} (${why}); nothing was done.`,
    hint: `Start the same command again when it has ended. With the playbook as it was, turnus run -f PLAYBOOK follows it to its end; a node whose turn is Failed can be left out with: turnus skip ${run} ${node}`,
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
 * Takes over what another run left: its Done turns are done, unless it is of an earlier month, and its cordons become
 * ours together with the knowledge that a host was touched. Then the other run ends. Safe to repeat: each part asks first whether it is there already.
 */
export async function supersede(work: Supersession, signal: AbortSignal): Promise<'superseded' | 'was-over'> {
  const { writer, name } = work;
  const found = await findRun({ cluster: writer.cluster, namespace: writer.namespace, name }, signal);
  if (found === undefined) return 'was-over';
  if (found.run.status.phase === 'Superseded') {
    // A crash can have come between the end of the run and the end of its hold.
    await openStore({ ...writer, onChange: () => undefined }, found).hold(false, signal);
    return 'was-over';
  }
  const { replaces } = found.run.spec;
  // It can have ended before it had taken over all that its own predecessor left.
  if (replaces !== undefined) await supersede({ ...work, name: replaces }, signal);
  const left = nodesLeft(found.run);
  for (const turn of found.turns) await takeOver(work, { turn, leftBy: left.get(turn.spec.node) }, signal);
  await endOld(work, found, signal);
  return 'superseded';
}

/** Nodes that a person asked to leave out of the run, where nobody has answered yet, with who asked. */
function nodesLeft(run: RunObject): ReadonlyMap<string, string> {
  return new Map(
    openRequests(run).flatMap(({ verb, node, by }) =>
      verb === 'skip' && node !== undefined ? [[node, by ?? 'somebody who did not say who']] : [],
    ),
  );
}

interface LeftTurn {
  readonly turn: TurnObject;
  /** Who has asked to leave the node out. */
  readonly leftBy: string | undefined;
}

async function takeOver(work: Supersession, left: LeftTurn, signal: AbortSignal): Promise<void> {
  const { store, writer, cache, name } = work;
  const { spec, status: old } = left.turn;
  const { node: nodeName } = spec;
  const ours = store.state().turns.get(nodeName)?.status;
  const node = cache.view().nodes.get(nodeName);
  if (ours?.phase !== 'Pending' || node === undefined) return;
  const ended = endedBefore(work, left);
  if (ended === 'due again') return;
  if (ended !== undefined) {
    await store.saveTurn(nodeName, ended, signal);
    return;
  }
  const change: Partial<TurnStatus> = { displaced: old.displaced ?? ours.displaced };
  if (old.phase === 'Skipped') {
    if (change.displaced !== undefined) await store.saveTurn(nodeName, change, signal);
    return;
  }
  if (old.cordoned === true) {
    const run = store.state().name;
    const adopted = await adoptCordon({ cluster: writer.cluster, node, run, from: name, signal });
    if (adopted.kind !== 'ok') throw stateFailure(adopted, `take over the cordon of node ${nodeName} from run ${name}`);
    if (adopted.value) {
      change.cordoned = true;
      if (isHostTouched(old)) change.touchedBefore = true;
      if (hasLeft(old)) change.leftBefore = true;
      change.message = `Run ${name}, which this one replaces, left the node cordoned (${old.phase}); its whole turn is taken.`;
    }
  }
  await store.saveTurn(nodeName, change, signal);
}

/** What becomes of a turn that was done or left out: the same here, unless it was in an earlier month. */
function endedBefore(
  { store, writer, name }: Supersession,
  left: LeftTurn,
): Partial<TurnStatus> | 'due again' | undefined {
  const { status: old } = left.turn;
  const { name: successor, spec } = store.state();
  const isDueAgain = isCarriedOver({ name: successor, replaces: name }, spec.playbook.name);
  if (old.phase === 'Done') {
    const message = `had its turn in run ${name}, which this one replaces`;
    return isDueAgain ? 'due again' : { phase: 'Done', unrecovered: old.unrecovered, message };
  }
  if (isDueAgain) return old.phase === 'Skipped' ? 'due again' : undefined;
  const skippedBy = left.leftBy ?? (old.phase === 'Skipped' ? old.skippedBy : undefined);
  if (skippedBy === undefined) return undefined;
  const message = `Left out of run ${name} by ${skippedBy}, and so of this one, which replaces it.`;
  return { phase: 'Skipped', skippedBy, message, finishedAt: timestamp(writer.clock), displaced: old.displaced };
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
