import type { Schedule } from '../calendar/schedule.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { LeaseLost, type HeldLease } from '../cluster/heldLease.js';
import { fenced } from '../cluster/fencedPort.js';
import { sharedEvictions } from '../drain/sharedEvictions.js';
import { cordonedByOf, lastTurnOf } from '../cluster/marks.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { HostPort, HostPorts } from '../host/hostPort.js';
import type { Journal, JournalSink } from '../journal/entry.js';
import { openJournal } from '../journal/openJournal.js';
import type { Playbook } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { conduct } from './conductor.js';
import type { PastTurn } from './forecastRun.js';
import { addressOf } from './hostAddress.js';
import { openRun } from './openRun.js';
import type { Plan } from './plan.js';
import { oneAfterAnother } from './oneAfterAnother.js';
import { overridesInWords, recordOverrides, type Overrides } from './overrides.js';
import { pruneRuns, type Pruning } from './pruneRuns.js';
import { openControl } from './runControl.js';
import { countTurns, exitCode, type RunStop } from './runEnd.js';
import { openRunWindow, windowRecord } from './runWindow.js';
import type { RunState } from './state.js';
import { headOf } from './openTurn.js';
import { openStore, type RunStore } from './store.js';
import { refuseRunningJobs, supersede } from './supersede.js';
import { timestamp } from './turnContext.js';
import { turnLengthMs, turnsOfRun } from './turnLength.js';

export interface RunStart {
  readonly playbook: Playbook;
  readonly plan: Plan;
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  readonly hosts: HostPorts | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly namespace: string;
  readonly lease: HeldLease;
  /** Identity of this process, for people: user, host, a number. */
  readonly actor: string;
  readonly requester: string;
  readonly change: string | undefined;
  readonly reason: string | undefined;
  /** Id of the trigger on the Playbook object that this call is for. Absent: none. */
  readonly trigger?: string | undefined;
  readonly rehearsal: boolean;
  /** The unfinished run that this one supersedes. */
  readonly replaces: string | undefined;
  /** When turns may start, what is overridden already taken out of it. */
  readonly schedule: Schedule;
  readonly overrides: Overrides;
  /** What former runs tell of the length of turns. */
  readonly past: readonly PastTurn[];
  readonly only: ReadonlySet<string> | undefined;
  /** The node that this actor runs on, where it is known (rule 13). */
  readonly ownNode?: string | undefined;
  /** Another actor may take that node: the run ends with `own-node` when nothing else is left. Absent: false. */
  readonly leavesOwnNode?: boolean;
  /** False: a paused run ends this call at once, for somebody else resumes it. Absent: true. */
  readonly staysWithPaused?: boolean;
  readonly sinks: readonly JournalSink[];
  readonly onChange: (state: RunState) => void;
  /** A sentence for people. */
  readonly log: (line: string) => void;
  /** Aborts when a person or the system asks to stop. */
  readonly stop: AbortSignal;
  readonly stoppedBy: () => RunStop | undefined;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stop: RunStop;
  readonly state: RunState;
}

/** Begins or continues the run under the lease and takes it to its end. */
export async function startRun(start: RunStart): Promise<RunResult> {
  const { lease, clock, plan, playbook } = start;
  const fence = () => {
    const held = lease.fence();
    if (held.kind === 'lost') throw new LeaseLost(held.reason);
  };
  const cluster = fenced(start.cluster, () => lease.fence());
  const { signal } = lease;
  if (start.replaces !== undefined) {
    await refuseRunningJobs({ ...start, name: start.replaces, hostOf: (node) => hostOf(start, node) }, signal);
  }
  const opened = await openRun(
    {
      cluster,
      namespace: start.namespace,
      name: plan.run,
      replaces: start.replaces,
      playbook,
      clusterUid: plan.clusterUid,
      planHash: plan.hash,
      requester: start.requester,
      change: start.change,
      reason: start.reason,
      trigger: start.trigger,
      rehearsal: start.rehearsal,
    },
    signal,
  );
  const writer = { cluster, clock, namespace: start.namespace, actor: start.actor };
  const { overrides, requester, reason = '' } = start;
  const run = await recordOverrides(writer, { run: opened.run, overrides, by: requester, reason }, signal);
  const store = openStore({ ...writer, onChange: start.onChange }, { ...opened, run });
  const head = run.status.journal;
  const journal = openJournal({
    run: plan.run,
    clock,
    sinks: start.sinks,
    head: head === undefined ? undefined : { seq: head.seq, hash: head.head },
  });
  const window = openRunWindow({ schedule: start.schedule, clock, signal });
  try {
    await journal.append({
      type: opened.isNew ? 'run.started' : 'run.resumed',
      actor: start.actor,
      requester: start.requester,
      planHash: plan.hash,
      clusterUid: plan.clusterUid,
      playbook: playbook.name,
      order: plan.order,
      rehearsal: start.rehearsal,
      window: windowRecord(window.state()),
      ...(overridesInWords(overrides).length === 0 ? {} : { overrides: overridesInWords(overrides) }),
      ...(start.change === undefined ? {} : { change: start.change }),
      ...(start.reason === undefined ? {} : { reason: start.reason }),
    });
    const { seq, hash } = journal.head();
    await store.saveRun(
      {
        phase: 'Running',
        startedAt: run.status.startedAt ?? timestamp(clock),
        finishedAt: undefined,
        // What the former call ended with, and waited for.
        message: undefined,
        waitingFor: undefined,
        window: windowRecord(window.state()),
        order: [...new Set([...(run.status.order ?? []), ...plan.order])],
        journal: { seq, head: hash },
      },
      signal,
    );
    await addTurns({ store, start, isNew: opened.isNew }, signal);
    const replaced = run.spec.replaces;
    if (replaced !== undefined) {
      const end = await supersede({ writer, cache: start.cache, store, name: replaced }, signal);
      if (end === 'superseded') await journal.append({ type: 'run.superseded', superseded: replaced });
    }
    await store.saveRun({ counts: countTurns(store.state()) }, signal);
    const stop = await conduct({
      playbook,
      cluster,
      cache: start.cache,
      hosts: start.hosts,
      clock,
      random: start.random,
      journal,
      store,
      control: openControl(run),
      window,
      turnLengthMs: (node) => turnLength({ node, start, store }),
      exclusively: oneAfterAnother(),
      inHand: new Set(),
      steered: new Set(),
      givenUp: new Set(),
      evictions: sharedEvictions(),
      namespace: start.namespace,
      fence,
      only: start.only,
      ownNode: start.ownNode,
      staysWithPaused: start.staysWithPaused ?? true,
      leftToOthers: start.leavesOwnNode === true ? start.ownNode : undefined,
      selected: new Set(plan.order),
      signal,
      stop: AbortSignal.any([signal, start.stop]),
      stoppedBy: start.stoppedBy,
    });
    // A run that a person has deleted has nowhere to record what else is deleted.
    if (!endsUnpruned.includes(stop.kind)) await pruneOld({ ...start, cluster, journal, store }, signal);
    return result(store, stop);
  } catch (error) {
    if (error instanceof LeaseLost || signal.aborted)
      return result(store, start.stoppedBy() ?? { kind: 'other-actor' });
    throw error;
  } finally {
    await window.close();
  }
}

/** Not where there is nowhere to record it, nor where the process has to end. */
const endsUnpruned: readonly RunStop['kind'][] = ['deleted', 'hand-over'];

/** The turns of this run that are done tell as much as former ones. */
function turnLength({ node, start, store }: { node: string; start: RunStart; store: RunStore }): number {
  const estimateMs = start.plan.nodes.find((planned) => planned.node === node)?.estimateMs ?? 0;
  return turnLengthMs({ node, past: [...start.past, ...turnsOfRun(store.state())], estimateMs });
}

/** Not where this call was asked to stop. */
async function pruneOld(run: RunStart & { journal: Journal; store: RunStore }, signal: AbortSignal): Promise<void> {
  const { cluster, namespace, playbook, plan, cache, journal, store, log } = run;
  const unlessStopped = AbortSignal.any([signal, run.stop]);
  if (unlessStopped.aborted) return;
  const record: Pruning['record'] = async (evidence) => {
    await journal.append({ type: 'runs.deleting', ...evidence });
    await store.saveRun({ journal: headOf(journal) }, signal);
  };
  const nodes = cache.view().nodes.values();
  await pruneRuns({ cluster, namespace, playbook, current: plan.run, nodes, record, log }, unlessStopped);
}

function hostOf({ cache, hosts, playbook }: RunStart, name: string): HostPort | undefined {
  const node = cache.view().nodes.get(name);
  return node && hosts?.hostOf({ name, address: addressOf(node, playbook.host.ssh.address) ?? name });
}

function result(store: RunStore, stop: RunStop): RunResult {
  const state = store.state();
  return { state, stop, exitCode: exitCode(countTurns(state), stop) };
}

/**
 * A turn for each node of the plan. A node that had its turn in a run of this name before is Done; one that carries the
 * cordon of this very run without having a turn lost its record, and its host may have been touched.
 */
async function addTurns(
  parts: { store: RunStore; start: RunStart; isNew: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { store, start, isNew } = parts;
  const view = start.cache.view();
  const { run } = start.plan;
  if (store.state().isDeleted) return;
  for (const name of start.plan.order) {
    const node = view.nodes.get(name);
    if (node === undefined || store.state().turns.has(name)) continue;
    await store.addTurn({ run, node: name, nodeUid: node.uid, rehearsal: start.rehearsal }, signal);
    if (lastTurnOf(node)?.run === run) {
      await store.saveTurn(name, { phase: 'Done', message: 'had its turn in an earlier run of this name' }, signal);
    } else if (!isNew && node.unschedulable && cordonedByOf(node) === run) {
      const message =
        'The record of its turn was lost; its host may have been touched, so the whole turn is taken again.';
      await store.saveTurn(name, { phase: 'Pending', cordoned: true, touchedBefore: true, message }, signal);
    }
  }
}
