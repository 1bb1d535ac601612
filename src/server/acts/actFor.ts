import type { ClusterPort } from '../../cluster/clusterPort.js';
import type { HeldLease } from '../../cluster/heldLease.js';
import type { WatchCache } from '../../cluster/watchCache.js';
import type { HostPorts } from '../../host/hostPort.js';
import type { JournalSink } from '../../journal/entry.js';
import type { Playbook } from '../../playbook/playbook.js';
import { actOnRun } from '../../run/actOnRun.js';
import { withHistory } from '../../run/forecastRun.js';
import type { ThisMachine } from '../../run/ownNode.js';
import { noOverrides, type Overrides } from '../../run/overrides.js';
import { readPastTurns } from '../../run/pastTurns.js';
import { prepareRun } from '../../run/prepareRun.js';
import type { RunStop } from '../../run/runEnd.js';
import type { LeaseEnd } from '../../run/underLease.js';
import type { RunState } from '../../run/state.js';
import type { Clock } from '../../time/clock.js';
import { TurnusError } from '../../turnusError.js';
import type { Because } from './nextDeed.js';

/** What an act works with, whatever it is for. */
export interface Acting {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  /** Identity of this process. */
  readonly actor: string;
  readonly thisMachine: ThisMachine;
  /** Nobody has said which cluster is meant but the playbook. */
  readonly mustBeNamed: boolean;
  readonly openHosts: (playbook: Playbook) => Promise<HostPorts>;
  /** Where the journal of the playbook goes first, then who else hears of it. */
  readonly openSinks: (playbook: Playbook) => Promise<readonly JournalSink[]>;
  /** Hears of the copy of the cluster that a run decides on, while there is one; answers what to call at its end. */
  readonly onCache: (cache: Pick<WatchCache, 'health'>) => () => void;
  /** A sentence for people. */
  readonly log: (line: string) => void;
}

/** How an act ended. */
export type ActEnd =
  | { readonly kind: 'ran'; readonly stop: RunStop; readonly state: RunState | undefined }
  /** Only a person can change that. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Somebody else is at work in the cluster on something else, and has the lease. */
  | { readonly kind: 'other'; readonly message: string }
  /** May be otherwise the next time. */
  | { readonly kind: 'failed'; readonly message: string };

/** Prepares the run of a playbook and takes it as far as it goes, as `turnus run` does. Rejects only with bugs. */
export async function actFor(
  acting: Acting,
  act: {
    readonly playbook: Playbook;
    readonly because: Because;
    /** Whether, in the run of this name, another actor may take the node that this process runs on. */
    readonly mayLeaveOwnNode: (run: string) => boolean;
    readonly stop: AbortSignal;
    readonly stoppedBy: () => RunStop | undefined;
    readonly onLease: (lease: HeldLease) => void;
    readonly onChange: (state: RunState) => void;
  },
): Promise<ActEnd> {
  try {
    return await prepareAndAct(acting, act);
  } catch (error) {
    const stop = act.stoppedBy();
    if (stop !== undefined && act.stop.aborted) return { kind: 'ran', stop, state: undefined };
    if (!(error instanceof TurnusError)) throw error;
    const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
    return { kind: isForPeople(error, act.because) ? 'refused' : 'failed', message };
  }
}

/** Who asks for a start in a freeze that is not overridden gets the answer no; a window that has just closed opens again. */
function isForPeople({ code }: TurnusError, because: Because): boolean {
  return forPeople.has(code) || (because.kind === 'trigger' && code === 'outside-window');
}

const forPeople: ReadonlySet<string> = new Set([
  'plan-changed',
  'run-failed',
  'run-aborted',
  'no-such-freeze',
  'nothing-to-replace',
]);

async function prepareAndAct(acting: Acting, act: Parameters<typeof actFor>[1]): Promise<ActEnd> {
  const { cluster, clock, random, log } = acting;
  const { playbook, because, stop } = act;
  const closing = new AbortController();
  // Only while the plan is made: what follows needs the cluster to leave all in order.
  const giveUp = () => {
    closing.abort(stop.reason);
  };
  stop.addEventListener('abort', giveUp);
  try {
    stop.throwIfAborted();
    const prepared = await prepareRun({
      command: 'run',
      playbook,
      cluster,
      openHosts: async () => await acting.openHosts(playbook),
      clock,
      random,
      thisMachine: acting.thisMachine,
      mustBeNamed: acting.mustBeNamed,
      rehearsal: false,
      replace: because.kind === 'trigger' && because.trigger.replace,
      overrides: overridesOf(because),
      names: [],
      selector: undefined,
      signal: closing.signal,
      onProblem: ({ subject, failure }) => {
        log(`${subject} cannot be followed: ${failure.message}`);
      },
    });
    const cacheIsGone = acting.onCache(prepared.cache);
    try {
      const past = await readPastTurns({ cluster, playbook: playbook.name }, closing.signal);
      stop.removeEventListener('abort', giveUp);
      stop.throwIfAborted();
      const sinks = await acting.openSinks(playbook);
      try {
        const end = await actOnRun({
          prepared: { ...prepared, plan: withHistory(prepared.plan, past), past },
          clock,
          random,
          actor: acting.actor,
          change: undefined,
          reason: reasonOf(because),
          trigger: because.kind === 'trigger' ? because.trigger.id : undefined,
          rehearsal: false,
          leavesOwnNode: act.mayLeaveOwnNode(prepared.plan.run),
          staysWithPaused: false,
          sinks,
          onChange: act.onChange,
          onLease: act.onLease,
          log,
          stop,
          stoppedBy: act.stoppedBy,
        });
        return endOf(end);
      } finally {
        for (const sink of sinks) await sink.close();
      }
    } finally {
      cacheIsGone();
      await prepared.close();
    }
  } finally {
    stop.removeEventListener('abort', giveUp);
    closing.abort(new Error('the act has ended'));
  }
}

function endOf(end: LeaseEnd): ActEnd {
  switch (end.kind) {
    case 'ran':
      return { kind: 'ran', stop: end.result.stop, state: end.result.state };
    case 'followed':
      return { kind: 'ran', stop: { kind: 'followed' }, state: undefined };
    case 'other':
      return { kind: 'other', message: `${end.holder} is at work in this cluster; its end is waited for.` };
    case 'failure':
      return { kind: 'failed', message: `The lease cannot be taken: ${end.failure.message}` };
  }
}

/** A trigger is as good as `run --now`: freezes hold but for those that it names. */
function overridesOf(because: Because): Overrides {
  return because.kind === 'trigger' ? { windows: true, freezes: because.trigger.overrideFreezes } : noOverrides;
}

function reasonOf(because: Because): string | undefined {
  return because.kind === 'trigger' ? `triggered by ${because.trigger.by}: ${because.trigger.reason}` : undefined;
}
