import type { Cluster } from '../cluster.js';
import type { Deployment, PodDisruptionBudget, StatefulSet } from '../objects.js';
import { createReady } from '../waitForReady.js';
import { daemonSet, deployment, disruptionBudget, statefulSet } from '../workloads.js';
import type { WorkloadOptions } from '../workloads.js';

export type Workload = Deployment | StatefulSet;

/** What runs on the cluster while its nodes are taken through their maintenance. */
export interface Scene {
  readonly workloads: readonly Workload[];
}

/** Pods end in 1.5 s and start in 2 to 6 s. */
const pace = (startMinMs = 2000, startMaxMs = 6000): Pick<WorkloadOptions, 'annotations'> => ({
  annotations: {
    'sandbox.turnus.dev/start-min': `${startMinMs}ms`,
    'sandbox.turnus.dev/start-max': `${startMaxMs}ms`,
    'sandbox.turnus.dev/stop-after': '1500ms',
  },
});

/**
 * Seeds the cluster and waits until all is Ready: workloads with room in their budgets and without, replicas gathered
 * on one node with and without a budget, slow starters, singletons; 100 pods on 12 nodes, more on more nodes.
 */
export async function seedScene(cluster: Cluster): Promise<Scene> {
  const times = Math.max(1, Math.round(cluster.nodeNames.length / 12));
  const workloads: Workload[] = [];
  const budgets: PodDisruptionBudget[] = [];
  const all = (count: number, make: (number: number) => Workload): Workload[] =>
    Array.from({ length: count * times }, (_, index) => make(index + 1));

  const daemons = daemonSet({ name: 'agent', startMs: 500 });
  await createReady(cluster.api, [daemons]);

  const bare = all(4, (number) => deployment({ name: `gathered-${number}`, replicas: 2, ...pace() }));
  const guarded = all(4, (number) => deployment({ name: `guarded-${number}`, replicas: 3, ...pace() }));
  await gather(cluster, [
    { node: cluster.nodeNames[0] ?? '', workloads: bare },
    { node: cluster.nodeNames[Math.floor(cluster.nodeNames.length / 2)] ?? '', workloads: guarded },
  ]);
  budgets.push(...guarded.map(({ metadata: { name } }) => disruptionBudget({ name, maxUnavailable: 1 })));
  workloads.push(...bare, ...guarded);

  const roomy = all(5, (number) => deployment({ name: `roomy-${number}`, replicas: 5, ...pace() }));
  budgets.push(...roomy.map(({ metadata: { name } }) => disruptionBudget({ name, minAvailable: '50%' })));
  const plain = all(6, (number) => deployment({ name: `plain-${number}`, replicas: 4, ...pace() }));
  const slow = all(3, (number) => deployment({ name: `slow-${number}`, replicas: 3, ...pace(8000, 10_000) }));
  const sets = all(3, (number) =>
    statefulSet({ name: `set-${number}`, replicas: 3, podManagementPolicy: 'Parallel', ...pace() }),
  );
  budgets.push(...[...slow, ...sets].map(({ metadata: { name } }) => disruptionBudget({ name, maxUnavailable: 1 })));
  const single = all(8, (number) =>
    deployment({
      name: `single-${number}`,
      replicas: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      ...pace(),
    }),
  );
  const spread = [...roomy, ...plain, ...slow, ...sets, ...single];
  workloads.push(...spread);
  await createReady(cluster.api, [...spread, ...budgets], 300_000);
  return { workloads };
}

/** Has the pods of each group started on its node alone: the others are cordoned meanwhile. */
async function gather(
  { api, nodeNames }: Cluster,
  groups: readonly { node: string; workloads: readonly Workload[] }[],
): Promise<void> {
  const cordonAllBut = async (open: string | undefined): Promise<void> => {
    for (const name of nodeNames) {
      const unschedulable = open !== undefined && name !== open;
      await api.patch({ kind: 'Node', name }, { body: { spec: { unschedulable } } });
    }
  };
  for (const { node, workloads } of groups) {
    await cordonAllBut(node);
    await createReady(api, [...workloads], 120_000);
  }
  await cordonAllBut(undefined);
}
