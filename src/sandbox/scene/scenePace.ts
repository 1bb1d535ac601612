import { usualPace, type Pace } from '../controllers/pace.js';

/** How fast things go on the scene, milliseconds. */
export interface ScenePace {
  readonly cluster: Pace;
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
  /** Every so many nodes, one runs the new kernel already: its upgrade needs no reboot. 0: none. */
  readonly newKernelEvery: number;
  /** `spec.health.interval` of the playbook. */
  readonly healthIntervalMs: number;
  /** `spec.settle.time` of the playbook. */
  readonly settleMs: number;
}

/** For somebody who looks on: a node has its turn in a few seconds, most of which the engine waits between two looks. */
export const demoPace: ScenePace = {
  cluster: {
    ...usualPace,
    kubeletMs: { least: 5, most: 50 },
    kubeletStartMs: { least: 50, most: 150 },
    firstReportMs: { least: 0, most: 100 },
    podRecoverMs: { least: 50, most: 200 },
    leaseRenewMs: 200,
  },
  podStartMs: { least: 150, most: 500 },
  podStopMs: 150,
  jobMs: 8000,
  bootMs: 700,
  upgradeMs: 0,
  newKernelEvery: 3,
  healthIntervalMs: 300,
  settleMs: 300,
};

/** For somebody who works with it: slow enough to see what happens, and to break something meanwhile. */
export const handsOnPace: ScenePace = {
  cluster: { ...usualPace, leaseRenewMs: 1000, nodeMonitorMs: 1000, nodeGraceMs: 15_000 },
  podStartMs: { least: 1000, most: 3000 },
  podStopMs: 1000,
  jobMs: 90_000,
  bootMs: 5000,
  upgradeMs: 3000,
  newKernelEvery: 0,
  healthIntervalMs: 1000,
  settleMs: 2000,
};
