import { recordsOf, stringOf } from '../../cluster/json.js';
import { resources } from '../../cluster/resources.js';
import { isHeard, type HostState } from './hostState.js';
import { finishedStatus, readiness, runningStatus } from './podStatus.js';
import { durationOf, type PodRecord } from './records.js';
import { workQueue } from './workQueue.js';
import { writerAs } from './writer.js';
import { within, type World } from './world.js';

/** What runs of a pod, whatever the API server has heard of it. */
interface Containers {
  readonly node: string;
  state: 'starting' | 'running' | 'succeeded' | 'stopped';
  startedAt: number;
  /** The API server knows that they run. */
  isTold: boolean;
  /** They ran before the boot. */
  readonly isRestart: boolean;
  takeBack: () => void;
}

/** The part of the kubelets that starts, watches and ends pods. */
export interface PodKeeper {
  /** Looks at every pod of a node whose kubelet is heard (again). */
  look(node: string): void;
  /** Nothing runs on the node any more. */
  loseAll(node: string): void;
}

/** Plays the pods of all nodes; `hostOf` answers the machine behind a node. */
export function podKeeper(world: World, hostOf: (node: string) => HostState | undefined): PodKeeper {
  const { api, state, timeline, pace } = world;
  const random = world.random.fork();
  const running = new Map<string, Containers>();
  let addresses = 0;

  /** The pod and its machine, where the kubelet can do something about it. */
  const found = (key: string): { pod: PodRecord; host: HostState } | undefined => {
    const pod = state.pods.get(key);
    const host = pod?.nodeName === undefined ? undefined : hostOf(pod.nodeName);
    return pod === undefined || host === undefined || !isHeard(host) ? undefined : { pod, host };
  };
  const writeStatus = (pod: PodRecord, status: PodRecord['status']): void => {
    writerAs(api, `system:node:${pod.nodeName ?? ''}`).status(resources.pods, pod.object, status);
  };

  const sync = (key: string): void => {
    const known = found(key);
    if (known === undefined) return;
    const { pod, host } = known;
    const containers = running.get(pod.uid);
    if (pod.terminating) stop(pod, containers);
    else if (pod.finished || containers?.state === 'starting') return;
    else if (containers === undefined) start(pod, host);
    else if (containers.state === 'succeeded') writeStatus(pod, finishedStatus(pod, 'Succeeded', timeline.now()));
    else if (!containers.isTold) tellRunning(pod, containers);
    else if (!pod.ready && pod.annotations[unready] === undefined) recoveries.add(key);
  };
  const queue = workQueue(world, pace.kubeletMs, sync);

  const start = (pod: PodRecord, host: HostState): void => {
    const isRestart = pod.phase === 'Running';
    if (isRestart && pod.spec['restartPolicy'] === 'Never') {
      writeStatus(pod, finishedStatus(pod, 'Failed', timeline.now()));
      return;
    }
    if (isRestart && pod.ready) writeStatus(pod, notReady(pod));
    if (pod.annotations[neverReady] !== undefined) return;
    const { least, most } = pace.podStartMs;
    const from = durationOf(pod.annotations[startMin]) ?? least;
    const to = Math.max(from, durationOf(pod.annotations[startMax]) ?? most);
    const containers: Containers = {
      node: host.name,
      state: 'starting',
      startedAt: 0,
      isTold: false,
      isRestart,
      takeBack: timeline.after(within({ least: from, most: to }, random), () => {
        containers.state = 'running';
        containers.startedAt = timeline.now();
        if (pod.controller?.kind === 'Job') endLater(pod, containers);
        sync(pod.key);
      }),
    };
    running.set(pod.uid, containers);
  };
  const endLater = (pod: PodRecord, containers: Containers): void => {
    containers.takeBack = timeline.after(durationOf(pod.annotations[runFor]) ?? pace.podRunMs, () => {
      containers.state = 'succeeded';
      sync(pod.key);
    });
  };
  const tellRunning = (pod: PodRecord, containers: Containers): void => {
    containers.isTold = true;
    const node = state.nodes.get(containers.node);
    const hostIp = recordsOf(node?.status['addresses']).find(({ type }) => type === 'InternalIP')?.['address'];
    const [third, fourth] = [Math.floor(addresses / 250) % 250, (addresses % 250) + 1];
    addresses += containers.isRestart ? 0 : 1;
    const podIp = stringOf(pod.status['podIP']) ?? `10.244.${String(third)}.${String(fourth)}`;
    const { startedAt, isRestart } = containers;
    const ready = !isRestart || pod.annotations[unready] === undefined;
    const now = timeline.now();
    writeStatus(pod, runningStatus(pod, { startedAt, isRestart, ready, hostIp: stringOf(hostIp) ?? '', podIp, now }));
  };
  const recoveries = workQueue(world, pace.podRecoverMs, (key) => {
    const pod = found(key)?.pod;
    if (pod === undefined || pod.ready || pod.terminating || pod.annotations[unready] !== undefined) return;
    if (running.get(pod.uid)?.state !== 'running') return;
    writeStatus(pod, readiness({ status: pod.status, ready: true, now: timeline.now() }));
  });

  const stop = (pod: PodRecord, containers: Containers | undefined): void => {
    // What ran before a boot runs no more.
    const isGone = containers === undefined ? pod.phase === 'Running' : containers.state === 'stopped';
    const graceMs = 1000 * (pod.object.metadata.deletionGracePeriodSeconds ?? 30);
    const wait = isGone ? 0 : Math.min(graceMs, durationOf(pod.annotations[stopAfter]) ?? pace.podStopMs);
    if (wait > 0) {
      ends.add(pod.key, wait);
      return;
    }
    if (containers !== undefined) end(containers);
    writerAs(api, `system:node:${pod.nodeName ?? ''}`).delete(resources.pods, pod.object, { gracePeriodSeconds: 0 });
  };
  const ends = workQueue(world, pace.kubeletMs, (key) => {
    const pod = state.pods.get(key);
    if (pod?.terminating !== true) return;
    const containers = running.get(pod.uid);
    if (containers !== undefined) end(containers);
    const known = found(key);
    if (known === undefined) return;
    writerAs(api, `system:node:${known.host.name}`).delete(resources.pods, pod.object, { gracePeriodSeconds: 0 });
  });
  const end = (containers: Containers): void => {
    containers.takeBack();
    containers.state = 'stopped';
  };
  const notReady = (pod: PodRecord): PodRecord['status'] =>
    readiness({ status: pod.status, ready: false, reason: 'ContainersNotReady', now: timeline.now() });

  state.onPod((now, before) => {
    if (before !== undefined && before.uid !== now?.uid) {
      running.get(before.uid)?.takeBack();
      running.delete(before.uid);
    }
    if (now?.nodeName !== undefined && (before === undefined || concernsKubelet(now, before))) queue.add(now.key);
  });
  return {
    look: (node) => {
      for (const { key } of state.podsOnNode(node)) queue.add(key);
    },
    loseAll: (node) => {
      for (const [uid, containers] of running) {
        if (containers.node !== node) continue;
        containers.takeBack();
        running.delete(uid);
      }
    },
  };
}

const annotation = 'sandbox.turnus.dev';
const startMin = `${annotation}/start-min`;
const startMax = `${annotation}/start-max`;
const stopAfter = `${annotation}/stop-after`;
const neverReady = `${annotation}/never-ready`;
const unready = `${annotation}/unready`;
const runFor = `${annotation}/run-for`;

/** Whether the change is one that a kubelet does something about; its own writes mostly are not. */
function concernsKubelet(now: PodRecord, before: PodRecord): boolean {
  return (
    now.uid !== before.uid ||
    now.nodeName !== before.nodeName ||
    now.terminating !== before.terminating ||
    now.object.metadata.deletionGracePeriodSeconds !== before.object.metadata.deletionGracePeriodSeconds ||
    now.annotations !== before.annotations ||
    now.ready !== before.ready ||
    now.phase !== before.phase
  );
}
