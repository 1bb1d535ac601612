import type { ApiObject } from './clusterPort.js';
import { recordOf, stringMapOf, stringOf } from './json.js';
import { parseNodeSelector } from './nodeSelector.js';
import { responsibleOf } from './responsible.js';
import type { ClaimView, NamespaceView, VolumeView } from './view.js';

/** A PersistentVolumeClaim: which volume it is bound to. */
export function parseClaim(object: ApiObject): ClaimView {
  const volume = stringOf(recordOf(object['spec'])['volumeName']);
  return {
    namespace: stringOf(object.metadata.namespace) ?? '',
    name: stringOf(object.metadata.name) ?? '',
    volume: volume === '' ? undefined : volume,
  };
}

/** A PersistentVolume: the nodes that can reach it. */
export function parseVolume(object: ApiObject): VolumeView {
  return {
    name: stringOf(object.metadata.name) ?? '',
    nodeAffinity: parseNodeSelector(recordOf(recordOf(object['spec'])['nodeAffinity'])['required']),
  };
}

/** A Namespace: its labels, who answers for it, and whether it is being deleted. */
export function parseNamespace({ metadata }: ApiObject): NamespaceView {
  const responsible = responsibleOf(metadata);
  return {
    name: stringOf(metadata.name) ?? '',
    labels: stringMapOf(metadata.labels),
    terminating: metadata.deletionTimestamp !== undefined,
    ...(Object.keys(responsible).length === 0 ? {} : { responsible }),
  };
}
