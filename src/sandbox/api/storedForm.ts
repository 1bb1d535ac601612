import type { ApiObject } from '../../cluster/clusterPort.js';
import { arrayOf, isRecord, recordOf, recordsOf, stringOf, type JsonRecord } from '../../cluster/json.js';
import { hasStatus, type ResourceDefinition } from './resourceDefinition.js';

/** RFC 3339 to the second, as `metadata` carries times. */
export function timeText(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** The specification and status of a new object, with the defaults that clients see. */
export function withDefaults(resource: ResourceDefinition, object: ApiObject): ApiObject {
  if (!hasStatus(resource) || resource.custom) return withoutStatus(resource, object);
  const spec = recordOf(object['spec']);
  switch (resource.qualified) {
    case 'nodes':
      // A kubelet registers its node with the status.
      return { ...object, spec, status: recordOf(object['status']) };
    case 'pods':
      return { ...object, spec: podSpec(spec), status: { phase: 'Pending', qosClass: qosClassOf(spec) } };
    case 'namespaces':
      return { ...object, spec: { finalizers: ['kubernetes'], ...spec }, status: { phase: 'Active' } };
    case 'persistentvolumeclaims':
    case 'persistentvolumes':
      return { ...object, spec, status: { phase: 'Pending' } };
    case 'deployments.apps': {
      const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };
      const defaults = { replicas: 1, strategy, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 };
      return { ...object, spec: { ...defaults, ...spec }, status: {} };
    }
    case 'statefulsets.apps': {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } };
      const defaults = { replicas: 1, podManagementPolicy: 'OrderedReady', updateStrategy, revisionHistoryLimit: 10 };
      return { ...object, spec: { ...defaults, ...spec }, status: { replicas: 0, availableReplicas: 0 } };
    }
    case 'replicasets.apps':
    case 'replicationcontrollers':
      return { ...object, spec: { replicas: 1, ...spec }, status: { replicas: 0 } };
    case 'daemonsets.apps': {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } };
      const status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
      return { ...object, spec: { updateStrategy, revisionHistoryLimit: 10, ...spec }, status };
    }
    case 'jobs.batch':
      return { ...object, spec: { backoffLimit: 6, completions: 1, parallelism: 1, ...spec }, status: {} };
    case 'poddisruptionbudgets.policy':
      return {
        ...object,
        spec,
        status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 },
      };
    default:
      return { ...object, spec, status: {} };
  }
}

/** Fields that Go leaves out because they are empty (`omitempty`): clients test for their absence. */
export function withoutEmptyFields(resource: ResourceDefinition, object: ApiObject): ApiObject {
  if (resource.qualified !== 'nodes') return object;
  const spec = recordOf(object['spec']);
  const isEmpty = (value: unknown) => value === false || value === null || (Array.isArray(value) && value.length === 0);
  if (!isEmpty(spec['unschedulable']) && !isEmpty(spec['taints'])) return object;
  return { ...object, spec: Object.fromEntries(Object.entries(spec).filter(([, value]) => !isEmpty(value))) };
}

function withoutStatus(resource: ResourceDefinition, object: ApiObject): ApiObject {
  if (!hasStatus(resource) || object['status'] === undefined) return object;
  const { status: _status, ...others } = object;
  return others;
}

const priorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

function podSpec(spec: JsonRecord): JsonRecord {
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    schedulerName: 'default-scheduler',
    priority: priorities[stringOf(spec['priorityClassName']) ?? ''] ?? 0,
    ...spec,
    tolerations: [...arrayOf(spec['tolerations']), ...addedTolerations(recordsOf(spec['tolerations']))],
  };
}

/** Five minutes on a node that is away, where the pod says nothing else (admission DefaultTolerationSeconds). */
function addedTolerations(own: readonly JsonRecord[]): JsonRecord[] {
  return ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
    .filter(
      (key) =>
        !own.some(
          (toleration) =>
            (toleration['key'] === key || (stringOf(toleration['key']) ?? '') === '') &&
            (toleration['effect'] === 'NoExecute' || (stringOf(toleration['effect']) ?? '') === ''),
        ),
    )
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
}

/** Quality of service by requests and limits (pkg/apis/core/helper/qos/qos.go). */
function qosClassOf(spec: JsonRecord): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const resources = recordsOf(spec['containers']).map((container) => recordOf(container['resources']));
  const isSet = (value: unknown) => isRecord(value) && (value['cpu'] !== undefined || value['memory'] !== undefined);
  if (!resources.some(({ requests, limits }) => isSet(requests) || isSet(limits))) return 'BestEffort';
  const isGuaranteed = resources.every((resource) => {
    const limits = recordOf(resource['limits']);
    const requests = { ...limits, ...recordOf(resource['requests']) };
    return ['cpu', 'memory'].every((name) => limits[name] !== undefined && limits[name] === requests[name]);
  });
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
