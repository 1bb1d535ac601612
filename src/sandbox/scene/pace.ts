/** How fast things go on the scene, milliseconds. */
export interface Pace {
  /** A pod is Ready this long after it got its node. */
  readonly podStartMs: { readonly least: number; readonly most: number };
  /** A pod is gone this long after it was told to end. */
  readonly podStopMs: number;
  /** How long the pod of the Job works. */
  readonly jobMs: number;
  /** How long a host is down when it reboots. */
  readonly bootMs: number;
  /** How long the upgrade on a host takes. */
  readonly upgradeMs: number;
  /** `spec.health.interval` of the playbook. */
  readonly healthIntervalMs: number;
  /** `spec.settle.time` of the playbook. */
  readonly settleMs: number;
}

/** For somebody who looks on: a node has its turn in a few seconds. */
export const demoPace: Pace = {
  podStartMs: { least: 200, most: 700 },
  podStopMs: 200,
  jobMs: 12_000,
  bootMs: 800,
  upgradeMs: 300,
  healthIntervalMs: 500,
  settleMs: 500,
};

/** For somebody who works with it: slow enough to see what happens, and to break something meanwhile. */
export const handsOnPace: Pace = {
  podStartMs: { least: 1000, most: 3000 },
  podStopMs: 1000,
  jobMs: 90_000,
  bootMs: 5000,
  upgradeMs: 3000,
  healthIntervalMs: 1000,
  settleMs: 2000,
};
