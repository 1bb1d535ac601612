import type { Schedule } from '../../../src/calendar/schedule.js';
import type { NodeDescription } from '../../../src/sandbox/simulatedCluster.js';
import type { NightPlaybook, NightWorkload, Trouble, Violation } from '../night.js';

/**
 * Everything that makes a year of windows: played twice, it is the same twice. Plain data, so that it can be printed and
 * made smaller. Instants are milliseconds since the epoch.
 */
export interface Year {
  readonly seed: number;
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly nodes: readonly NodeDescription[];
  readonly workloads: readonly NightWorkload[];
  readonly playbook: NightPlaybook;
  readonly schedule: Schedule;
  /** Every node is to have its turn within this. */
  readonly coverageMs: number;
  /** What the playbook says where no former turn tells how long one takes; absent: Turnus estimates. */
  readonly expectedTurnMs?: number;
  /** As many runs that have ended are kept. */
  readonly runHistoryLimit: number;
  readonly calls: readonly YearCall[];
  readonly troubles: readonly YearTrouble[];
}

/** The command is started, by cron or by somebody: in a window, or outside of one. */
export interface YearCall {
  readonly id: string;
  readonly at: number;
  /** The actor dies at its n-th call of a port; without `restartAfterMs` nobody starts it again before the next call. */
  readonly crash?: {
    readonly call: number;
    readonly moment: 'before' | 'after';
    readonly restartAfterMs?: number;
  };
}

/** Something that goes wrong, or somebody who acts, at some moment of the year. */
export interface YearTrouble {
  readonly id: string;
  readonly at: number;
  readonly what: Happening;
}

export type Happening =
  | Plain<'node-added' | 'node-deleted' | 'boot-never-returns' | 'never-ready' | 'hold'>
  /** The node is deleted and registered again at once: the same machine, another object. */
  | { readonly kind: 'node-registered-anew'; readonly node: string }
  /** The next script of this stage fails on the node, once; `then` is what the operator asks about it. */
  | {
      readonly kind: 'script-fails';
      readonly node: string;
      readonly stage: string;
      readonly changed: boolean;
      readonly then: FailureAnswer;
    }
  /** The run that is unfinished then is paused. */
  | { readonly kind: 'pause'; readonly resumedAfterMs: number };

/** A retry minutes later, or before the next call; the failure stands and the run goes on; or nobody does anything. */
export type FailureAnswer = 'retry-soon' | 'retry-at-next-call' | 'resume-at-next-call' | 'nothing';

/** Troubles of a night as they are, at the moment of the year's. */
type Plain<Kind extends Trouble['kind']> =
  Extract<Trouble, { readonly kind: Kind }> extends infer Each
    ? Each extends Trouble
      ? Omit<Each, 'id' | 'atMs'>
      : never
    : never;

/** What became of a year. */
export interface YearEnd {
  readonly year: Year;
  /** Empty where every invariant held; `atMs` is milliseconds since the beginning of the year. */
  readonly violations: readonly Violation[];
  readonly events: number;
  /** How often the command was started, by exit code; `crashed` where it did not come to one. */
  readonly calls: Readonly<Record<string, number>>;
  /** Turns that were completed, as the nodes tell. */
  readonly turns: number;
  /** Runs by their last phase. */
  readonly runs: Readonly<Record<string, number>>;
  /** Windows in the year, and months with one. */
  readonly windows: number;
  readonly months: number;
}
