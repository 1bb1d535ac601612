import { ownerOf, readyCount, replicasOf } from '../../cluster/replicas.js';
import type { ClusterServices } from '../../cluster/services.js';
import type { ClusterView, OwnerKey } from '../../cluster/view.js';
import { classifyPods } from '../../drain/classifyPods.js';
import { drain } from '../../drain/drain.js';
import type { DrainEnd, WaitingFor } from '../../drain/drainEnd.js';
import { restartMark } from '../../drain/surge.js';
import { podVolumes } from '../../drain/podVolumes.js';
import { acceptedFindings } from '../acceptedFindings.js';
import { isHostTouched } from '../hostTouched.js';
import { nodeFindings, readApiReadiness } from '../nodeFindings.js';
import { readNodeServices } from '../nodeServices.js';
import type { StepEnd } from '../outcome.js';
import type { TurnStatus } from '../state.js';
import { currentNode, vanished, type TurnContext } from '../turnContext.js';
import { blockedBy } from './blockedBy.js';
import { hostIsNode } from './hostIsNode.js';
import { rereadNode } from './rereadNode.js';
import { runScriptOrDefer } from './runScript.js';

/**
 * Empties the node. The gates are asked once more on a consistent reading after the cordon (rule 1), then the team's
 * `leave` script runs, then the pods leave.
 */
export async function drainNode(turn: TurnContext, signal: AbortSignal): Promise<StepEnd> {
  const reading = await rereadNode(turn, 'pods, budgets and owners', signal);
  if (reading.kind === 'not-read') return reading.end;
  const services = await readNodeServices(turn, { view: reading.view, beforeCordon: false }, signal);
  // A touched host is emptied whatever the gates say: its node does not go back unproven. The drain keeps the budgets.
  if (!isHostTouched(turn.status())) {
    const gates = await askGates(turn, { view: reading.view, services }, signal);
    if (gates.kind !== 'done') return gates;
  }
  const left = await runScriptOrDefer(turn, { stage: 'leave', beforeStart: () => hostIsNode(turn, signal) }, signal);
  if (left.kind !== 'done') return left;

  await recordDisplaced(turn);
  const evictionsBefore = turn.status().evictions ?? 0;
  const accepted = acceptedFindings(turn.status());
  const end = await drain({
    cluster: turn.cluster,
    cache: turn.cache,
    node: turn.nodeName,
    policy: turn.playbook.drain,
    spread: turn.playbook.gates.replicaSpread,
    managedBudgets: turn.playbook.gates.managedBudgets,
    vitalServices: services.vital,
    clock: turn.clock,
    signal,
    callSignal: turn.signal,
    journal: async (record) => {
      await turn.record(record);
    },
    report: ({ waitingFor, left: podsLeft, gone }) => {
      turn.waiting(waitInWords(waitingFor), { podsLeft, evictions: evictionsBefore + gone });
    },
    restartedFor: restartMark({ turn: turn.restartedAs, node: turn.nodeName }),
    // What a former attempt took is not waited for where a person has taken that on.
    displaced: accepted.has('not-recovered') ? new Map() : displacedBefore(turn),
    accepted,
    volumes: new Set(turn.status().volumes ?? []),
    evictions: turn.evictions,
    boundControllers: new Set(turn.status().boundControllers ?? []),
    evictedControllers: turn.evictedControllers,
    isFreshlyRead: turn.run.rehearsal || turn.playbook.host.scripts.leave === undefined,
  });
  for (const uid of end.evictedControllers) turn.evictedControllers.add(uid);
  turn.waiting(undefined);
  turn.note({
    displaced: mergedDisplaced(turn, end.displaced),
    evictions: evictionsBefore + end.evicted.length,
    boundControllers: boundControllersOf(turn, end),
    findings: withPodsLeft(turn, end),
  });
  signal.throwIfAborted();
  await turn.anchor();
  return stepEnd(turn, end);
}

async function askGates(
  turn: TurnContext,
  { view, services }: { readonly view: ClusterView; readonly services: ClusterServices },
  signal: AbortSignal,
): Promise<StepEnd> {
  const moment = turn.status().displaced === undefined ? 'after-cordon' : 'resumed';
  const { findings } = await nodeFindings(
    {
      api: await readApiReadiness(turn.cluster, signal),
      playbook: turn.playbook,
      view,
      nodeName: turn.nodeName,
      moment,
      run: turn.run.name,
      restartedAs: turn.restartedAs,
      accepted: acceptedFindings(turn.status()),
      leftShort: turn.leftShort(),
      acceptsUnmarkedCordon: turn.acceptsUnmarkedCordon,
      host: undefined,
      ownNode: turn.ownNode,
      services,
    },
    signal,
  );
  await turn.record({ type: 'gate.checked', node: turn.nodeName, moment, findings });
  const blocking = findings.filter((finding) => finding.severity === 'block');
  return blocking.length === 0 ? { kind: 'done' } : blockedBy(blocking);
}

function stepEnd(turn: TurnContext, end: DrainEnd): StepEnd {
  switch (end.kind) {
    case 'empty':
      return { kind: 'done' };
    case 'blocked':
      return blockedBy(end.findings);
    case 'timeout':
      return {
        kind: 'deferred',
        message: `The drain of ${turn.nodeName} did not end within its timeout; it waited for: ${end.waitingFor.map(({ what }) => what).join(' ')}`,
      };
    case 'deferred':
      return {
        kind: 'deferred',
        message: `Job pods still run on ${turn.nodeName} after spec.drain.jobPodsLimit: ${end.jobs.join(', ')}.`,
      };
    case 'not-cordoned':
      if (currentNode(turn) === undefined) return vanished(turn);
      return { kind: 'deferred', message: `Somebody uncordoned node ${turn.nodeName} during its drain.` };
    case 'stopped':
      return { kind: 'deferred', message: `The drain of ${turn.nodeName} was stopped.` };
  }
}

/**
 * Which owners will lose pods and what they have Ready now, and the volumes of those pods, written before the first pod
 * leaves (rule 5). A pod that the playbook leaves on the node is lost with its host.
 */
async function recordDisplaced(turn: TurnContext): Promise<void> {
  const view = turn.cache.view();
  const leaving = classifyPods({
    view,
    node: turn.nodeName,
    policy: turn.playbook.drain,
    now: turn.clock.now(),
  }).filter((standing) => standing.kind !== 'stays' || standing.why === 'left-by-policy');
  const owners = new Set(leaving.flatMap(({ pod }) => ownerOf(view, pod) ?? []));
  const ready = [...replicasOf(view, owners)].map(([owner, counted]): [OwnerKey, number] => [
    owner,
    readyCount(counted),
  ]);
  const pods = leaving.map(({ pod }) => pod);
  const volumes = [...new Set([...(turn.status().volumes ?? []), ...podVolumes(view, pods)])].sort();
  await turn.save({
    displaced: mergedDisplaced(turn, new Map(ready)),
    ...(volumes.length === 0 ? {} : { volumes }),
  });
}

/** What was recorded first counts: later counts already miss what this turn took. */
function mergedDisplaced(turn: TurnContext, more: ReadonlyMap<OwnerKey, number>): TurnStatus['displaced'] {
  const merged = new Map([...more, ...displacedBefore(turn)]);
  return [...merged].map(([owner, readyBefore]) => ({ owner, readyBefore }));
}

function displacedBefore(turn: TurnContext): Map<OwnerKey, number> {
  return new Map((turn.status().displaced ?? []).map(({ owner, readyBefore }) => [owner, readyBefore]));
}

function boundControllersOf(turn: TurnContext, end: DrainEnd): string[] {
  const view = turn.cache.view();
  return [...new Set(end.boundToNode.flatMap((key) => view.pods.get(key)?.controller?.uid ?? []))];
}

/** What the gates found, and the pods that are left on the node because they came back to it. */
function withPodsLeft(turn: TurnContext, end: DrainEnd): TurnStatus['findings'] {
  const before = (turn.status().findings ?? []).filter(({ code }) => code !== 'bound-to-node');
  const left = end.findings.filter(({ code }) => code === 'bound-to-node');
  return [
    ...before,
    ...left.map(({ code, severity, objects, message, hint }) => ({
      code,
      severity,
      objects: [...objects],
      message,
      hint,
    })),
  ];
}

/** Waits that are told at a time: status and screen have room for some. */
const mostWaits = 5;

function moreWaits(count: number): readonly string[] {
  return count <= 0 ? [] : [`And ${String(count)} more ${count === 1 ? 'wait' : 'waits'}.`];
}

function waitInWords(waits: readonly WaitingFor[]): { what: string; untilMs?: number; who?: string } | undefined {
  if (waits.length === 0) return undefined;
  const until = Math.min(...waits.map((wait) => wait.until ?? Infinity));
  return {
    what: [...waits.slice(0, mostWaits).map((wait) => wait.what), ...moreWaits(waits.length - mostWaits)].join(' '),
    ...(Number.isFinite(until) ? { untilMs: until } : {}),
    who: [...new Set(waits.flatMap((wait) => wait.who))].slice(0, 5).join(', '),
  };
}
