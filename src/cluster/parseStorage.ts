import type { ApiObject } from './clusterPort.js';
import { recordOf, stringMapOf, stringOf, stringsOf } from './json.js';
import { parseNodeSelector } from './nodeSelector.js';
import { responsibleOf } from './responsible.js';
import type { ClaimView, NamespaceView, VolumeView } from './view.js';

/** A PersistentVolumeClaim: which volume it is bound to, and whether several nodes can use it. */
export function parseClaim(object: ApiObject): ClaimView {
  const spec = recordOf(object['spec']);
  const volume = stringOf(spec['volumeName']);
  // Those of the volume, once it is bound; a claim may ask for fewer.
  const bound = stringsOf(recordOf(object['status'])['accessModes']);
  const accessModes = bound.length > 0 ? bound : stringsOf(spec['accessModes']);
  return {
    namespace: stringOf(object.metadata.namespace) ?? '',
    name: stringOf(object.metadata.name) ?? '',
    volume: volume === '' ? undefined : volume,
    onOneNode: accessModes.every((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod'),
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
