import type { TestApi } from './api.js';
import type { DaemonSet, Deployment, Job, KubeObject, Pod, PodDisruptionBudget, StatefulSet } from './objects.js';
import { isTrue } from './objects.js';
import { waitFor } from './waitFor.js';

export type Workload = Deployment | StatefulSet | DaemonSet | Job | Pod | PodDisruptionBudget;

/** Creates the objects, in this order. */
export async function createAll(api: TestApi, objects: KubeObject[]): Promise<void> {
  for (const object of objects) await api.create(object);
}

/**
 * Waits until every object is as its spec says: all replicas Ready, the Job's pod running, the budget counts
 * all its pods as healthy.
 */
export async function waitForReady(options: { api: TestApi; objects: Workload[]; timeoutMs?: number }): Promise<void> {
  const { api, objects, timeoutMs = 60_000 } = options;
  const deadline = Date.now() + timeoutMs;
  for (const object of objects) {
    await waitFor({
      what: `${object.kind} ${object.metadata.namespace ?? 'default'}/${object.metadata.name} ready`,
      timeoutMs: Math.max(deadline - Date.now(), 0),
      intervalMs: 100,
      probe: () => isReady(api, object),
    });
  }
}

/** Creates the objects and waits until all are ready. */
export async function createReady(api: TestApi, objects: Workload[], timeoutMs?: number): Promise<void> {
  await createAll(api, objects);
  await waitForReady({ api, objects, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

async function isReady(api: TestApi, { kind, metadata: { name, namespace } }: Workload): Promise<boolean> {
  switch (kind) {
    case 'Deployment':
      return hasReplicas(await api.get({ kind, name, namespace }));
    case 'StatefulSet':
      return hasReplicas(await api.get({ kind, name, namespace }));
    case 'DaemonSet':
      return isEverywhere(await api.get({ kind, name, namespace }));
    case 'Job':
      return ((await api.get({ kind, name, namespace })).status?.ready ?? 0) > 0;
    case 'Pod':
      return isTrue(await api.get({ kind, name, namespace }), 'Ready');
    case 'PodDisruptionBudget':
      return isComputed(await api.get({ kind, name, namespace }));
  }
}

function hasReplicas({ spec, status, metadata }: Deployment | StatefulSet): boolean {
  if (status?.observedGeneration !== metadata.generation) return false;
  const { replicas = 0, readyReplicas = 0 } = status ?? {};
  return replicas === spec.replicas && readyReplicas === spec.replicas;
}

function isEverywhere({ status, metadata }: DaemonSet): boolean {
  if (status === undefined || status.observedGeneration !== metadata.generation) return false;
  return status.desiredNumberScheduled > 0 && status.numberReady === status.desiredNumberScheduled;
}

function isComputed({ status, metadata }: PodDisruptionBudget): boolean {
  if (status === undefined || status.observedGeneration !== metadata.generation) return false;
  return status.expectedPods > 0 && status.currentHealthy >= status.expectedPods;
}
