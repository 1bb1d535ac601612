import { seededRandom, type SeededRandom } from '../../../src/sandbox/seededRandom.js';

/** What stands in one namespace: pods in every state, and budgets of every form over them. */
export interface NamespacePlan {
  readonly name: string;
  readonly workloads: readonly WorkloadPlan[];
  readonly budgets: readonly BudgetPlan[];
}

export type WorkloadKind =
  | 'Deployment'
  | 'StatefulSet'
  | 'ReplicaSet'
  | 'ReplicationController'
  | 'DaemonSet'
  | 'Job'
  | 'Pod'
  | 'Fleet'
  | 'Flock';

export interface WorkloadPlan {
  /** `Pod`: without a controller. `Fleet`: a custom kind with a scale; `Flock`: one without. */
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly replicas: number;
  /** Besides `app: <name>`. */
  readonly labels: Readonly<Record<string, string>>;
  /** How all of its pods start. `one-per-node`: those beyond the number of nodes wait for one. */
  readonly start: 'ordinary' | 'starting' | 'unschedulable' | 'one-per-node';
  /** What becomes of its first, second ... pod once it is Ready. */
  readonly fates: readonly PodFate[];
}

export type PodFate = 'ready' | 'unready' | 'no-condition' | 'succeeded' | 'failed' | 'terminating';

export interface BudgetPlan {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Whether an operator runs it, known by the owner reference or by the label `run-by: operator`. */
  readonly managed: 'nobody' | 'owner' | 'label';
  /** What happens to it while the disruption controller stands still. */
  readonly disturbance: 'none' | 'edited' | 'debited' | 'marked';
}

/** How the selectors of a namespace lie to each other. */
type Layout = 'narrow' | 'shared' | 'broad' | 'overlapping';

const layouts: readonly Layout[] = ['narrow', 'narrow', 'shared', 'broad', 'overlapping'];

/** The same namespaces again for the same seed: some hundred pods in all. */
export function drawPopulation(seed: number): readonly NamespacePlan[] {
  const random = seededRandom(seed);
  return layouts.map((layout, index) => {
    const own = random.fork();
    const workloads = drawWorkloads(own, layout === 'narrow' ? 7 : 5);
    const name = `seed-${String(seed)}-${String(index)}`;
    return { name, workloads, budgets: drawBudgets(own, layout, workloads) };
  });
}

const kinds: readonly WorkloadKind[] = [
  ...(['Deployment', 'Deployment', 'Deployment', 'StatefulSet', 'StatefulSet', 'ReplicaSet'] as const),
  ...(['ReplicationController', 'Fleet', 'Fleet', 'Pod', 'Pod', 'Job', 'DaemonSet', 'Flock'] as const),
];

function drawWorkloads(random: SeededRandom, count: number): WorkloadPlan[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = random.pick(kinds);
    const replicas = random.pick([1, 1, 2, 2, 3, 3, 4, 5, 7]);
    return {
      kind,
      name: `app-${String(index)}`,
      replicas,
      labels: { ...(random.chance(0.7) ? { tier: random.pick(['front', 'back']) } : {}) },
      start: drawStart(random, kind),
      fates: drawFates(random, replicas),
    };
  });
}

function drawStart(random: SeededRandom, kind: WorkloadKind): WorkloadPlan['start'] {
  if (kind === 'DaemonSet' || random.chance(0.7)) return 'ordinary';
  return random.pick(['starting', 'unschedulable', 'one-per-node'] as const);
}

/** Most workloads are in order or miss one pod: only then do budgets decide. */
function drawFates(random: SeededRandom, replicas: number): PodFate[] {
  const trouble = random.pick([0, 0, 0.25, 0.25, 0.5]);
  const fates = ['unready', 'unready', 'unready', 'no-condition', 'succeeded', 'failed', 'terminating'] as const;
  return Array.from({ length: replicas }, () => (random.chance(trouble) ? random.pick(fates) : 'ready'));
}

function drawBudgets(random: SeededRandom, layout: Layout, workloads: readonly WorkloadPlan[]): BudgetPlan[] {
  const named = (spec: Record<string, unknown>, index: number): BudgetPlan => ({
    name: `budget-${String(index)}`,
    spec,
    managed: random.pick(['nobody', 'nobody', 'nobody', 'nobody', 'nobody', 'nobody', 'owner', 'label'] as const),
    disturbance: random.pick(['none', 'edited', 'edited', 'debited', 'marked'] as const),
  });
  return drawSelectors(random, layout, workloads)
    .map(({ selector, pods }) => ({
      ...drawAmount(random, pods),
      ...random.pick([
        {},
        {},
        { unhealthyPodEvictionPolicy: 'AlwaysAllow' },
        { unhealthyPodEvictionPolicy: 'IfHealthyBudget' },
      ]),
      ...(selector === undefined ? {} : { selector }),
    }))
    .map(named);
}

interface DrawnSelector {
  /** Undefined: the budget has none. */
  readonly selector: object | undefined;
  /** How many pods it may select. */
  readonly pods: number;
}

function drawSelectors(random: SeededRandom, layout: Layout, workloads: readonly WorkloadPlan[]): DrawnSelector[] {
  const all = { pods: 9 };
  const own = workloads
    .filter(() => random.chance(0.95))
    .map(({ name, replicas }) => ({ selector: drawOwnSelector(random, name), pods: replicas }));
  const wide = random.pick([
    {},
    { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
    { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] },
    { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
    { matchLabels: { tier: 'front' } },
  ]);
  switch (layout) {
    case 'narrow':
      return [...own, { selector: undefined, ...all }];
    case 'shared': {
      const names = workloads.map(({ name }) => name);
      const half = Math.ceil(names.length / 2);
      return [names.slice(0, half), names.slice(half)].map((values) => ({
        selector: { matchExpressions: [{ key: 'app', operator: 'In', values }] },
        ...all,
      }));
    }
    case 'broad':
      return [{ selector: wide, ...all }];
    case 'overlapping':
      return [{ selector: wide, ...all }, ...own.slice(0, 2)];
  }
}

function drawOwnSelector(random: SeededRandom, app: string): object {
  return random.pick([
    { matchLabels: { app } },
    { matchLabels: { app } },
    { matchExpressions: [{ key: 'app', operator: 'In', values: [app] }] },
    { matchExpressions: [{ key: 'app', operator: 'In', values: [app, 'nobody', app] }] },
    { matchLabels: { app }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
    { matchLabels: { app }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] },
  ]);
}

/** Around the number of pods there is, where it matters; rarely a budget that says neither. */
function drawAmount(random: SeededRandom, pods: number): Record<string, unknown> {
  const percent = random.pick(['0%', '1%', '10%', '34%', '50%', '90%', '100%']);
  return random.pick<() => Record<string, unknown>>([
    () => ({ minAvailable: random.between(Math.max(0, pods - 2), pods + 1) }),
    () => ({ minAvailable: random.between(0, pods) }),
    () => ({ minAvailable: percent }),
    () => ({ maxUnavailable: random.pick([0, 1, 1, 2, 3]) }),
    () => ({ maxUnavailable: random.pick([0, 1, 1, 2, 3]) }),
    () => ({ maxUnavailable: percent }),
    () => (random.chance(0.4) ? {} : { minAvailable: percent }),
  ])();
}
