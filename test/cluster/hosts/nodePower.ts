import { setTimeout as sleep } from 'node:timers/promises';
import { ApiFailure } from '../api.js';
import type { TestApi } from '../api.js';
import type { Pod } from '../objects.js';
import { waitFor } from '../waitFor.js';

const unready = 'sandbox.turnus.dev/unready';
const lostPower = 'power-lost';

/** What the API server learns about a node whose host loses power and boots again. */
export interface NodePower {
  /** The node turns NotReady; it comes back with `bootId` after `bootDelayMs`, or, held down, after `release`. */
  lose(options: { bootId: string; bootDelayMs: number; holdDown: boolean; signal: AbortSignal }): Promise<void>;
  /** Lets a node that is held down boot. */
  release(signal: AbortSignal): Promise<void>;
  /** The kubelet is back: the containers of the node's pods have been started anew. */
  restartPods(signal: AbortSignal): Promise<void>;
}

/** Plays the power of one node through the API; persists through short outages of the API server. */
export function nodePower({ api, node }: { api: TestApi; node: string }): NodePower {
  const annotate = (annotations: Record<string, string | null>, signal: AbortSignal): Promise<void> =>
    persist(`annotations of ${node}`, signal, async () => {
      await api.patch({ kind: 'Node', name: node }, { body: { metadata: { annotations } } });
    });
  const eachPod = (signal: AbortSignal, act: (pod: Pod) => Promise<void>): Promise<void> =>
    persist(`pods of ${node}`, signal, async () => {
      const pods = await api.list({ kind: 'Pod', fieldSelector: `spec.nodeName=${node}` });
      for (const pod of pods) {
        if (pod.status?.phase !== 'Running' || pod.metadata.deletionTimestamp !== undefined) continue;
        await act(pod).catch((error: unknown) => {
          if (!(error instanceof ApiFailure && error.status === 404)) throw error;
        });
      }
    });

  return {
    lose: async ({ bootId, bootDelayMs, holdDown, signal }) => {
      await annotate(
        {
          'sandbox.turnus.dev/reboot-id': bootId,
          'sandbox.turnus.dev/boot-delay': `${bootDelayMs}ms`,
          'sandbox.turnus.dev/hold-down': holdDown ? 'true' : null,
        },
        signal,
      );
      await eachPod(signal, async (pod) => {
        if (pod.metadata.annotations?.[unready] === undefined) await annotatePod(api, pod, lostPower);
        await patchStatus(api, pod, {
          conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', reason: 'PowerLost' })),
          containerStatuses: pod.status?.containerStatuses?.map((container) => ({ ...container, ready: false })),
        });
      });
    },
    release: (signal) => annotate({ 'sandbox.turnus.dev/hold-down': null }, signal),
    restartPods: (signal) =>
      eachPod(signal, async (pod) => {
        const startedAt = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
        await patchStatus(api, pod, {
          containerStatuses: pod.status?.containerStatuses?.map((container) => ({
            ...container,
            ready: true,
            restartCount: container.restartCount + 1,
            state: { running: { startedAt } },
          })),
        });
        // kwok reports the pod Ready a moment after nothing holds it back.
        if (pod.metadata.annotations?.[unready] === lostPower) await annotatePod(api, pod, null);
      }),
  };
}

async function annotatePod(api: TestApi, pod: Pod, value: string | null): Promise<void> {
  const body = { metadata: { annotations: { [unready]: value } } };
  await api.patch({ kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name }, { body });
}

async function patchStatus(api: TestApi, pod: Pod, status: unknown): Promise<void> {
  const reference = { kind: 'Pod', namespace: pod.metadata.namespace, name: pod.metadata.name } as const;
  await api.patch(reference, { body: { status }, type: 'strategic', subresource: 'status' });
}

/** Tries until it succeeds or the testbed stops: the API server may be away just now, by a test's will. */
async function persist(what: string, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  await waitFor({
    what,
    timeoutMs: 120_000,
    intervalMs: 200,
    probe: async () => {
      if (!signal.aborted) await act();
      return true;
    },
  });
}

/** Waits, or returns early when `signal` is raised. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}
