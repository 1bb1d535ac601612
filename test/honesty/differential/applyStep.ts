import { randomUUID } from 'node:crypto';
import type { ApiResponse } from '../../cluster/api.js';
import { ApiFailure } from '../../cluster/api.js';
import { isTrue } from '../../cluster/objects.js';
import type { KindName, Pod } from '../../cluster/objects.js';
import { disruptionBudget } from '../../cluster/workloads.js';
import type { BudgetPlan, PodChoice, Step, WorkloadPlan } from './sequence.js';
import { choosePod, nodeName, unready } from './lane.js';
import type { Lane } from './lane.js';
import { answerOf } from './normalise.js';

/** Does one step to one cluster, and answers what the API server said, in words that do not depend on the cluster. */
export async function applyStep(lane: Lane, step: Step, workloads: readonly WorkloadPlan[]): Promise<string[]> {
  switch (step.do) {
    case 'evict':
      return await evict(lane, step);
    case 'delete':
      return [await withPod(lane, step.pod, (pod) => deletePod(lane, pod))];
    case 'restart':
      return [await restart(lane, step)];
    case 'scale':
      return [await scale(lane, step, workloads)];
    case 'set-budget':
      return [await setBudget(lane, step.workload, step.budget)];
    case 'second-budget':
      return [await addBudget(lane, `${step.workload}-second`, step.workload, { maxUnavailable: 1 })];
    case 'remove-budgets':
      return await removeBudgets(lane, step.workload);
    case 'cordon':
    case 'uncordon':
      return [await setCordon(lane, nodeName(lane, step.node), step.do === 'cordon')];
    case 'lose-readiness':
      return [await withPod(lane, step.pod, (pod) => loseReadiness(lane, pod))];
    case 'regain-readiness':
      return [await withPod(lane, step.pod, (pod) => annotatePod(lane, pod, null))];
    case 'go-down':
      await lane.side.machine(nodeName(lane, step.node)).goDown();
      return [];
    case 'boot':
      await lane.side.machine(nodeName(lane, step.node)).boot();
      return [];
  }
}

/** How long a pod of a sequence takes from being bound to being Ready. */
export const startMs = 1500;

/** So many evictions one after the other took so long that the pods that replace the first were Ready for the last. */
export class BurstTooSlow extends Error {}

/**
 * Chosen all at once; then one after the other, without waiting for what follows from each. The real server sleeps half
 * a second where a budget changes under its hands (EvictionsRetry of pkg/registry/core/pod/storage/eviction.go).
 */
async function evict(lane: Lane, step: Step & { do: 'evict' }): Promise<string[]> {
  const pods: (Pod | undefined)[] = [];
  for (const choice of step.pods) {
    pods.push(
      await choosePod(
        lane,
        choice,
        pods.filter((pod) => pod !== undefined),
      ),
    );
  }
  const answers: string[] = [];
  const startedMs = performance.now();
  for (const pod of pods) {
    if (pod === undefined) {
      answers.push('no such pod');
      continue;
    }
    const response = await lane.side.api.evict({
      name: pod.metadata.name,
      namespace: lane.namespace,
      dryRun: step.how === 'dry-run',
      ...(step.how === 'other-uid' ? { uid: randomUUID() } : {}),
    });
    // From the second on, whether the budget's status is up to date is a question of microseconds: it shows in words.
    answers.push(answerOf(response, { words: pods.length === 1 }));
  }
  const tookMs = performance.now() - startedMs;
  if (pods.length > 1 && tookMs > startMs) throw new BurstTooSlow(`${lane.side.name}: ${tookMs.toFixed()} ms`);
  return answers;
}

async function deletePod({ side, namespace }: Lane, { metadata }: Pod): Promise<string> {
  await side.api.delete({ kind: 'Pod', namespace, name: metadata.name });
  return 'deleted';
}

async function restart(lane: Lane, { workload, mark }: Step & { do: 'restart' }): Promise<string> {
  const annotations = { 'turnus.dev/restarted-for': mark };
  const body = { spec: { template: { metadata: { annotations } } } };
  return await patch(lane, { kind: 'Deployment', name: workload, body });
}

async function scale(lane: Lane, step: Step & { do: 'scale' }, workloads: readonly WorkloadPlan[]): Promise<string> {
  const kind = workloads.find(({ name }) => name === step.workload)?.kind;
  if (kind !== 'Deployment' && kind !== 'StatefulSet') return 'has no scale';
  return await patch(lane, { kind, name: step.workload, body: { spec: { replicas: step.replicas } } });
}

async function setBudget(lane: Lane, workload: string, budget: BudgetPlan): Promise<string> {
  const { side, namespace } = lane;
  const found = await side.api.find({ kind: 'PodDisruptionBudget', namespace, name: workload });
  if (found === undefined) return await addBudget(lane, workload, workload, budget);
  const spec = { minAvailable: null, maxUnavailable: null, unhealthyPodEvictionPolicy: null, ...budget };
  return await patch(lane, { kind: 'PodDisruptionBudget', name: workload, body: { spec } });
}

/** Creates a budget over the pods of a workload. */
export async function addBudget(
  { side, namespace }: Lane,
  name: string,
  workload: string,
  budget: BudgetPlan,
): Promise<string> {
  if ((await side.api.find({ kind: 'PodDisruptionBudget', namespace, name })) !== undefined) return 'is there already';
  await side.api.create(disruptionBudget({ name, namespace, of: workload, ...budget }));
  return 'created';
}

async function removeBudgets({ side, namespace }: Lane, workload: string): Promise<string[]> {
  for (const name of [workload, `${workload}-second`]) {
    await side.api.delete({ kind: 'PodDisruptionBudget', namespace, name });
  }
  return ['deleted'];
}

/** As `kubectl cordon` and `kubectl uncordon`. */
async function setCordon({ side }: Lane, name: string, cordoned: boolean): Promise<string> {
  const body = { spec: { unschedulable: cordoned ? true : null } };
  await side.api.patch({ kind: 'Node', name }, { body, type: 'strategic' });
  return cordoned ? 'cordoned' : 'uncordoned';
}

/** As a kubelet does whose probe fails. */
async function loseReadiness(lane: Lane, pod: Pod): Promise<string> {
  const annotated = await annotatePod(lane, pod, 'true');
  const conditions = ['Ready', 'ContainersReady'].map((type) => ({
    type,
    status: 'False',
    reason: 'ContainersNotReady',
  }));
  const { name } = pod.metadata;
  const reference = { kind: 'Pod', namespace: lane.namespace, name } as const;
  await lane.side.api.patch(reference, { body: { status: { conditions } }, type: 'strategic', subresource: 'status' });
  return annotated;
}

async function annotatePod(lane: Lane, { metadata: { name } }: Pod, value: string | null): Promise<string> {
  return await patch(lane, { kind: 'Pod', name, body: { metadata: { annotations: { [unready]: value } } } });
}

async function withPod(lane: Lane, choice: PodChoice, act: (pod: Pod) => Promise<string>): Promise<string> {
  const pod = await choosePod(lane, choice);
  return pod === undefined ? 'no such pod' : await act(pod);
}

async function patch(
  { side, namespace }: Lane,
  { kind, name, body }: { kind: KindName; name: string; body: unknown },
): Promise<string> {
  try {
    await side.api.patch({ kind, namespace, name }, { body });
    return 'patched';
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const response: ApiResponse = { status: error.status, headers: {}, body: error.body };
    return answerOf(response, { words: true });
  }
}

/** Everything that the sequence made is on its way out afterwards, and the nodes are open. */
export async function removeAll(lane: Lane, workloads: readonly WorkloadPlan[]): Promise<void> {
  const { side, namespace } = lane;
  for (const { kind, name } of workloads) {
    await side.api.delete({ kind, namespace, name }, { propagationPolicy: 'Background' });
    await removeBudgets(lane, name);
  }
  for (const name of lane.nodes) {
    await setCordon(lane, name, false);
    if (!isTrue(await side.api.get({ kind: 'Node', name }), 'Ready')) await side.machine(name).boot();
  }
}
