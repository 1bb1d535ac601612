import type { ClusterPort } from '../../cluster/clusterPort.js';
import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import { playbookResource } from '../../run/objects.js';
import type { JudgedPlaybook } from './inForce.js';

/** Why it could not be written. Guarded by the object's uid: one that was made again has not been read yet. */
export async function writeStatus(
  request: {
    readonly cluster: ClusterPort;
    readonly namespace: string;
    readonly judged: JudgedPlaybook;
    readonly status: PlaybookStatus;
  },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { cluster, namespace, judged, status } = request;
  const { name } = judged;
  const answer = await cluster.patch(
    {
      resource: playbookResource,
      namespace,
      name,
      subresource: 'status',
      patch: {
        type: 'json',
        operations: [
          { op: 'test', path: '/metadata/uid', value: judged.read.object?.resource.metadata.uid },
          { op: 'add', path: '/status', value: status },
        ],
      },
    },
    signal,
  );
  if (answer.kind === 'ok' || answer.kind === 'not-found') return undefined;
  return `The status of Playbook ${name} cannot be written: ${answer.message}`;
}
