import { recordOf, stringOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import type { NodeRecord, PodRecord } from './records.js';
import type { Writer } from './writer.js';
import type { World } from './world.js';

/** The storage class whose volumes lie on a disk of the node where their pod was placed first. */
export const localStorageClass = 'local';

/**
 * Binds the claims of a pod that have no volume yet, to new ones, as a provisioner with WaitForFirstConsumer would once
 * the pod has its node. Volumes of {@link localStorageClass} can be reached from that node only, others from all.
 */
export function bindClaims(
  { state }: World,
  write: Writer,
  pod: PodRecord,
  { claims, node }: { readonly claims: readonly string[]; readonly node: NodeRecord },
): void {
  for (const name of claims) {
    const claim = state.objects(resources.claims.plural).get(`${pod.namespace}/${name}`);
    const spec = recordOf(claim?.['spec']);
    if (claim === undefined || (stringOf(spec['volumeName']) ?? '') !== '') continue;
    const volumeName = `pvc-${claim.metadata.uid ?? ''}`;
    const isLocal = spec['storageClassName'] === localStorageClass;
    const hostname = node.labels['kubernetes.io/hostname'] ?? node.name;
    const onNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [hostname] };
    write.create(resources.volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName },
      spec: {
        accessModes: spec['accessModes'] ?? ['ReadWriteOnce'],
        storageClassName: spec['storageClassName'] ?? '',
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: pod.namespace, name },
        ...(isLocal
          ? {
              local: { path: '/srv/data' },
              nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onNode] }] } },
            }
          : {}),
      },
      status: { phase: 'Bound' },
    });
    write.status(resources.claims, claim, { phase: 'Bound' });
    write.merge(resources.claims, claim, { spec: { volumeName } });
  }
}
