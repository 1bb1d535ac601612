import { controllerOf } from '../../cluster/apiObject.js';
import type { ApiObject, OwnerReference } from '../../cluster/clusterPort.js';
import { recordOf, recordsOf, stringOf, type JsonRecord } from '../../cluster/json.js';
import { resourceAmounts } from '../../cluster/resourceAmounts.js';
import { timeText } from '../api/storedForm.js';
import { schedulingRules, type SchedulingRules } from './schedulingRules.js';

/** One version of a pod, with what controllers ask for again and again. */
export interface PodRecord {
  readonly key: string;
  readonly object: ApiObject;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonRecord;
  readonly status: JsonRecord;
  readonly nodeName: string | undefined;
  readonly phase: string;
  /** The condition, whether or not the pod is being deleted. */
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Succeeded or Failed. */
  readonly finished: boolean;
  readonly controller: OwnerReference | undefined;
  /** What the scheduler has to know of it, worked out when first asked. */
  readonly rules: () => SchedulingRules;
}

export interface NodeRecord {
  readonly object: ApiObject;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonRecord;
  readonly status: JsonRecord;
  readonly unschedulable: boolean;
  readonly taints: readonly Taint[];
  /** Status of the condition Ready; undefined before the kubelet's first report. */
  readonly ready: string | undefined;
  readonly bootId: string;
  /** Cpu in cores. */
  readonly allocatable: { readonly milliCpu: number; readonly memoryBytes: number; readonly pods: number };
}

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

/** `before` is the version before this one, whose work is not done again. */
export function podRecord(object: ApiObject, before?: PodRecord): PodRecord {
  const { metadata } = object;
  const spec = recordOf(object['spec']);
  const status = recordOf(object['status']);
  const phase = stringOf(status['phase']) ?? 'Pending';
  const nodeName = stringOf(spec['nodeName']);
  return {
    key: keyOf(object),
    object,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    spec,
    status,
    nodeName: nodeName === '' ? undefined : nodeName,
    phase,
    ready: conditionOf(status, 'Ready')?.['status'] === 'True',
    terminating: metadata.deletionTimestamp !== undefined,
    finished: phase === 'Succeeded' || phase === 'Failed',
    controller:
      before?.object.metadata.ownerReferences === metadata.ownerReferences ? before?.controller : controllerOf(object),
    rules: before?.spec === spec ? before.rules : worksOutOnce(() => schedulingRules(spec)),
  };
}

export function nodeRecord(object: ApiObject): NodeRecord {
  const { metadata } = object;
  const spec = recordOf(object['spec']);
  const status = recordOf(object['status']);
  const { cpu = 0, memory = 0, pods = 110 } = resourceAmounts(recordOf(status['allocatable']));
  return {
    object,
    name: metadata.name ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    spec,
    status,
    unschedulable: spec['unschedulable'] === true,
    taints: recordsOf(spec['taints']).map((taint) => ({
      key: stringOf(taint['key']) ?? '',
      value: stringOf(taint['value']) ?? '',
      effect: stringOf(taint['effect']) ?? '',
      ...(typeof taint['timeAdded'] === 'string' ? { timeAdded: taint['timeAdded'] } : {}),
    })),
    ready: stringOf(conditionOf(status, 'Ready')?.['status']),
    bootId: stringOf(recordOf(status['nodeInfo'])['bootID']) ?? '',
    allocatable: { milliCpu: cpu, memoryBytes: memory, pods },
  };
}

function worksOutOnce<T>(work: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => (known ??= { value: work() }).value;
}

/** `namespace/name`, or the name alone. */
export function keyOf({ metadata }: ApiObject): string {
  const { namespace, name = '' } = metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export function conditionOf(status: JsonRecord, type: string): JsonRecord | undefined {
  return recordsOf(status['conditions']).find((condition) => condition['type'] === type);
}

/**
 * The conditions with one of them replaced or added. Its time of transition stays where its status stays
 * (apimachinery, pkg/api/meta/conditions.go).
 */
export function withCondition(
  status: JsonRecord,
  wanted: { readonly type: string; readonly status: string; readonly [field: string]: unknown },
  now: number,
): JsonRecord[] {
  const before = conditionOf(status, wanted.type);
  const lastTransitionTime =
    before?.['status'] === wanted.status ? (before['lastTransitionTime'] ?? timeText(now)) : timeText(now);
  const condition = { ...wanted, lastTransitionTime };
  const conditions = recordsOf(status['conditions']);
  return before === undefined
    ? [...conditions, condition]
    : conditions.map((other) => (other === before ? condition : other));
}

/** A Go duration such as `1500ms` or `1m30s`, in milliseconds; undefined where it is none. */
export function durationOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, count, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(count) * (units[unit ?? ''] ?? 0);
  }
  return Math.round(total);
}
