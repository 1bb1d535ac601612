import { timeOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import { tolerates } from '../../cluster/taints.js';
import type { NodeRecord, PodRecord } from './records.js';
import { tolerationsOf } from './tolerations.js';
import { workQueue } from './workQueue.js';
import { controllerName, writerAs } from './writer.js';
import { within, type World } from './world.js';

/**
 * Removes pods that a NoExecute taint drives away, when their toleration ends (pkg/controller/tainteviction), and those
 * of nodes that no longer exist (pkg/controller/podgc).
 */
export function runPodRemoval(world: World): void {
  const { api, state, timeline, pace } = world;
  const random = world.random.fork();

  const driver = writerAs(api, controllerName('node-controller'));
  const evictions = workQueue(world, pace.controllerMs, (key) => {
    const pod = state.pods.get(key);
    const node = state.nodes.get(pod?.nodeName ?? '');
    if (pod === undefined || node === undefined || pod.terminating) return;
    const dueAt = drivenAwayAt(pod, node, timeline.now());
    if (dueAt === undefined) return;
    if (dueAt > timeline.now()) evictions.add(key, dueAt - timeline.now());
    else driver.delete(resources.pods, pod.object);
  });

  const collector = writerAs(api, controllerName('pod-garbage-collector'));
  const orphans = workQueue(world, pace.podCollectionMs, (name) => {
    if (state.nodes.has(name)) return;
    for (const pod of state.podsOnNode(name)) collector.delete(resources.pods, pod.object, { gracePeriodSeconds: 0 });
  });

  state.onNode((now, before) => {
    if (now === undefined) {
      if (before !== undefined) orphans.add(before.name, within(pace.podCollectionMs, random));
    } else if (now.spec !== before?.spec && now.taints.some(({ effect }) => effect === 'NoExecute')) {
      for (const { key } of state.podsOnNode(now.name)) evictions.add(key);
    }
  });
  state.onPod((now, before) => {
    if (now?.nodeName === undefined || now.nodeName === before?.nodeName) return;
    const node = state.nodes.get(now.nodeName);
    if (node === undefined) orphans.add(now.nodeName);
    else if (node.taints.some(({ effect }) => effect === 'NoExecute')) evictions.add(now.key);
  });
}

/** When the pod has to go because of the node's taints; undefined: never. */
function drivenAwayAt(pod: PodRecord, node: NodeRecord, now: number): number | undefined {
  const tolerations = tolerationsOf(pod.spec);
  let earliest: number | undefined;
  for (const taint of node.taints.filter(({ effect }) => effect === 'NoExecute')) {
    const matching = tolerations.filter((one) => tolerates([one], taint));
    const limits = matching.flatMap(({ seconds }) => seconds ?? []);
    if (matching.length > 0 && limits.length === 0) continue;
    const since = timeOf(taint.timeAdded) ?? now;
    const dueAt = matching.length === 0 ? now : since + 1000 * Math.min(...limits);
    earliest = Math.min(dueAt, earliest ?? dueAt);
  }
  return earliest;
}
