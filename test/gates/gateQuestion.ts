import type { ClusterView } from '../../src/cluster/view.js';
import type { NodeToEvaluate } from '../../src/gates/evaluateNode.js';
import { drainPolicy, node, spreadPolicy } from '../drain/clusterFixtures.js';

/** May node-1 leave service? With the playbook's defaults, before the cordon, with one node out of service allowed. */
export function gateQuestion(view: ClusterView, changes: Partial<NodeToEvaluate> = {}): NodeToEvaluate {
  return {
    view,
    node: node('node-1'),
    moment: 'before-cordon',
    run: undefined,
    selection: [...view.nodes.values()],
    nodes: { maxUnavailable: 1 },
    gates: { replicaSpread: spreadPolicy, managedBudgets: [], capacity: { mode: 'warn' } },
    drain: drainPolicy,
    api: { ready: true, message: '' },
    ...changes,
  };
}
