import type { OtherObject, StatefulSet } from './objects.js';

/** The claim template of {@link onLocalVolumes}; the claims are `data-<pod>`. */
const template = 'data';

/**
 * The StatefulSet with a local volume for each pod: pod N keeps its data on `nodes[N]`, and no other node can reach it.
 * `storage` are the volumes and claims, bound to each other from the start; to be created first.
 */
export function onLocalVolumes(set: StatefulSet, nodes: string[]): { set: StatefulSet; storage: OtherObject[] } {
  const { name, namespace = 'default' } = set.metadata;
  const claimSpec = {
    accessModes: ['ReadWriteOnce'],
    storageClassName: '',
    resources: { requests: { storage: '1Gi' } },
  };
  const storage = nodes.flatMap((node, number): OtherObject[] => {
    const claim = `${template}-${name}-${String(number)}`;
    const volume = `${claim}-on-${node}`;
    const onNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
    return [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: volume },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: '',
          persistentVolumeReclaimPolicy: 'Retain',
          local: { path: '/srv/data' },
          nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
          claimRef: { namespace, name: claim },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace },
        spec: { ...claimSpec, volumeName: volume },
      },
    ];
  });
  return {
    set: { ...set, spec: { ...set.spec, volumeClaimTemplates: [{ metadata: { name: template }, spec: claimSpec }] } },
    storage,
  };
}
