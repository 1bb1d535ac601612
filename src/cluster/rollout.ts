import { scaledCount } from './budgetArithmetic.js';
import type { ApiObject } from './clusterPort.js';
import { numberOf, recordOf, stringMapOf, stringOf } from './json.js';
import { marks } from './marks.js';
import type { RolloutView } from './view.js';

/** What `kubectl rollout status` and the Deployment controller go by, of a Deployment of apps/v1. */
export function parseRollout(object: ApiObject, desired: number): RolloutView {
  const spec = recordOf(object['spec']);
  const status = recordOf(object['status']);
  const strategy = recordOf(spec['strategy']);
  const template = recordOf(recordOf(spec['template'])['metadata']);
  return {
    recreates: strategy['type'] === 'Recreate',
    ...resolveFenceposts(recordOf(strategy['rollingUpdate']), desired),
    paused: spec['paused'] === true,
    observed: (numberOf(status['observedGeneration']) ?? 0) >= (object.metadata.generation ?? 1),
    pods: numberOf(status['replicas']) ?? 0,
    updatedPods: numberOf(status['updatedReplicas']) ?? 0,
    availablePods: numberOf(status['availableReplicas']) ?? 0,
    restartedFor: stringMapOf(template['annotations'])[marks.restartedFor],
  };
}

/**
 * How many pods a rolling update may have above and below the desired number: both a quarter where they are not
 * written, the surge rounded up, the other down, and one pod below where both are 0 (ResolveFenceposts,
 * pkg/controller/deployment/util/deployment_util.go).
 */
function resolveFenceposts(
  rollingUpdate: Readonly<Record<string, unknown>>,
  desired: number,
): Pick<RolloutView, 'maxSurge' | 'maxUnavailable'> {
  const written = (name: string): number | string =>
    numberOf(rollingUpdate[name]) ?? stringOf(rollingUpdate[name]) ?? '25%';
  const maxSurge = scaledCount(written('maxSurge'), desired);
  const below = written('maxUnavailable');
  const maxUnavailable = typeof below === 'number' ? below : Math.floor((Number.parseInt(below, 10) * desired) / 100);
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, desired) };
}

/** Nothing is left to do after the latest change of the Deployment (`kubectl rollout status`, DeploymentStatusViewer). */
export function isRolledOut(rollout: RolloutView, desired: number): boolean {
  const { observed, pods, updatedPods, availablePods } = rollout;
  return observed && updatedPods >= desired && pods <= updatedPods && availablePods >= updatedPods;
}
