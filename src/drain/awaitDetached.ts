import type { ClusterPort } from '../cluster/clusterPort.js';
import { resources } from '../cluster/resources.js';
import { listAttachments, parseAttachment, type VolumeAttachment } from '../cluster/volumeAttachments.js';
import { isDeadlineExceeded, type Clock } from '../time/clock.js';
import type { WaitingFor } from './drainEnd.js';
import type { KeyedWait, ProgressReporter } from './drainProgress.js';
import { volumesInUse } from './podVolumes.js';
import type { DrainCache } from './waitForChange.js';

export interface VolumesToAwait {
  readonly cluster: Pick<ClusterPort, 'list' | 'watch'>;
  readonly cache: Pick<DrainCache, 'view'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly node: string;
  /** PersistentVolumes of the pods that left the node. */
  readonly volumes: ReadonlySet<string>;
  /** Monotonic time at which the wait is over. */
  readonly deadline: number;
  readonly progress: ProgressReporter;
}

/** Between two lists after a failure, or after a watch that ended. */
const pauseMs = 2000;

/**
 * Waits until no volume of the pods that left is attached to the node any more: until then its driver may still flush
 * and unmount it, and a host that goes down takes it along (no other node gets it before the attach-detach controller's
 * own timeout of 6 minutes). Volumes that a pod on the node still mounts do not count. Where no pod had a volume nothing
 * is asked. Returns what is still attached when the time is over.
 */
export async function awaitDetached(wait: VolumesToAwait): Promise<readonly WaitingFor[]> {
  const { cluster, clock, node, progress } = wait;
  if (wait.volumes.size === 0) return [];
  const deadline = clock.deadline(Math.max(0, wait.deadline - clock.monotonic()), wait.signal);
  let waitingFor: readonly WaitingFor[] = [];
  const tell = (waits: readonly KeyedWait[]) => {
    waitingFor = progress.waiting('volumes', waits, 0);
  };
  const until = clock.now() + Math.max(0, Math.round(wait.deadline - clock.monotonic()));
  try {
    for (;;) {
      const listed = await listAttachments(cluster, node, deadline.signal);
      if (listed.kind === 'ok') {
        const left = new Map(
          awaited(wait, listed.value.attachments).map((attachment) => [attachment.name, attachment]),
        );
        tell([...left.values()].map((attachment) => attached(attachment, until)));
        if (left.size === 0) return [];
        await untilAllGone(
          { ...wait, signal: deadline.signal },
          { left, from: listed.value.resourceVersion, tell, until },
        );
        if (awaited(wait, [...left.values()]).length === 0) return [];
      } else if (listed.kind === 'not-found') {
        // No such kind: nothing is ever attached.
        return [];
      } else {
        const what = `The volume attachments of node ${node} cannot be read: ${listed.message}`;
        tell([{ key: `attachments ${listed.kind}`, for: 'volumes', what, until, who: ['API server'] }]);
      }
      await clock.sleep(pauseMs, deadline.signal);
    }
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || wait.signal.aborted) throw error;
    // What was not read in time is not known to be gone.
    const what = `The volume attachments of node ${node} were not read in time.`;
    if (waitingFor.length === 0) tell([{ key: 'attachments', for: 'volumes', what, until, who: ['API server'] }]);
    return waitingFor;
  } finally {
    deadline.clear();
  }
}

function awaited(
  { cache, node, volumes }: VolumesToAwait,
  attachments: readonly VolumeAttachment[],
): VolumeAttachment[] {
  const inUse = volumesInUse(cache.view(), node);
  return attachments.filter(({ volume }) => volume !== undefined && volumes.has(volume) && !inUse.has(volume));
}

/** Follows the attachments until the last one is gone or the watch ends; `left` is what is there then. */
async function untilAllGone(
  { cluster, signal }: VolumesToAwait,
  follow: {
    readonly left: Map<string, VolumeAttachment>;
    readonly from: string;
    readonly tell: (waits: readonly KeyedWait[]) => void;
    readonly until: number;
  },
): Promise<void> {
  const { left, from, tell, until } = follow;
  for await (const event of cluster.watch({ resource: resources.volumeAttachments, resourceVersion: from }, signal)) {
    if (event.type === 'failed') return;
    if (event.type === 'bookmark') continue;
    const attachment = parseAttachment(event.object);
    if (!left.has(attachment.name)) continue;
    if (event.type === 'deleted') left.delete(attachment.name);
    else left.set(attachment.name, attachment);
    tell([...left.values()].map((other) => attached(other, until)));
    if (left.size === 0) return;
  }
}

function attached({ name, node, volume = '', driver, detachError }: VolumeAttachment, until: number): KeyedWait {
  const error = detachError === undefined ? '' : ` The driver says: ${detachError}`;
  return {
    key: `attachment ${name}`,
    for: 'volumes',
    what: `PersistentVolume ${volume} is still attached to node ${node} (VolumeAttachment ${name}, driver ${driver}).${error}`,
    until,
    who: [`VolumeAttachment ${name}`, `driver ${driver}`],
  };
}
