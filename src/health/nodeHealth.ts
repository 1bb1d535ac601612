import { podKey, type ClusterView, type PodView } from '../cluster/view.js';

/** What the node must show again, as it was recorded before it left service. */
export interface HealthBefore {
  /** DaemonSet and mirror pods that were Ready before, with the start times of their containers. */
  readonly stationaryPods: readonly StationaryPod[];
  /** The boot id that the node must report; undefined where nothing was rebooted. */
  readonly expectedBootId: string | undefined;
}

export interface StationaryPod {
  /** `namespace/DaemonSet name` for a DaemonSet's pod, `namespace/name` for a mirror pod. */
  readonly pod: string;
  readonly startedAt: readonly number[];
}

/**
 * Is the node well in this view? Says what is missing, in words; an empty list is a pass.
 * After a fast boot the Ready condition can still be the one from before, so a new heartbeat is asked for elsewhere
 * (awaitHealth) and the boot id and the containers' start times here (rule 8).
 */
export function nodeProblems(view: ClusterView, nodeName: string, before: HealthBefore): string[] {
  const node = view.nodes.get(nodeName);
  if (node === undefined) return [`node ${nodeName} is not in the cluster`];
  const problems: string[] = [];
  if (!node.ready) problems.push(`node ${nodeName} is not Ready (${node.notReadyReason ?? 'no reason given'})`);
  if (before.expectedBootId !== undefined && node.bootId !== before.expectedBootId) {
    problems.push(`node ${nodeName} still reports boot ${node.bootId}, not ${before.expectedBootId}`);
  }
  const standing = stationaryPods(view, nodeName);
  for (const expected of before.stationaryPods) {
    const pods = standing.filter((pod) => stationaryName(pod) === expected.pod);
    const wrong = pods.flatMap((pod) => podProblem(pod, expected, before) ?? []);
    // While it is updated with surge, a DaemonSet has two pods on a node: one that is well is enough.
    if (pods.length === 0) problems.push(`pod of ${expected.pod} has not returned`);
    else if (wrong.length === pods.length) problems.push(...wrong);
  }
  return problems;
}

function podProblem(pod: PodView, expected: StationaryPod, before: HealthBefore): string | undefined {
  if (!pod.ready) return `pod ${podKey(pod)} is not Ready`;
  if (before.expectedBootId === undefined || restarted(pod, expected.startedAt)) return undefined;
  return `pod ${podKey(pod)} still shows its start from before the boot`;
}

/** The DaemonSet and mirror pods of a node that are Ready now, for {@link HealthBefore}. */
export function recordStationaryPods(view: ClusterView, nodeName: string): StationaryPod[] {
  return stationaryPods(view, nodeName)
    .filter((pod) => pod.ready)
    .map((pod) => ({ pod: stationaryName(pod), startedAt: startTimes(pod) }));
}

function stationaryPods(view: ClusterView, nodeName: string): PodView[] {
  return [...view.pods.values()].filter(
    (pod) =>
      pod.nodeName === nodeName &&
      !pod.terminating &&
      pod.phase !== 'Succeeded' &&
      pod.phase !== 'Failed' &&
      (pod.mirror || pod.controller?.kind === 'DaemonSet'),
  );
}

/** A DaemonSet's pod has a new name after it was replaced, so it is known by its DaemonSet. */
function stationaryName(pod: PodView): string {
  return pod.controller?.kind === 'DaemonSet' ? `${pod.namespace}/DaemonSet ${pod.controller.name}` : podKey(pod);
}

/**
 * Every container started anew. Compared with the start times recorded before, on the same clock, so that a difference
 * between our clock and the host's does not matter.
 */
function restarted(pod: PodView, startedBefore: readonly number[]): boolean {
  const latestBefore = Math.max(0, ...startedBefore);
  return pod.containersStartedAt.every((startedAt) => startedAt !== undefined && startedAt > latestBefore);
}

function startTimes(pod: PodView): number[] {
  return pod.containersStartedAt.filter((startedAt) => startedAt !== undefined);
}
