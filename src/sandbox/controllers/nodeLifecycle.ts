import { arrayOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import type { Kubelets } from './kubelets.js';
import { unknownStatus } from './nodeStatus.js';
import { timeText } from '../api/storedForm.js';
import { withCondition, type NodeRecord, type Taint } from './records.js';
import { workQueue } from './workQueue.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

const notReadyTaint = 'node.kubernetes.io/not-ready';
const unreachableTaint = 'node.kubernetes.io/unreachable';
const unschedulableTaint = 'node.kubernetes.io/unschedulable';

/**
 * Calls a node Unknown whose kubelet is not heard, keeps the taints that tell of a node's state, and makes the pods of a
 * node that is not Ready not Ready (pkg/controller/nodelifecycle/node_lifecycle_controller.go).
 */
export function runNodeLifecycle(world: World, kubelets: Kubelets): void {
  const { api, state, timeline, pace } = world;
  const write = writerAs(api, controllerName('node-controller'));
  const monitorMs = { least: 0, most: pace.nodeMonitorMs };

  const silences = workQueue(world, monitorMs, (name) => {
    const node = state.nodes.get(name);
    if (node === undefined || kubelets.isHeard(name) || node.ready === 'Unknown') return;
    const overdue = timeline.now() - (kubelets.lastHeard(name) ?? 0) - pace.nodeGraceMs;
    if (overdue < 0) silences.add(name, -overdue + random.between(0, pace.nodeMonitorMs));
    else write.status(resources.nodes, node.object, unknownStatus(node, timeline.now()));
  });
  const random = world.random.fork();
  kubelets.onSilence((name) => {
    silences.add(name, pace.nodeGraceMs);
  });

  /** Sets one effect's taints of this controller as they should be, and leaves all others. */
  const taint = (name: string, effect: string, wantedFor: (node: NodeRecord) => readonly string[]): void => {
    const node = state.nodes.get(name);
    if (node === undefined) return;
    const wanted = wantedFor(node);
    const isOurs = (one: Taint) =>
      one.effect === effect && [notReadyTaint, unreachableTaint, unschedulableTaint].includes(one.key);
    const present = node.taints.filter(isOurs).map(({ key }) => key);
    if (present.length === wanted.length && wanted.every((key) => present.includes(key))) return;
    const written = arrayOf(node.spec['taints']);
    const kept = written.filter((_, place) => {
      const one = node.taints[place];
      return one === undefined || !isOurs(one) || wanted.includes(one.key);
    });
    const added = wanted
      .filter((key) => !present.includes(key))
      .map((key) => ({ key, effect, timeAdded: timeText(timeline.now()) }));
    const taints = [...kept, ...added];
    write.merge(resources.nodes, node.object, { spec: { taints: taints.length === 0 ? null : taints } });
  };
  const conditionTaints = ({ ready }: NodeRecord): string[] =>
    ready === 'True' ? [] : [ready === 'Unknown' ? unreachableTaint : notReadyTaint];
  const schedulingTaints = workQueue(world, pace.controllerMs, (name) => {
    taint(name, 'NoSchedule', (node) => [
      ...conditionTaints(node),
      ...(node.unschedulable ? [unschedulableTaint] : []),
    ]);
  });
  const executionTaints = workQueue(world, monitorMs, (name) => {
    taint(name, 'NoExecute', (node) => (node.ready === undefined ? [] : conditionTaints(node)));
    if (state.nodes.get(name)?.ready !== 'True') makePodsUnready(name);
  });
  const makePodsUnready = (name: string): void => {
    for (const pod of state.podsOnNode(name)) {
      if (!pod.ready) continue;
      const notReady = { type: 'Ready', status: 'False', reason: 'NodeNotReady' };
      const conditions = withCondition(pod.status, notReady, timeline.now());
      write.status(resources.pods, pod.object, { ...pod.status, conditions });
    }
  };

  state.onNode((now, before) => {
    if (now === undefined) return;
    if (now.spec !== before?.spec || now.ready !== before.ready) schedulingTaints.add(now.name);
    if (now.ready !== before?.ready) executionTaints.add(now.name);
  });
}
