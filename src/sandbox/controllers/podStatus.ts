import { numberOf, recordOf, recordsOf, stringOf, type JsonRecord } from '../../cluster/json.js';
import { timeText } from '../api/storedForm.js';
import { withCondition, type PodRecord } from './records.js';

/** The status of a pod whose containers all run since `startedAt`, as test/cluster/kwok.yaml writes it. */
export function runningStatus(
  pod: PodRecord,
  parts: {
    readonly startedAt: number;
    readonly isRestart: boolean;
    readonly ready: boolean;
    readonly hostIp: string;
    readonly podIp: string;
    readonly now: number;
  },
): JsonRecord {
  const { startedAt, now, ready } = parts;
  let status = pod.status;
  for (const type of ['PodScheduled', 'Initialized']) {
    status = { ...status, conditions: withCondition(status, { type, status: 'True' }, now) };
  }
  return readiness({
    status: {
      ...status,
      phase: 'Running',
      startTime: stringOf(status['startTime']) ?? timeText(now),
      hostIP: parts.hostIp,
      podIP: parts.podIp,
      containerStatuses: recordsOf(pod.spec['containers']).map((container) => ({
        name: container['name'],
        image: container['image'],
        ready,
        started: true,
        restartCount: restartsOf(pod, container['name']) + (parts.isRestart ? 1 : 0),
        state: { running: { startedAt: timeText(startedAt) } },
      })),
    },
    ready,
    now,
  });
}

/** The status with its conditions and containers Ready or not. */
export function readiness({
  status,
  ready,
  reason,
  now,
}: {
  readonly status: JsonRecord;
  readonly ready: boolean;
  readonly reason?: string;
  readonly now: number;
}): JsonRecord {
  const state = { status: ready ? 'True' : 'False', ...(reason === undefined ? {} : { reason }) };
  const contained = { conditions: withCondition(status, { type: 'ContainersReady', ...state }, now) };
  const containers = recordsOf(status['containerStatuses']);
  return {
    ...status,
    conditions: withCondition(contained, { type: 'Ready', ...state }, now),
    ...(containers.length === 0 ? {} : { containerStatuses: containers.map((one) => ({ ...one, ready })) }),
  };
}

/** The pod has come to its end. */
export function finishedStatus(pod: PodRecord, phase: 'Succeeded' | 'Failed', now: number): JsonRecord {
  const isSuccess = phase === 'Succeeded';
  const reason = isSuccess ? 'PodCompleted' : 'PodFailed';
  const status = readiness({ status: pod.status, ready: false, reason, now });
  const terminated = {
    exitCode: isSuccess ? 0 : 137,
    reason: isSuccess ? 'Completed' : 'Error',
    finishedAt: timeText(now),
  };
  const containers = recordsOf(status['containerStatuses']).map((one) => ({ ...one, state: { terminated } }));
  return { ...status, phase, containerStatuses: containers };
}

function restartsOf(pod: PodRecord, container: unknown): number {
  const own = recordsOf(pod.status['containerStatuses']).find(({ name }) => name === container);
  return numberOf(recordOf(own)['restartCount']) ?? 0;
}
