import type { ApiObject } from '../../cluster/clusterPort.js';
import { recordOf, recordsOf, stringMapOf, type JsonRecord } from '../../cluster/json.js';
import { admitsNode, parseNodeSelector } from '../../cluster/nodeSelector.js';
import { resources } from '../../cluster/resources.js';
import { tolerates } from '../../cluster/taints.js';
import { sameJson } from '../api/sameJson.js';
import { keyOf, type NodeRecord, type PodRecord } from './records.js';
import { tolerationsOf } from './tolerations.js';
import { workloadQueue } from './workloadQueue.js';
import { podOf, templateHashes, workloadKinds } from './workloadKinds.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

const kind = workloadKinds.DaemonSet;
const hashLabel = 'controller-revision-hash';

/** What every pod of a DaemonSet tolerates (pkg/controller/daemon/util/daemonset_util.go). */
const ownTolerations: readonly JsonRecord[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

/** Keeps a pod of each DaemonSet on every node that may have one (pkg/controller/daemon/daemon_controller.go). */
export function runDaemonSets(world: World): void {
  const { api, state } = world;
  const hashOf = templateHashes();
  const write = writerAs(api, controllerName('daemon-set-controller'));
  const queue = workloadQueue(world, kind, (set) => {
    if (set.metadata.deletionTimestamp === undefined) placePods(set);
    write.status(kind.resource, set, statusOf(set));
  });

  const placePods = (set: ApiObject): void => {
    const belongs = placeOf(set);
    const podsByNode = podsByNodeOf(set);
    for (const node of state.nodes.values()) {
      const [first, ...more] = podsByNode.get(node.name) ?? [];
      const { mayStart, mayStay } = belongs(node);
      if (first === undefined) {
        if (mayStart) createPod(set, node);
        continue;
      }
      for (const pod of mayStay ? more : [first, ...more]) remove(pod);
      if (first.finished) remove(first);
    }
    for (const [node, pods] of podsByNode) if (!state.nodes.has(node)) pods.forEach(remove);
    updateNext(set);
  };
  const remove = (pod: PodRecord): void => {
    if (!pod.terminating) write.delete(resources.pods, pod.object);
  };
  /** One pod at a time may be missing while a template is rolled out. */
  const updateNext = (set: ApiObject): void => {
    const spec = recordOf(set['spec']);
    if (recordOf(spec['updateStrategy'])['type'] === 'OnDelete') return;
    const hash = hashOf(set);
    const pods = state.podsOf(set.metadata.uid ?? '');
    const old = pods.filter((pod) => pod.labels[hashLabel] !== hash);
    const next = old.find((pod) => !pod.ready) ?? old[0];
    if (next !== undefined && pods.every((pod) => pod === next || (pod.ready && !pod.terminating))) remove(next);
  };
  const createPod = (set: ApiObject, node: NodeRecord): void => {
    const template = recordOf(recordOf(recordOf(set['spec'])['template'])['spec']);
    const onNode = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node.name] }] };
    const affinity = recordOf(template['affinity']);
    const nodeAffinity = {
      ...recordOf(affinity['nodeAffinity']),
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode] },
    };
    const reply = write.create(
      resources.pods,
      podOf(set, kind, {
        labels: { [hashLabel]: hashOf(set) },
        spec: { affinity: { ...affinity, nodeAffinity }, tolerations: withOwn(template) },
      }),
    );
    if (reply.kind === 'refused') queue.add(keyOf(set), 1000);
  };

  const podsByNodeOf = (set: ApiObject): Map<string, PodRecord[]> => {
    const byNode = new Map<string, PodRecord[]>();
    for (const pod of state.podsOf(set.metadata.uid ?? '')) {
      const node = pod.nodeName ?? nodeWanted(pod);
      byNode.set(node, [...(byNode.get(node) ?? []), pod]);
    }
    return byNode;
  };
  const statusOf = (set: ApiObject) => {
    const belongs = placeOf(set);
    const hash = hashOf(set);
    const podsByNode = podsByNodeOf(set);
    const wanted = [...state.nodes.values()].filter((node) => belongs(node).mayStart);
    const scheduled = wanted.flatMap((node) => podsByNode.get(node.name)?.[0] ?? []);
    const ready = scheduled.filter((pod) => pod.ready && !pod.terminating).length;
    return {
      observedGeneration: set.metadata.generation ?? 1,
      desiredNumberScheduled: wanted.length,
      currentNumberScheduled: scheduled.length,
      numberMisscheduled: [...podsByNode.keys()].filter((name) => !wanted.some((node) => node.name === name)).length,
      numberReady: ready,
      numberAvailable: ready,
      numberUnavailable: wanted.length - ready,
      updatedNumberScheduled: scheduled.filter((pod) => pod.labels[hashLabel] === hash).length,
    };
  };

  state.onNode((now, before) => {
    if (now !== undefined && before !== undefined && sameJson(now.labels, before.labels) && hasSameTaints(now, before))
      return;
    for (const key of state.objects(kind.resource.plural).keys()) queue.add(key);
  });
}

/** Whether a node gets a pod of the set, and whether one that is there stays. */
function placeOf(set: ApiObject): (node: NodeRecord) => { mayStart: boolean; mayStay: boolean } {
  const template = recordOf(recordOf(recordOf(set['spec'])['template'])['spec']);
  const nodeSelector = stringMapOf(template['nodeSelector']);
  const nodeAffinity = requiredAffinityOf(template);
  const tolerations = tolerationsOf({ tolerations: withOwn(template) });
  return (node) => {
    const repelling = node.taints.filter((taint) => !tolerates(tolerations, taint));
    const mayStay =
      admitsNode({ nodeSelector, nodeAffinity }, node) && !repelling.some(({ effect }) => effect === 'NoExecute');
    return { mayStart: mayStay && !repelling.some(({ effect }) => effect === 'NoSchedule'), mayStay };
  };
}

function withOwn(template: JsonRecord): JsonRecord[] {
  return [...recordsOf(template['tolerations']), ...ownTolerations];
}

function requiredAffinityOf(spec: JsonRecord) {
  const nodeAffinity = recordOf(recordOf(spec['affinity'])['nodeAffinity']);
  return parseNodeSelector(nodeAffinity['requiredDuringSchedulingIgnoredDuringExecution']);
}

/** The node that a pod without one is meant for. */
function nodeWanted(pod: PodRecord): string {
  return requiredAffinityOf(pod.spec)?.[0]?.fields[0]?.values[0] ?? '';
}

function hasSameTaints(now: NodeRecord, before: NodeRecord): boolean {
  const text = ({ taints }: NodeRecord) => taints.map(({ key, value, effect }) => `${key}=${value}:${effect}`).join();
  return text(now) === text(before);
}
