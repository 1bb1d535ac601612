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
  readonly which: 'ready' | 'unready' | 'unbound';
  /** Only on this node. */
  readonly node?: number;
}

export type Step =
  | { readonly do: 'evict'; readonly pods: readonly PodChoice[]; readonly how: 'plain' | 'dry-run' | 'other-uid' }
  | { readonly do: 'delete'; readonly pod: PodChoice }
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

function workloadPlan(random: SeededRandom, name: string, fixed: boolean): WorkloadPlan {
  const kind = random.pick(['Deployment', 'Deployment', 'Deployment', 'StatefulSet', 'StatefulSet', 'DaemonSet', 'Job', 'Pod'] as const);
  const place = random.pick([{ gathered: random.between(0, nodes - 1) }, 'apart', fixed ? 'apart' : 'anywhere'] as const);
  const isAlone = kind === 'Job' || kind === 'Pod';
  const replicas = isAlone ? 1 : place === 'apart' || kind === 'DaemonSet' ? nodes : random.between(1, 4);
  return {
    name,
    kind,
    replicas,
    place: kind === 'DaemonSet' ? 'apart' : isAlone ? { gathered: random.between(0, nodes - 1) } : place,
    parallel: random.chance(0.5),
    neverReady: kind !== 'Job' && random.chance(0.1),
    budget: random.chance(0.8) ? budgetPlan(random) : undefined,
  };
}

function budgetPlan(random: SeededRandom): BudgetPlan {
  const amount = random.pick([0, 1, 1, 2, 3, '10%', '34%', '50%', '90%', '100%']);
  const policy = random.pick([undefined, 'IfHealthyBudget', 'AlwaysAllow'] as const);
  return {
    ...(random.chance(0.5) ? { minAvailable: amount } : { maxUnavailable: amount }),
    ...(policy === undefined ? {} : { unhealthyPodEvictionPolicy: policy }),
  };
}

function step(random: SeededRandom, workloads: readonly WorkloadPlan[]): Step {
  const plan = random.pick(workloads);
  const workload = plan.name;
  const pod = (): PodChoice => podOf(random, plan);
  const node = random.between(0, nodes - 1);
  const drawn = random.between(1, 100);
  if (drawn <= 26) return { do: 'evict', pods: [pod()], how: 'plain' };
  if (drawn <= 36) return { do: 'evict', pods: [pod(), pod(), pod()], how: 'plain' };
  if (drawn <= 40) return { do: 'evict', pods: [pod()], how: 'dry-run' };
  if (drawn <= 43) return { do: 'evict', pods: [pod()], how: 'other-uid' };
  if (drawn <= 48) return { do: 'delete', pod: pod() };
  if (drawn <= 57) return { do: 'scale', workload, replicas: random.between(0, 4) };
  if (drawn <= 67) return { do: 'set-budget', workload, budget: budgetPlan(random) };
  if (drawn <= 69) return { do: 'second-budget', workload };
  if (drawn <= 71) return { do: 'remove-budgets', workload };
  if (drawn <= 79) return { do: 'cordon', node };
  if (drawn <= 84) return { do: 'uncordon', node };
  if (drawn <= 94) return { do: 'lose-readiness', pod: { workload, which: 'ready' } };
  return { do: 'regain-readiness', pod: { workload, which: 'unready' } };
}

function podOf(random: SeededRandom, plan: WorkloadPlan): PodChoice {
  const which = random.pick(['ready', 'ready', 'ready', 'unready', 'unbound'] as const);
  if (plan.place !== 'apart' || which === 'unbound') return { workload: plan.name, which };
  return { workload: plan.name, which, node: random.between(0, nodes - 1) };
}

/** A node is lost for a while. What ends on a machine without power differs between machines, so nothing does. */
function outage(random: SeededRandom, workloads: readonly WorkloadPlan[]): Step[] {
  const node = random.between(0, nodes - 1);
  const meanwhile = workloads.flatMap((plan): Step[] => {
    const others = [0, 1, 2].filter((number) => number !== node);
    if (plan.place === 'apart') {
      const pod: PodChoice = { workload: plan.name, which: 'ready', node: random.pick(others) };
      return [{ do: 'evict', pods: [pod], how: 'plain' }];
    }
    return [{ do: 'set-budget', workload: plan.name, budget: budgetPlan(random) }];
  });
  return [{ do: 'go-down', node }, random.pick(meanwhile), { do: 'boot', node }];
}
