import type { HeldLease } from '../cluster/heldLease.js';
import type { JournalSink } from '../journal/entry.js';
import type { Clock } from '../time/clock.js';
import { followOther } from './followOther.js';
import type { Prepared } from './prepareRun.js';
import type { RunStop } from './runEnd.js';
import { startRun } from './startRun.js';
import type { RunState } from './state.js';
import { leaseName, runUnderLease, type LeaseEnd } from './underLease.js';

export interface RunAct {
  readonly prepared: Prepared;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  /** Identity of this process, for the lease and for people. */
  readonly actor: string;
  readonly change: string | undefined;
  readonly reason: string | undefined;
  /** See {@link startRun}. */
  readonly trigger?: string | undefined;
  readonly rehearsal: boolean;
  /** See {@link startRun}. */
  readonly leavesOwnNode?: boolean;
  /** See {@link startRun}. */
  readonly staysWithPaused?: boolean;
  /** Hears of the lease once it is held, so that the process can end at once if it must. */
  readonly onLease?: (lease: HeldLease) => void;
  readonly sinks: readonly JournalSink[];
  readonly onChange: (state: RunState) => void;
  /** Sentences for people: whom we wait for, whom we follow, that the lease was lost. */
  readonly log: (line: string) => void;
  /** Aborts when a person or the system asks to stop. */
  readonly stop: AbortSignal;
  readonly stoppedBy: () => RunStop | undefined;
}

/** Takes the lease and the planned run to its end, or follows the actor that is at work on the same run. */
export async function actOnRun(act: RunAct): Promise<LeaseEnd> {
  const { prepared, clock, random, log, stop } = act;
  const { cluster, namespace } = prepared;
  const where = `${namespace}/${leaseName}`;
  return await runUnderLease(
    {
      cluster,
      clock,
      namespace,
      actor: act.actor,
      stop,
      onWaiting: (holder) => {
        log(`The lease ${where} is held by ${holder}; it is taken over if that one is dead.`);
      },
      onLost: () => {
        log(`The lease ${where} was lost; nothing is done until it is held again.`);
      },
      follow: (holder, signal) =>
        followOther({ ...prepared, clock, random, holder, onChange: act.onChange, log }, signal),
    },
    (lease) => {
      act.onLease?.(lease);
      return startRun({ ...act, ...prepared, lease });
    },
  );
}
