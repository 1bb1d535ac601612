import { readRebooters } from '../cluster/rebooters.js';
import type { NodeEvaluation } from '../gates/evaluateNode.js';
import { cordonedByOf } from '../cluster/marks.js';
import { drainMark } from './drainMark.js';
import { nodeFindings, readApiReadiness } from './nodeFindings.js';
import type { PreparedDrain } from './prepareDrain.js';
import { readConditions } from './readConditions.js';

/** What the gates say about draining this node, and what would happen in which order. Changes nothing. */
export async function previewDrain(prepared: PreparedDrain, signal: AbortSignal): Promise<NodeEvaluation> {
  const { cluster, cache, node, playbook } = prepared;
  const mark = drainMark(prepared.user);
  return await nodeFindings(
    {
      api: await readApiReadiness(cluster, signal),
      conditions: await readConditions({ cluster, conditions: playbook.gates.clusterHealth.conditions }, signal),
      playbook,
      view: cache.view(),
      nodeName: node.name,
      moment: 'before-cordon',
      run: cordonedByOf(node) === mark ? mark : undefined,
      acceptsUnmarkedCordon: true,
      host: undefined,
      ownNode: prepared.ownNode,
      rebooters: await readRebooters(cluster, signal),
    },
    signal,
  );
}
