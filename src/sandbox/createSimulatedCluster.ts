import type { ApiObject } from '../cluster/clusterPort.js';
import { resources } from '../cluster/resources.js';
import { createSimulatedApi } from './api/createSimulatedApi.js';
import { clusterState } from './controllers/clusterState.js';
import { runDaemonSets } from './controllers/daemonSets.js';
import { runDeployments } from './controllers/deployments.js';
import { runDisruptionBudgets } from './controllers/disruptionBudgets.js';
import { runJobs } from './controllers/jobs.js';
import { runKubelets } from './controllers/kubelets.js';
import { runNodeLifecycle } from './controllers/nodeLifecycle.js';
import { usualPace, type Pace } from './controllers/pace.js';
import { runPodRemoval } from './controllers/podRemoval.js';
import { runReplicaSets } from './controllers/replicaSets.js';
import { runScheduler } from './controllers/scheduler.js';
import { runStatefulSets } from './controllers/statefulSets.js';
import { nodeObject } from './nodeObject.js';
import type { SeededRandom } from './seededRandom.js';
import type { SimulatedCluster } from './simulatedCluster.js';
import { stoppableTimeline } from './stoppableTimeline.js';
import type { Timeline } from './timeline.js';

/** A cluster without nodes, whose controllers are at work. The same seed and the same calls make the same history. */
export function createSimulatedCluster(options: {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  /** UID of namespace kube-system, by which a cluster is known. */
  readonly clusterUid?: string;
  /** What differs from the usual pace. */
  readonly pace?: Partial<Pace>;
}): SimulatedCluster {
  const timeline = stoppableTimeline(options.timeline);
  const random = options.random.fork();
  const api = createSimulatedApi({
    timeline,
    random: random.fork(),
    ...(options.clusterUid === undefined ? {} : { clusterUid: options.clusterUid }),
    beforeRead: (request) => {
      kubelets.beforeRead(request);
    },
  });
  const state = clusterState(api);
  const world = { api, state, timeline, random, pace: { ...usualPace, ...options.pace } };
  const kubelets = runKubelets(world);
  runNodeLifecycle(world, kubelets);
  runPodRemoval(world);
  runScheduler(world);
  runDeployments(world);
  runReplicaSets(world);
  runStatefulSets(world);
  runDaemonSets(world);
  runJobs(world);
  runDisruptionBudgets(world);
  return {
    api,
    addNode(description): ApiObject {
      const bootId = description.bootId ?? kubelets.bootIdOf(description.name);
      const kernel = description.kernel ?? kubelets.kernelOf(description.name);
      const machine = { ...(bootId === undefined ? {} : { bootId }), ...(kernel === undefined ? {} : { kernel }) };
      const object = nodeObject({ ...description, ...machine }, random);
      const reply = api.create({ resource: resources.nodes, object }, `system:node:${description.name}`);
      if (reply.kind === 'ok') return reply.value;
      throw new Error(`node ${description.name} cannot be added: ${reply.status.message}`);
    },
    machine: (node) => kubelets.machine(node),
    stop() {
      state.stop();
      timeline.stop();
    },
  };
}
