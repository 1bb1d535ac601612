import { cordonedByOf } from '../cluster/marks.js';
import { readRebooters } from '../cluster/rebooters.js';
import { readServices } from '../cluster/services.js';
import type { NodeEvaluation } from '../gates/evaluateNode.js';
import { drainMark } from './drainMark.js';
import { nodeFindings, readApiReadiness } from './nodeFindings.js';
import { wantedServices } from './nodeServices.js';
import type { PreparedDrain } from './prepareDrain.js';
import { readConditions } from './readConditions.js';

/** What the gates say about draining this node, and what would happen in which order. Changes nothing. */
export async function previewDrain(prepared: PreparedDrain, signal: AbortSignal): Promise<NodeEvaluation> {
  const { cluster, cache, node, playbook } = prepared;
  const mark = drainMark(prepared.user);
  const view = cache.view();
  const wanted = wantedServices({ view, playbook, beforeCordon: true, node: node.name });
  return await nodeFindings(
    {
      api: await readApiReadiness(cluster, signal),
      conditions: await readConditions({ cluster, conditions: playbook.gates.clusterHealth.conditions }, signal),
      playbook,
      services: await readServices({ cluster, wanted }, signal),
      view,
      nodeName: node.name,
      moment: 'before-cordon',
      restartedAs: prepared.restartedAs,
      run: cordonedByOf(node) === mark ? mark : undefined,
      acceptsUnmarkedCordon: true,
      host: undefined,
      ownNode: prepared.ownNode,
      rebooters: await readRebooters(cluster, signal),
    },
    signal,
  );
}
