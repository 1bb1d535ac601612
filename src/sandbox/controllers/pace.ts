/** Milliseconds, both ends included. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

/** How long things take in the sandbox. All but the spans that a pod's annotations replace. */
export interface Pace {
  /** From a change to what a controller makes of it. */
  readonly controllerMs: Span;
  /** From a pod without a node to the scheduler's decision. */
  readonly schedulerMs: Span;
  /** A pod that had no place is looked at again after the first, doubled each time up to the second. */
  readonly schedulerBackOffMs: Span;
  /** From a change of a pod to what its kubelet makes of it. */
  readonly kubeletMs: Span;
  /** From bound to Ready. */
  readonly podStartMs: Span;
  /** A pod that is not Ready gets Ready again. */
  readonly podRecoverMs: Span;
  /** From deletion to gone. */
  readonly podStopMs: number;
  /** A Job's pod works so long. */
  readonly podRunMs: number;
  /** A Job waits before it replaces a failed pod, doubled each time. */
  readonly jobBackOffMs: number;
  /** From the boot of a machine until its kubelet is heard. */
  readonly kubeletStartMs: Span;
  /** From then until the node's status tells of the boot; until then it is the one from before. */
  readonly firstReportMs: Span;
  /** A node that boots because of the annotation `reboot-id` is down so long. */
  readonly annotatedBootMs: number;
  /** How often the first report after a boot says NotReady. */
  readonly notReadyFirstChance: number;
  /** How often a machine that goes down still tells that its node is NotReady. */
  readonly farewellChance: number;
  /** The kubelet renews its lease. */
  readonly leaseRenewMs: number;
  /** The kubelet reports the node's conditions, changed or not. */
  readonly nodeReportMs: number;
  /** The node controller looks at the nodes. */
  readonly nodeMonitorMs: number;
  /** A kubelet that was not heard for so long makes its node Unknown. */
  readonly nodeGraceMs: number;
  /** Pods of a node that was deleted are removed. */
  readonly podCollectionMs: Span;
}

/** As in a cluster of usual settings (kube-controller-manager, kubelet) with small images. */
export const usualPace: Pace = {
  controllerMs: { least: 2, most: 80 },
  schedulerMs: { least: 2, most: 50 },
  schedulerBackOffMs: { least: 1000, most: 10_000 },
  kubeletMs: { least: 5, most: 200 },
  podStartMs: { least: 1000, most: 3000 },
  podRecoverMs: { least: 500, most: 2000 },
  podStopMs: 500,
  podRunMs: 5000,
  jobBackOffMs: 10_000,
  kubeletStartMs: { least: 300, most: 3000 },
  firstReportMs: { least: 0, most: 2500 },
  annotatedBootMs: 5000,
  notReadyFirstChance: 0.5,
  farewellChance: 0.5,
  leaseRenewMs: 10_000,
  nodeReportMs: 300_000,
  nodeMonitorMs: 5000,
  nodeGraceMs: 40_000,
  podCollectionMs: { least: 40_000, most: 60_000 },
};
