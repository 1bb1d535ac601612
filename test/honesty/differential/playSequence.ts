import { createAll } from '../../cluster/waitForReady.js';
import type { Workload } from '../../cluster/waitForReady.js';
import { waitFor } from '../../cluster/waitFor.js';
import { barePod, daemonSet, deployment, job, statefulSet } from '../../cluster/workloads.js';
import type { WorkloadOptions } from '../../cluster/workloads.js';
import { addBudget, applyStep, removeAll, startMs } from './applyStep.js';
import { nodeName, podsOf } from './lane.js';
import type { Lane } from './lane.js';
import type { Sequence, WorkloadPlan } from './sequence.js';
import { quietSnapshot } from './snapshot.js';
import type { Snapshot } from './snapshot.js';
import { followTrails } from './trails.js';
import type { Trails } from './trails.js';

/** Where two clusters did not behave alike. */
export interface Difference {
  readonly seed: number;
  /** After which step, in words. */
  readonly at: string;
  readonly what: 'answers' | 'state' | 'events';
  /** What only one of the two had, each line with the name of the side. */
  readonly lines: readonly string[];
}

/** How long two quiet clusters may take to agree: a controller that is late is not another one. */
const agreeWithinMs = 10_000;

/**
 * Plays a sequence in both lanes, step by step, and compares after each: what the server answered at once, and how
 * everything is when it is quiet again. Ends at the first difference. Leaves nothing behind.
 */
export async function playSequence(lanes: readonly [Lane, Lane], sequence: Sequence): Promise<Difference | undefined> {
  const { workloads } = sequence;
  const trails = await both(lanes, followTrails);
  try {
    return await compareSteps(lanes, sequence, trails);
  } finally {
    const cleared = both(lanes, (lane) => leaveNothing(lane, workloads));
    // What went wrong before says more than what cannot be cleared after it.
    await cleared.catch((error: unknown) => {
      console.error(error);
    });
    for (const trail of trails) await trail.stop();
  }
}

async function compareSteps(
  lanes: readonly [Lane, Lane],
  { seed, workloads, steps }: Sequence,
  trails: readonly [Trails, Trails],
): Promise<Difference | undefined> {
  await both(lanes, (lane) => createWorkloads(lane, workloads));
  // Budgets after pods: what a budget says of a workload without scale depends on which of the two was there first.
  await both(lanes, (lane) => quietSnapshot(lane, workloads));
  await both(lanes, (lane) => createBudgets(lane, workloads));
  const first = await compareStates(lanes, workloads);
  if (first !== undefined) return { seed, at: 'after the start', what: 'state', lines: first };
  for (const [index, step] of steps.entries()) {
    const at = `after step ${String(index + 1)}, ${JSON.stringify(step)}`;
    const answers = await both(lanes, (lane) => applyStep(lane, step, workloads));
    const answered = differing(lanes, answers);
    if (answered !== undefined) return { seed, at, what: 'answers', lines: answered };
    const state = await compareStates(lanes, workloads);
    if (state !== undefined) return { seed, at, what: 'state', lines: state };
  }
  const events = await compareTrails(lanes, { trails, workloads });
  return events === undefined ? undefined : { seed, at: 'at the end', what: 'events', lines: events };
}

async function both<T>(lanes: readonly [Lane, Lane], act: (lane: Lane) => Promise<T>): Promise<[T, T]> {
  return await Promise.all([act(lanes[0]), act(lanes[1])]);
}

async function compareStates(
  lanes: readonly [Lane, Lane],
  workloads: readonly WorkloadPlan[],
): Promise<string[] | undefined> {
  return await untilAgreed(async () => differing(lanes, await both(lanes, (lane) => quietSnapshot(lane, workloads))));
}

async function compareTrails(
  lanes: readonly [Lane, Lane],
  { trails, workloads }: { trails: readonly [Trails, Trails]; workloads: readonly WorkloadPlan[] },
): Promise<string[] | undefined> {
  const linesOf = (trail: Trails): string[] => [
    // Each once: how many pods there were shows in the states.
    ...workloads.flatMap((plan) => statesOf(trail, plan).map((states) => `a pod of ${plan.name}: ${states}`)),
    ...trail.nodes(),
  ];
  return await untilAgreed(() => Promise.resolve(differing(lanes, [linesOf(trails[0]), linesOf(trails[1])])));
}

/**
 * Without the pods of a StatefulSet that were deleted before they started: kwok deletes by name, without a UID
 * (pkg/kwok/controllers/pod_controller.go), and at times takes the namesake that follows.
 */
function statesOf(trail: Trails, { name, kind }: WorkloadPlan): string[] {
  const states = [...new Set(trail.pods(name))];
  return kind === 'StatefulSet' ? states.filter((one) => !one.endsWith('> Pending bound ending > deleted')) : states;
}

/** Asks until there is no difference any more; the last one, where there still is one after a while. */
async function untilAgreed(ask: () => Promise<string[] | undefined>): Promise<string[] | undefined> {
  let last: string[] | undefined;
  await waitFor({
    what: 'agreement',
    timeoutMs: agreeWithinMs,
    intervalMs: 200,
    probe: async () => (last = await ask()) === undefined,
  }).catch((error: unknown) => {
    if (last === undefined) throw error;
  });
  return last;
}

function differing(lanes: readonly [Lane, Lane], [one, other]: readonly [Snapshot, Snapshot]): string[] | undefined {
  const onlyOne = without(one, other).map((line) => `${lanes[0].side.name}: ${line}`);
  const onlyOther = without(other, one).map((line) => `${lanes[1].side.name}: ${line}`);
  const lines = [...onlyOne, ...onlyOther];
  return lines.length === 0 ? undefined : lines;
}

/** The lines of the first without those of the second, each counted as often as it is there. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return lines.filter((line) => {
    const index = left.indexOf(line);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

async function createWorkloads(lane: Lane, workloads: readonly WorkloadPlan[]): Promise<void> {
  await createAll(
    lane.side.api,
    workloads.map((plan) => workloadOf(lane, plan)),
  );
}

async function createBudgets(lane: Lane, workloads: readonly WorkloadPlan[]): Promise<void> {
  for (const { name, budget } of workloads) if (budget !== undefined) await addBudget(lane, name, name, budget);
}

function workloadOf(lane: Lane, plan: WorkloadPlan): Workload {
  const { name, replicas, place, neverReady, parallel } = plan;
  const nodes = typeof place === 'object' ? [nodeName(lane, place.gathered)] : [...lane.nodes];
  const options: WorkloadOptions = { name, namespace: lane.namespace, nodes, neverReady, startMs, stopMs: 300 };
  switch (plan.kind) {
    case 'Deployment':
      return deployment({ ...options, replicas, onePerNode: place === 'apart' });
    case 'StatefulSet':
      return statefulSet({ ...options, replicas, podManagementPolicy: parallel ? 'Parallel' : 'OrderedReady' });
    case 'DaemonSet':
      return daemonSet(options);
    case 'Job':
      return job({ ...options, runForMs: 600_000, backoffLimit: 0 });
    case 'Pod':
      return barePod(options);
  }
}

async function leaveNothing(lane: Lane, workloads: readonly WorkloadPlan[]): Promise<void> {
  await removeAll(lane, workloads);
  await waitFor({
    what: `no pods in ${lane.namespace} of the ${lane.side.name}`,
    probe: async () => (await podsOf(lane)).length === 0,
  });
}
