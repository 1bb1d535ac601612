import type { OtherObject, StatefulSet } from './objects.js';

/** The driver of {@link attachedVolume}; nobody plays it: tests attach and detach. */
export const driver = 'disk.example.com';

/**
 * A volume of a CSI driver for the only pod of a StatefulSet, reached from every node, with its claim, and its attachment
 * to a node as the attach-detach controller and the driver's attacher leave it. To be created before the set.
 */
export function attachedVolume(
  set: StatefulSet,
  node: string,
): { set: StatefulSet; storage: OtherObject[]; attachment: OtherObject; volume: string } {
  const { name, namespace = 'default' } = set.metadata;
  const claim = `data-${name}-0`;
  const volume = `volume-${name}`;
  const claimSpec = {
    accessModes: ['ReadWriteOnce'],
    storageClassName: '',
    resources: { requests: { storage: '1Gi' } },
  };
  return {
    volume,
    set: { ...set, spec: { ...set.spec, volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }] } },
    storage: [
      {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: volume },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: '',
          persistentVolumeReclaimPolicy: 'Retain',
          csi: { driver, volumeHandle: volume },
          claimRef: { namespace, name: claim },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claim, namespace },
        spec: { ...claimSpec, volumeName: volume },
      },
    ],
    attachment: attachmentOf(volume, node),
  };
}

/** The VolumeAttachment of a volume to a node. */
export function attachmentOf(volume: string, node: string): OtherObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: `csi-${volume}-${node}` },
    spec: { attacher: driver, nodeName: node, source: { persistentVolumeName: volume } },
  };
}
