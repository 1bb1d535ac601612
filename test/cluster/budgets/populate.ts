import type { Cluster } from '../cluster.js';
import type { Pod } from '../objects.js';
import { isTrue } from '../objects.js';
import { waitFor } from '../waitFor.js';
import { barePod, daemonSet, deployment, job, statefulSet } from '../workloads.js';
import type { WorkloadOptions } from '../workloads.js';
import { createCustom, createReplicationController } from './customKinds.js';
import type { NamespacePlan, PodFate, WorkloadPlan } from './drawPopulation.js';

const unready = 'sandbox.turnus.dev/unready';
const neverReady = 'sandbox.turnus.dev/never-ready';

/** Creates what stands in the namespace: the pods in their states, then the budgets over them. */
export async function populate(cluster: Cluster, plan: NamespacePlan): Promise<void> {
  const { api } = cluster;
  const namespace = plan.name;
  await cluster.createNamespace(namespace);
  for (const workload of plan.workloads) await createWorkload(cluster, namespace, workload);
  await untilStarted(cluster, plan);
  for (const workload of plan.workloads) {
    const pods = await podsOf(cluster, namespace, workload);
    for (const [index, pod] of pods.entries()) await meetFate(cluster, pod, workload.fates[index] ?? 'ready');
  }
  const operator = await createCustom(api, { kind: 'Fleet', namespace, name: 'operator', replicas: 0 });
  for (const { name, spec, managed } of plan.budgets) {
    await api.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: {
        name,
        namespace,
        ...(managed === 'owner' ? { ownerReferences: [operator] } : {}),
        ...(managed === 'label' ? { labels: { 'run-by': 'operator' } } : {}),
      },
      spec,
    });
  }
}

/** Makes every pod that stands in the way of a budget Ready, and takes away what holds those that end. */
export async function recover(cluster: Cluster, plan: NamespacePlan): Promise<void> {
  for (const pod of await cluster.api.list({ kind: 'Pod', namespace: plan.name })) {
    const reference = referenceTo(pod);
    if (pod.metadata.deletionTimestamp !== undefined) {
      await cluster.api.delete(reference, { gracePeriodSeconds: 0 });
    } else if (!isFinished(pod) && !isTrue(pod, 'Ready')) {
      const annotations = { [unready]: null, [neverReady]: null };
      await cluster.api.patch(reference, { body: { metadata: { annotations } } });
      if (pod.status?.phase === 'Running') await setReady(cluster, pod, 'True');
    }
  }
}

/** Deletes the namespace and does not wait for it. */
export async function remove(cluster: Cluster, plan: NamespacePlan): Promise<void> {
  await cluster.api.delete({ kind: 'Namespace', name: plan.name });
  for (const pod of await cluster.api.list({ kind: 'Pod', namespace: plan.name })) {
    await cluster.api.delete(referenceTo(pod), { gracePeriodSeconds: 0 });
  }
}

async function createWorkload({ api }: Cluster, namespace: string, plan: WorkloadPlan): Promise<void> {
  const { kind, name, replicas, labels, start } = plan;
  const options: WorkloadOptions = {
    name,
    namespace,
    labels: { ...labels },
    startMs: 50,
    // A pod whose deletion was asked for stays as long as the test looks at it.
    stopMs: 3_600_000,
    neverReady: start === 'starting',
    onePerNode: start === 'one-per-node',
    ...(start === 'unschedulable' ? { nodeSelector: { nowhere: 'true' } } : {}),
    podSpec: { terminationGracePeriodSeconds: 3600 },
  };
  switch (kind) {
    case 'Deployment':
      await api.create(deployment({ ...options, replicas }));
      return;
    case 'StatefulSet':
      await api.create(statefulSet({ ...options, replicas, podManagementPolicy: 'Parallel' }));
      return;
    case 'ReplicaSet': {
      const { spec, metadata } = deployment({ ...options, replicas });
      await api.create({ apiVersion: 'apps/v1', kind, metadata, spec });
      return;
    }
    case 'ReplicationController': {
      const { spec, metadata } = deployment({ ...options, replicas });
      const { template } = spec;
      await createReplicationController(api, namespace, {
        apiVersion: 'v1',
        kind,
        metadata,
        spec: { replicas, selector: { app: name }, template },
      });
      return;
    }
    case 'DaemonSet':
      await api.create(daemonSet(options));
      return;
    case 'Job': {
      const created = job({ ...options, runForMs: 3_600_000 });
      await api.create({ ...created, spec: { ...created.spec, parallelism: replicas, completions: replicas } });
      return;
    }
    case 'Pod':
    case 'Fleet':
    case 'Flock': {
      const controller = kind === 'Pod' ? undefined : await createCustom(api, { kind, namespace, name, replicas });
      for (let number = 0; number < replicas; number += 1) {
        const pod = barePod(options);
        pod.metadata.name = `${name}-${String(number)}`;
        if (controller !== undefined) pod.metadata.ownerReferences = [{ ...controller }];
        await api.create(pod);
      }
    }
  }
}

/** Waits until every pod is there, and those that can start have started. */
async function untilStarted(cluster: Cluster, plan: NamespacePlan): Promise<void> {
  for (const workload of plan.workloads) {
    await waitFor({
      what: `the pods of ${plan.name}/${workload.name}`,
      timeoutMs: 60_000,
      probe: async () => {
        const pods = await podsOf(cluster, plan.name, workload);
        const wanted = workload.kind === 'DaemonSet' ? cluster.nodeNames.length : workload.replicas;
        const started = pods.filter((pod) => isTrue(pod, 'Ready')).length;
        const nodes = cluster.nodeNames.length;
        const expected = { ordinary: wanted, starting: 0, unschedulable: 0, 'one-per-node': Math.min(wanted, nodes) };
        return pods.length === wanted && started === expected[workload.start];
      },
    });
  }
}

async function meetFate(cluster: Cluster, pod: Pod, fate: PodFate): Promise<void> {
  const { api } = cluster;
  const reference = referenceTo(pod);
  const status = async (body: object, type: 'merge' | 'strategic'): Promise<void> => {
    await api.patch(reference, { subresource: 'status', type, body: { status: body } });
  };
  switch (fate) {
    case 'ready':
      return;
    case 'unready':
      await api.patch(reference, { body: { metadata: { annotations: { [unready]: 'true' } } } });
      if (isTrue(pod, 'Ready')) await setReady(cluster, pod, 'False');
      return;
    case 'no-condition':
      if (isTrue(pod, 'Ready')) await status({ conditions: [] }, 'merge');
      return;
    case 'succeeded':
    case 'failed':
      await status({ phase: fate === 'failed' ? 'Failed' : 'Succeeded' }, 'merge');
      return;
    case 'terminating':
      await api.delete(reference);
  }
}

async function setReady({ api }: Cluster, pod: Pod, status: 'True' | 'False'): Promise<void> {
  const conditions = [{ type: 'Ready', status }];
  await api.patch(referenceTo(pod), { subresource: 'status', type: 'strategic', body: { status: { conditions } } });
}

async function podsOf({ api }: Cluster, namespace: string, { name }: WorkloadPlan): Promise<Pod[]> {
  const pods = await api.list({ kind: 'Pod', namespace, labelSelector: `app=${name}` });
  return pods.sort((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
}

function referenceTo({ metadata: { namespace, name } }: Pod) {
  return { kind: 'Pod', namespace, name } as const;
}

function isFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
