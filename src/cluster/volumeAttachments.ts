import type { ApiAnswer, ApiObject, ClusterPort } from './clusterPort.js';
import { recordOf, stringOf } from './json.js';
import { resources } from './resources.js';

/** A storage.k8s.io/v1 VolumeAttachment: a driver has attached a volume to a node, or is to. */
export interface VolumeAttachment {
  readonly name: string;
  readonly node: string;
  /** Name of the PersistentVolume; undefined for a volume written into its pod. */
  readonly volume: string | undefined;
  /** The driver that attaches and detaches it. */
  readonly driver: string;
  /** What the driver said when it could not detach it. */
  readonly detachError: string | undefined;
}

/** Objects a page of the list: no field selector tells those of one node. */
const pageSize = 500;

/** Every attachment to a node, read consistently, and the version from which a watch goes on. */
export async function listAttachments(
  cluster: Pick<ClusterPort, 'list'>,
  node: string,
  signal: AbortSignal,
): Promise<ApiAnswer<{ readonly attachments: readonly VolumeAttachment[]; readonly resourceVersion: string }>> {
  const attachments: VolumeAttachment[] = [];
  let continueToken: string | undefined;
  for (;;) {
    const page = await cluster.list(
      {
        resource: resources.volumeAttachments,
        limit: pageSize,
        ...(continueToken === undefined ? {} : { continueToken }),
      },
      signal,
    );
    if (page.kind !== 'ok') return page;
    attachments.push(...page.value.items.map(parseAttachment).filter((attachment) => attachment.node === node));
    continueToken = page.value.continueToken;
    if (continueToken === undefined) {
      return { kind: 'ok', value: { attachments, resourceVersion: page.value.resourceVersion } };
    }
  }
}

/** A VolumeAttachment object; what is missing reads as empty. */
export function parseAttachment(object: ApiObject): VolumeAttachment {
  const spec = recordOf(object['spec']);
  const detachError = recordOf(recordOf(object['status'])['detachError']);
  return {
    name: stringOf(object.metadata.name) ?? '',
    node: stringOf(spec['nodeName']) ?? '',
    volume: stringOf(recordOf(spec['source'])['persistentVolumeName']),
    driver: stringOf(spec['attacher']) ?? '',
    detachError: stringOf(detachError['message']),
  };
}
