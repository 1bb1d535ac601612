import { controllerOf } from './apiObject.js';
import type { ApiObject } from './clusterPort.js';
import {
  isRecord,
  numberOf,
  recordOf,
  recordsOf,
  stringMapOf,
  stringOf,
  stringsOf,
  timeOf,
  type JsonRecord,
} from './json.js';
import { keptAnnotations } from './keptAnnotations.js';
import { parsePlacement } from './parsePlacement.js';
import { podRequests } from './resourceAmounts.js';
import type { ControllerReference, PodView } from './view.js';

const defaultGracePeriodSeconds = 30;

/** A Pod object as a PodView. What is missing reads as empty. */
export function parsePod(object: ApiObject): PodView {
  const { metadata } = object;
  const spec = recordOf(object['spec']);
  const status = recordOf(object['status']);
  const name = stringOf(metadata.name) ?? '';
  const conditions = recordsOf(status['conditions']);
  const terminating = metadata.deletionTimestamp !== undefined;
  const annotations = keptAnnotations(metadata.annotations);
  const volumes = recordsOf(spec['volumes']);
  const containers = longRunningOf(spec);
  const startupDelaySeconds = startupDelayOf(containers);
  const finalizers = stringsOf(metadata.finalizers);
  return {
    namespace: stringOf(metadata.namespace) ?? '',
    name,
    uid: stringOf(metadata.uid) ?? '',
    labels: stringMapOf(metadata.labels),
    annotations,
    createdAt: timeOf(metadata.creationTimestamp) ?? 0,
    nodeName: stringOf(spec['nodeName']) === '' ? undefined : stringOf(spec['nodeName']),
    phase: phaseOf(status['phase']),
    ready:
      !terminating && conditions.some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True'),
    terminating,
    deletionDeadline: timeOf(metadata.deletionTimestamp),
    ...(finalizers.length === 0 ? {} : { finalizers }),
    terminationGracePeriodSeconds: numberOf(spec['terminationGracePeriodSeconds']) ?? defaultGracePeriodSeconds,
    ...(startupDelaySeconds === 0 ? {} : { startupDelaySeconds }),
    controller: controllerReferenceOf(object),
    mirror: 'kubernetes.io/config.mirror' in annotations,
    priority: numberOf(spec['priority']) ?? 0,
    emptyDirs: shared(volumes.filter((volume) => isRecord(volume['emptyDir'])).map(nameOf)),
    claims: shared(claimsOf(volumes)),
    nodeSelector: stringMapOf(spec['nodeSelector']),
    ...parsePlacement(spec, containers),
    requests: podRequests(spec, status),
    containersStartedAt: shared(containersStartedAt(spec, status)),
    unschedulableReason: unschedulableReasonOf(conditions),
  };
}

function phaseOf(phase: unknown): PodView['phase'] {
  switch (phase) {
    case 'Pending':
    case 'Running':
    case 'Succeeded':
    case 'Failed':
      return phase;
    default:
      return 'Unknown';
  }
}

function controllerReferenceOf(object: ApiObject): ControllerReference | undefined {
  const controller = controllerOf(object);
  if (controller === undefined) return undefined;
  const { apiVersion, kind, name, uid } = controller;
  return { apiVersion, kind, name, uid };
}

function nameOf(record: JsonRecord): string {
  return stringOf(record['name']) ?? '';
}

/** Claims by name. That of an ephemeral volume goes with the pod, and its successor gets a new one. */
function claimsOf(volumes: readonly JsonRecord[]): string[] {
  return volumes.flatMap((volume) => stringOf(recordOf(volume['persistentVolumeClaim'])['claimName']) ?? []);
}

/** Containers that run as long as the pod: the ordinary ones and sidecars (init containers that restart always). */
function longRunningOf(spec: JsonRecord): readonly JsonRecord[] {
  const sidecars = recordsOf(spec['initContainers']).filter((container) => container['restartPolicy'] === 'Always');
  return [...sidecars, ...recordsOf(spec['containers'])];
}

/**
 * The kubelet lets the initial delays of both probes count from the start of the container, so they do not add up
 * (pkg/kubelet/prober/worker.go, doProbe).
 */
function startupDelayOf(containers: readonly JsonRecord[]): number {
  const delays = containers.flatMap((container) =>
    ['startupProbe', 'readinessProbe'].map((probe) => numberOf(recordOf(container[probe])['initialDelaySeconds']) ?? 0),
  );
  return Math.max(0, ...delays);
}

function containersStartedAt(spec: JsonRecord, status: JsonRecord): (number | undefined)[] {
  const statuses = [...recordsOf(status['initContainerStatuses']), ...recordsOf(status['containerStatuses'])];
  return longRunningOf(spec).map((container) => {
    const own = statuses.find((candidate) => candidate['name'] === container['name']);
    return timeOf(recordOf(recordOf(recordOf(own)['state'])['running'])['startedAt']);
  });
}

function unschedulableReasonOf(conditions: readonly JsonRecord[]): string | undefined {
  const scheduled = conditions.find(
    (condition) => condition['type'] === 'PodScheduled' && condition['status'] === 'False',
  );
  return scheduled === undefined
    ? undefined
    : (stringOf(scheduled['message']) ?? stringOf(scheduled['reason']) ?? 'not scheduled');
}

const nothing: readonly never[] = Object.freeze([]);

/** Most pods have none of these: they share one empty list. */
function shared<T>(items: T[]): readonly T[] {
  return items.length === 0 ? nothing : items;
}
