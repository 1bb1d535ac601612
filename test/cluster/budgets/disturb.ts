import type { Cluster } from '../cluster.js';
import { waitFor } from '../waitFor.js';
import type { Case } from './compareVerdicts.js';
import type { BudgetPlan, NamespacePlan } from './drawPopulation.js';

/**
 * Does to budgets what the disruption controller, which stands still, does not see: edits their specs, evicts a pod
 * really, and marks one as disrupted, as an eviction does whose deletion has not come through.
 */
export async function disturb(
  cluster: Cluster,
  plans: readonly NamespacePlan[],
  cases: readonly Case[],
): Promise<void> {
  for (const { name: namespace, budgets } of plans) {
    for (const plan of budgets) await disturbOne(cluster, namespace, plan, cases);
  }
}

async function disturbOne(
  { api }: Cluster,
  namespace: string,
  { name, disturbance, spec }: BudgetPlan,
  cases: readonly Case[],
): Promise<void> {
  const reference = { kind: 'PodDisruptionBudget', namespace, name } as const;
  if (disturbance === 'edited') {
    // The one of the two fields that it does not have; then none of its former numbers holds.
    const other = spec['minAvailable'] === undefined ? 'minAvailable' : 'maxUnavailable';
    await api.patch(reference, { body: { spec: { minAvailable: null, maxUnavailable: null, [other]: 1 } } });
    return;
  }
  const evictable = cases.find(
    ({ verdict, budgets: [selected] }) =>
      verdict === 'allowed' && selected?.budget.name === name && selected.budget.namespace === namespace,
  );
  if (evictable === undefined || disturbance === 'none') return;
  const podName = evictable.pod.slice(namespace.length + 1);
  if (disturbance === 'debited') {
    await api.evict({ namespace, name: podName, uid: evictable.uid });
    return;
  }
  const { status } = await api.get(reference);
  await api.patch(reference, {
    subresource: 'status',
    body: {
      status: {
        disruptionsAllowed: (status?.disruptionsAllowed ?? 1) - 1,
        disruptedPods: { [podName]: new Date().toISOString().replace(/\.\d+Z$/, 'Z') },
      },
    },
  });
}

/**
 * Has the disruption controller count every budget anew: of two budgets over one pod, its changes are counted in one
 * alone (pkg/controller/disruption/disruption.go, getPdbForPod).
 */
export async function touchBudgets({ api }: Cluster, plans: readonly NamespacePlan[]): Promise<void> {
  for (const { name: namespace, budgets } of plans) {
    for (const { name } of budgets) {
      const annotations = { 'test.example.com/touched': new Date().toISOString() };
      await api.patch({ kind: 'PodDisruptionBudget', namespace, name }, { body: { metadata: { annotations } } });
    }
  }
}

const quietProbes = 10;

/** Waits until ten looks at the pods and budgets, 100 ms apart, have shown no change. */
export async function untilQuiet({ api }: Cluster, plans: readonly NamespacePlan[]): Promise<void> {
  let before = '';
  let alike = 0;
  await waitFor({
    what: 'the populations to be quiet',
    timeoutMs: 60_000,
    intervalMs: 100,
    probe: async () => {
      const versions: string[] = [];
      for (const { name: namespace } of plans) {
        for (const kind of ['Pod', 'PodDisruptionBudget'] as const) {
          const objects = await api.list({ kind, namespace });
          versions.push(...objects.map(({ metadata }) => `${metadata.uid ?? ''} ${metadata.resourceVersion ?? ''}`));
        }
      }
      const now = versions.join('\n');
      alike = now === before ? alike + 1 : 0;
      before = now;
      return alike >= quietProbes;
    },
  });
}
