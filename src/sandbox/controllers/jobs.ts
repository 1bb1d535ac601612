import type { ApiObject } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, type JsonRecord } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import { activePodsOf } from './replicaSets.js';
import { timeText } from '../api/storedForm.js';
import { conditionOf, keyOf, withCondition, type PodRecord } from './records.js';
import { workQueue } from './workQueue.js';
import { podOf, workloadKinds } from './workloadKinds.js';
import { controllerName, writerAs } from './writer.js';
import type { World } from './world.js';

const kind = workloadKinds.Job;
/** Keeps a pod until the Job has counted it. */
const trackingFinalizer = 'batch.kubernetes.io/job-tracking';

/**
 * Runs Jobs (pkg/controller/job/job_controller.go). A pod that is deleted before it has succeeded counts as failed; one
 * failure more than `backoffLimit` and the Job has failed for good.
 */
export function runJobs(world: World): void {
  const { api, state, timeline, pace } = world;
  const write = writerAs(api, controllerName('job-controller'));
  const lastFailures = new Map<string, number>();
  const queue = workQueue(world, pace.controllerMs, (key) => {
    const job = state.objects(kind.resource.plural).get(key);
    if (job === undefined) return;
    const status = countPods(job);
    write.status(kind.resource, job, job.metadata.deletionTimestamp === undefined ? proceed(job, status) : status);
  });

  /** Takes the pods that have ended into the account, and lets go of them. */
  const countPods = (job: ApiObject): JsonRecord => {
    const before = recordOf(job['status']);
    const uid = job.metadata.uid ?? '';
    let succeeded = numberOf(before['succeeded']) ?? 0;
    let failed = numberOf(before['failed']) ?? 0;
    for (const pod of state.podsOf(uid)) {
      const finalizers = pod.object.metadata.finalizers ?? [];
      if (!finalizers.includes(trackingFinalizer) || !(pod.finished || pod.terminating)) continue;
      if (pod.phase === 'Succeeded') succeeded += 1;
      else {
        failed += 1;
        lastFailures.set(uid, timeline.now());
      }
      const left = finalizers.filter((finalizer) => finalizer !== trackingFinalizer);
      write.merge(resources.pods, pod.object, { metadata: { finalizers: left } });
    }
    return { ...before, ...(succeeded > 0 ? { succeeded } : {}), ...(failed > 0 ? { failed } : {}) };
  };

  /** Starts what is missing, or says how the Job ended. */
  const proceed = (job: ApiObject, counted: JsonRecord): JsonRecord => {
    const spec = recordOf(job['spec']);
    const now = timeline.now();
    const completions = numberOf(spec['completions']) ?? 1;
    const succeeded = numberOf(counted['succeeded']) ?? 0;
    const failed = numberOf(counted['failed']) ?? 0;
    const status = { startTime: timeText(now), ...counted };
    const end = (active: number) => ({ ...status, active, ready: 0 });
    if (hasEnded(job)) return end(activePodsOf(state, job).length);
    if (succeeded >= completions) {
      const complete = { type: 'Complete', status: 'True', reason: 'CompletionsReached' };
      return { ...end(0), completionTime: timeText(now), conditions: withCondition(status, complete, now) };
    }
    if (failed > (numberOf(spec['backoffLimit']) ?? 6)) {
      for (const pod of activePodsOf(state, job)) write.delete(resources.pods, pod.object);
      const message = 'Job has reached the specified backoff limit';
      const over = { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message };
      return { ...end(0), conditions: withCondition(status, over, now) };
    }
    startMissing(job, { completions, succeeded, failed });
    const active = activePodsOf(state, job);
    return { ...status, active: active.length, ready: active.filter((pod) => pod.ready).length };
  };

  /** A Job that is gone lets go of its pods, so that they can go too (syncOrphanPod). */
  const orphans = workQueue(world, pace.controllerMs, (key) => {
    const pod = state.pods.get(key);
    if (pod === undefined || jobOf(pod) !== undefined) return;
    const finalizers = pod.object.metadata.finalizers ?? [];
    const left = finalizers.filter((finalizer) => finalizer !== trackingFinalizer);
    if (left.length < finalizers.length) write.merge(resources.pods, pod.object, { metadata: { finalizers: left } });
  });
  const jobOf = ({ namespace, controller }: PodRecord): ApiObject | undefined => {
    const job = state.objects(kind.resource.plural).get(`${namespace}/${controller?.name ?? ''}`);
    return job?.metadata.uid === controller?.uid ? job : undefined;
  };

  const startMissing = (job: ApiObject, count: { completions: number; succeeded: number; failed: number }): void => {
    const parallel = numberOf(recordOf(job['spec'])['parallelism']) ?? 1;
    const wanted = Math.min(parallel, count.completions - count.succeeded);
    const missing = wanted - activePodsOf(state, job).length;
    const lastFailure = lastFailures.get(job.metadata.uid ?? '');
    const backOff = Math.min(600_000, pace.jobBackOffMs * 2 ** (count.failed - 1));
    const wait = missing <= 0 || lastFailure === undefined ? 0 : lastFailure + backOff - timeline.now();
    if (wait > 0) {
      queue.add(keyOf(job), wait);
      return;
    }
    for (let made = 0; made < missing; made += 1) {
      const labels = { 'batch.kubernetes.io/job-name': job.metadata.name ?? '', 'job-name': job.metadata.name ?? '' };
      const pod = podOf(job, kind, { labels, finalizers: [trackingFinalizer] });
      if (write.create(resources.pods, pod).kind === 'refused') queue.add(keyOf(job), 1000);
    }
  };

  state.on(kind.resource.plural, ({ object, type }) => {
    if (type === 'deleted') {
      const { uid = '' } = object.metadata;
      lastFailures.delete(uid);
      for (const { key } of state.podsOf(uid)) orphans.add(key);
    }
    queue.add(keyOf(object));
  });
  state.onPod((now, before) => {
    const pod = now ?? before;
    if (pod?.controller?.kind !== kind.kind) return;
    if (jobOf(pod) === undefined) orphans.add(pod.key);
    else queue.add(`${pod.namespace}/${pod.controller.name}`);
  });
}

function hasEnded(job: ApiObject): boolean {
  return ['Complete', 'Failed'].some((type) => conditionOf(recordOf(job['status']), type)?.['status'] === 'True');
}
