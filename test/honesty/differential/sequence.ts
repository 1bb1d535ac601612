import { seededRandom } from '../../../src/sandbox/seededRandom.js';
import type { SeededRandom } from '../../../src/sandbox/seededRandom.js';

/** What is done to both clusters, one step after the other. Plain data, the same for the same seed. */
export interface Sequence {
  readonly seed: number;
  readonly workloads: readonly WorkloadPlan[];
  readonly steps: readonly Step[];
}

/** Nodes are numbered from 0, within those that the sequence has for itself. */
export interface WorkloadPlan {
  readonly name: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'Pod';
  readonly replicas: number;
  /** All pods on one node; one on each node; or wherever the scheduler likes. */
  readonly place: { readonly gathered: number } | 'apart' | 'anywhere';
  readonly parallel: boolean;
  readonly neverReady: boolean;
  readonly budget: BudgetPlan | undefined;
}

export interface BudgetPlan {
  readonly minAvailable?: number | string;
  readonly maxUnavailable?: number | string;
  readonly unhealthyPodEvictionPolicy?: 'IfHealthyBudget' | 'AlwaysAllow';
}

/** A pod, named so that it means the same in both clusters, whatever the pods are called there. */
export interface PodChoice {
  readonly workload: string;
  /** `unready`: runs and is not Ready; `starting`: bound, and does not run yet. */
  readonly which: 'ready' | 'unready' | 'starting' | 'unbound';
  /** Counts those of a StatefulSet by their names, round and round; the others are all alike. */
  readonly rank: number;
  /** Only on this node. */
  readonly node?: number;
}

export type Step =
  | { readonly do: 'evict'; readonly pods: readonly PodChoice[]; readonly how: 'plain' | 'dry-run' | 'other-uid' }
  | { readonly do: 'delete'; readonly pod: PodChoice }
  /** As `kubectl rollout restart`. */
  | { readonly do: 'restart'; readonly workload: string; readonly mark: string }
  | { readonly do: 'scale'; readonly workload: string; readonly replicas: number }
  | { readonly do: 'set-budget'; readonly workload: string; readonly budget: BudgetPlan }
  | { readonly do: 'second-budget' | 'remove-budgets'; readonly workload: string }
  | { readonly do: 'cordon' | 'uncordon'; readonly node: number }
  | { readonly do: 'lose-readiness' | 'regain-readiness'; readonly pod: PodChoice }
  | { readonly do: 'go-down' | 'boot'; readonly node: number };

const nodes = 3;

/** The sequence of a seed. */
export function sequenceOf(seed: number): Sequence {
  const random = seededRandom(seed * 7919);
  // Which pods a lost node has must not depend on the scheduler's taste.
  const losesNodes = random.chance(0.35);
  const workloads = ['alpha', 'beta'].map((name) => workloadPlan(random, name, losesNodes));
  const steps: Step[] = [];
  const count = random.between(6, 9);
  const down = losesNodes ? random.between(1, count - 3) : -1;
  while (steps.length < count) {
    if (steps.length === down) steps.push(...outage(random, workloads));
    else steps.push(step(random, workloads));
  }
  return { seed, workloads, steps };
}

const kinds = [
  'Deployment',
  'Deployment',
  'Deployment',
  'StatefulSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'Pod',
] as const;

function workloadPlan(random: SeededRandom, name: string, fixed: boolean): WorkloadPlan {
  const drawn = random.pick(kinds);
  // After a boot the kubelet ends the pod of a Job (restartPolicy Never); the played one of the test cluster does not.
  const kind = fixed && drawn === 'Job' ? 'Deployment' : drawn;
  const place = placeOf(random, kind, fixed);
  return {
    name,
    kind,
    replicas: kind === 'Job' || kind === 'Pod' ? 1 : place === 'apart' ? nodes : random.between(1, 4),
    place,
    parallel: random.chance(0.5),
    // kwok deletes by name: it takes the namesake of a pod that ended before it had started as well.
    neverReady: kind !== 'Job' && random.chance(0.1) && kind !== 'StatefulSet',
    budget: random.chance(0.85) ? budgetPlan(random) : undefined,
  };
}

/** So that chance inside the clusters, such as the scheduler's, does not show in what is compared. */
function placeOf(random: SeededRandom, kind: WorkloadPlan['kind'], fixed: boolean): WorkloadPlan['place'] {
  const gathered = { gathered: random.between(0, nodes - 1) };
  const anywhere = fixed ? gathered : 'anywhere';
  switch (kind) {
    case 'DaemonSet':
      return 'apart';
    case 'Deployment':
      return random.pick([gathered, 'apart', anywhere] as const);
    case 'StatefulSet':
      return random.pick([gathered, anywhere] as const);
    case 'Job':
    case 'Pod':
      return gathered;
  }
}

function budgetPlan(random: SeededRandom): BudgetPlan {
  const amount = random.pick([0, 1, 1, 1, 2, 2, 3, '10%', '34%', '50%', '90%', '100%']);
  const policy = random.pick(['unset', 'IfHealthyBudget', 'AlwaysAllow'] as const);
  return {
    ...(random.chance(0.4) ? { minAvailable: amount } : { maxUnavailable: amount }),
    ...(policy === 'unset' ? {} : { unhealthyPodEvictionPolicy: policy }),
  };
}

function step(random: SeededRandom, workloads: readonly WorkloadPlan[]): Step {
  const plan = random.pick(workloads);
  const workload = plan.name;
  const pod = (which?: PodChoice['which']): PodChoice => podOf(random, plan, which);
  const node = random.between(0, nodes - 1);
  const drawn = random.between(1, 100);
  if (drawn <= 18) return { do: 'evict', pods: [pod()], how: 'plain' };
  if (drawn <= 36) return { do: 'evict', pods: [pod('ready'), pod('ready'), pod('ready')], how: 'plain' };
  if (drawn <= 40) return { do: 'evict', pods: [pod()], how: 'dry-run' };
  if (drawn <= 43) return { do: 'evict', pods: [pod()], how: 'other-uid' };
  if (drawn <= 48) return { do: 'delete', pod: pod() };
  if (drawn <= 57) return { do: 'scale', workload, replicas: replicasOf(random, plan) };
  if (drawn <= 67) return { do: 'set-budget', workload, budget: budgetPlan(random) };
  if (drawn <= 69) return { do: 'second-budget', workload };
  if (drawn <= 71) return { do: 'remove-budgets', workload };
  if (drawn <= 79) return { do: 'cordon', node };
  if (drawn <= 84) return { do: 'uncordon', node };
  // Others have no rollout, or one of which chance decides which pod goes first.
  const hasRollout = plan.kind === 'Deployment' && plan.place !== 'apart';
  if (drawn > 89 && hasRollout) return { do: 'restart', workload, mark: String(random.between(1, 2)) };
  if (drawn <= 94) return { do: 'lose-readiness', pod: pod('ready') };
  return { do: 'regain-readiness', pod: pod('unready') };
}

/** Of those apart, one on each node stays where there are any: which one would go is chance. */
function replicasOf(random: SeededRandom, { place }: WorkloadPlan): number {
  return place === 'apart' ? random.pick([0, nodes, nodes + 1]) : random.between(0, 4);
}

function podOf(random: SeededRandom, { name, place }: WorkloadPlan, which?: PodChoice['which']): PodChoice {
  const drawn = random.pick(['ready', 'ready', 'ready', 'ready', 'unready', 'starting', 'unbound'] as const);
  const choice = { workload: name, which: which ?? drawn, rank: random.between(0, 3) };
  const node = random.between(0, nodes - 1);
  return place === 'apart' && choice.which !== 'unbound' ? { ...choice, node } : choice;
}

/** A node is lost for a while. What ends on a machine without power differs between machines, so nothing does. */
function outage(random: SeededRandom, workloads: readonly WorkloadPlan[]): Step[] {
  const node = random.between(0, nodes - 1);
  const other = (node + random.between(1, nodes - 1)) % nodes;
  const plan = random.pick(workloads);
  const meanwhile: Step =
    plan.place === 'apart'
      ? { do: 'evict', pods: [{ workload: plan.name, which: 'ready', rank: 0, node: other }], how: 'plain' }
      : { do: 'set-budget', workload: plan.name, budget: budgetPlan(random) };
  return [{ do: 'go-down', node }, meanwhile, { do: 'boot', node }];
}
