import type { ApiObject, OwnerReference } from '../../cluster/clusterPort.js';
import { recordOf, stringMapOf, type JsonRecord } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import { remembered } from '../../cluster/remembered.js';

/** The resources of the controllers that make pods. */
export const workloadKinds = {
  Deployment: { kind: 'Deployment', apiVersion: 'apps/v1', resource: resources.deployments },
  ReplicaSet: { kind: 'ReplicaSet', apiVersion: 'apps/v1', resource: resources.replicaSets },
  StatefulSet: { kind: 'StatefulSet', apiVersion: 'apps/v1', resource: resources.statefulSets },
  DaemonSet: { kind: 'DaemonSet', apiVersion: 'apps/v1', resource: resources.daemonSets },
  Job: {
    kind: 'Job',
    apiVersion: 'batch/v1',
    resource: { group: 'batch', version: 'v1', plural: 'jobs', namespaced: true },
  },
} as const;

/** The reference by which an object is controlled. */
export function controlledBy(
  owner: ApiObject,
  { kind, apiVersion }: { readonly kind: string; readonly apiVersion: string },
): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** A pod as a workload's template wants it. */
export function podOf(
  owner: ApiObject,
  kind: { readonly kind: string; readonly apiVersion: string },
  pod: {
    /** A name of its own; absent: one that the API server makes up. */
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly spec?: JsonRecord;
    readonly finalizers?: readonly string[];
  },
): ApiObject {
  const template = recordOf(recordOf(owner['spec'])['template']);
  const metadata = recordOf(template['metadata']);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(pod.name === undefined ? { generateName: `${owner.metadata.name ?? ''}-` } : { name: pod.name }),
      namespace: owner.metadata.namespace ?? '',
      labels: { ...stringMapOf(metadata['labels']), ...pod.labels },
      annotations: stringMapOf(metadata['annotations']),
      ownerReferences: [controlledBy(owner, kind)],
      ...(pod.finalizers === undefined ? {} : { finalizers: pod.finalizers }),
    },
    spec: { ...recordOf(template['spec']), ...pod.spec },
  };
}

/** Of the API server's made-up names. */
const letters = Array.from('bcdfghjklmnpqrstvwxz2456789');

/**
 * A short text that is the same for the same template of an owner. The answer is a function that
 * remembers.
 */
export function templateHashes(): (owner: ApiObject) => string {
  const hashOf = remembered((template: JsonRecord) => {
    let hash = 0x811c9dc5;
    for (const letter of sortedText(template)) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
    let text = '';
    for (let rest = hash; rest > 0; rest = Math.floor(rest / letters.length)) {
      text += letters[rest % letters.length] ?? '';
    }
    return text;
  });
  return (owner) => hashOf(recordOf(recordOf(owner['spec'])['template']));
}

function sortedText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedText).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${name}:${sortedText(member)}`).join()}}`;
}
