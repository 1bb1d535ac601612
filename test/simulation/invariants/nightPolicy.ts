import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import type { Night, NightWorkload } from '../night.js';
import { appOf } from './truth.js';

/** What the playbook of the night says of the pod by itself. */
export function treatmentOf({ workloads }: Night, pod: ApiObject): NightWorkload['treatment'] {
  const { namespace } = pod.metadata;
  return workloads.find((workload) => workload.name === appOf(pod) && workload.namespace === namespace)?.treatment;
}

/** What happens to the only replica of a workload in this namespace. */
export function singletonPolicy({ playbook }: Night, namespace: string): 'allow' | 'surge' | 'block' {
  const own = (playbook.namespaceSpread ?? []).find((spread) => spread.namespace === namespace && spread.singletons);
  return own?.singletons ?? playbook.singletons ?? 'allow';
}

/** How many of so many desired replicas must stay Ready in this namespace; two or more are desired. */
export function replicasToKeep({ playbook }: Night, namespace: string, desired: number): number {
  const own = (playbook.namespaceSpread ?? []).find(
    (spread) => spread.namespace === namespace && spread.minReadyElsewhere !== undefined,
  );
  const share = own?.minReadyElsewhere ?? '50%';
  const asked = typeof share === 'number' ? share : Math.ceil((Number.parseInt(share, 10) * desired) / 100);
  return Math.max(1, Math.min(asked, desired - 1));
}
