import type { ApiFailure } from '../cluster/clusterPort.js';
import { LeaseLost, type HeldLease } from '../cluster/heldLease.js';
import { acquireLease, defaultLeaseDurations } from '../cluster/lease.js';
import { cordonedByOf } from '../cluster/marks.js';
import { isPassing } from '../cluster/passingFailure.js';
import type { JournalRecord, JournalSink } from '../journal/entry.js';
import { openJournal } from '../journal/openJournal.js';
import type { Clock } from '../time/clock.js';
import { drainMark } from './drainMark.js';
import { drainTurn, type DrainMemory } from './drainTurn.js';
import type { StepEnd } from './outcome.js';
import type { PreparedDrain } from './prepareDrain.js';
import type { TurnStatus } from './state.js';
import { checkGates } from './steps/checkGates.js';
import { cordonNode } from './steps/cordonNode.js';
import { drainNode } from './steps/drainNode.js';
import { timestamp, type Step, type TurnContext } from './turnContext.js';
import { undo } from './undoTurn.js';
import { leaseName } from './underLease.js';

export interface DrainAct {
  readonly prepared: PreparedDrain;
  readonly clock: Clock;
  /** Identity of this process, for the lease and for people. */
  readonly actor: string;
  readonly sinks: readonly JournalSink[];
  /** Hears every entry of the journal once it is written. */
  readonly onRecord: (record: JournalRecord) => void;
  readonly onChange: (status: TurnStatus) => void;
  /** Sentences for people: whom we wait for, that the lease was lost. */
  readonly log: (line: string) => void;
  /** Aborts when a person or the system asks to stop. */
  readonly stop: AbortSignal;
}

/** How a drain by hand ended. */
export type DrainAloneEnd =
  /** The node is empty and stays cordoned. */
  | { readonly kind: 'drained'; readonly status: TurnStatus }
  /** A gate, a budget or the timeout says no. What this call had done to the node is undone. */
  | { readonly kind: 'not-drained' | 'stopped'; readonly message: string; readonly status: TurnStatus }
  | { readonly kind: 'other'; readonly holder: string }
  /** The lease could not be taken (again) because the API server did not let us. */
  | { readonly kind: 'failure'; readonly failure: ApiFailure };

/** How long an API server may be away before the drain is given up. */
const outageMs = 15 * 60_000;
const retryMs = 5000;

/**
 * Gates, cordon and drain of one node, under the Lease where there is one: the same steps as in a turn, without a run. A
 * lease that was lost because the API server was away is taken again, and the drain goes on; one that another actor has
 * taken ends it.
 */
export async function drainAlone(act: DrainAct): Promise<DrainAloneEnd> {
  const { prepared, clock, stop } = act;
  const memory = memoryOf(prepared);
  const record = recorder(act);
  await record({ type: 'drain.requested', node: prepared.node.name, actor: act.actor, requester: prepared.user });
  const { namespace } = prepared;
  if (namespace === undefined) return await drainUnder({ act, memory, record, lease: undefined });
  let lostAt: number | undefined;
  for (;;) {
    const acquired = await acquireLease({
      cluster: prepared.cluster,
      clock,
      namespace,
      name: leaseName,
      identity: act.actor,
      durations: defaultLeaseDurations,
      wait: false,
      signal: stop,
      onWaiting: (holder) => {
        act.log(`The lease ${namespace}/${leaseName} is held by ${holder}; it is taken over if that one is dead.`);
      },
    });
    if (acquired.kind === 'held') {
      const { lease } = acquired;
      const end = await drainUnder({ act, memory, record, lease })
        .catch(leaseLost)
        .finally(() => lease.release());
      if (end !== undefined) return end;
      lostAt = clock.monotonic();
      act.log(`The lease ${namespace}/${leaseName} was lost; nothing is done until it is held again.`);
      continue;
    }
    if (acquired.kind === 'other') return { kind: 'other', holder: acquired.holder };
    if (acquired.kind === 'failure') {
      const isOver = lostAt === undefined || clock.monotonic() - lostAt > outageMs;
      if (isOver || !isPassing(acquired.failure)) return acquired;
    }
    await clock.sleep(retryMs, stop);
  }
}

/** What an earlier call of the same person left cordoned is ours to drain, and not this call's to undo. */
function memoryOf({ node, user }: PreparedDrain): DrainMemory {
  const isOurs = node.unschedulable && cordonedByOf(node) === drainMark(user);
  return { foundCordoned: node.unschedulable, status: { phase: 'Checking', ...(isOurs ? { cordoned: true } : {}) } };
}

function leaseLost(error: unknown): undefined {
  if (error instanceof LeaseLost) return undefined;
  throw error;
}

/** Each drain by hand is a chain of its own in the journal. */
function recorder({ prepared, clock, sinks, onRecord }: DrainAct): (record: JournalRecord) => Promise<void> {
  const run = `${drainMark(prepared.user)}/${prepared.node.name}/${timestamp(clock)}`;
  const journal = openJournal({ run, clock, sinks, head: undefined });
  return async (record) => {
    await journal.append(record);
    onRecord(record);
  };
}

async function drainUnder(work: {
  readonly act: DrainAct;
  readonly memory: DrainMemory;
  readonly record: (record: JournalRecord) => Promise<void>;
  readonly lease: HeldLease | undefined;
}): Promise<DrainAloneEnd> {
  const { act, memory, record, lease } = work;
  const { prepared, clock, onChange } = act;
  const turn = drainTurn({ prepared, clock, memory, lease, record, onChange });
  const stop = AbortSignal.any([turn.signal, act.stop]);
  const { foundCordoned } = memory;
  const end = await takeSteps(turn, foundCordoned ? [check, empty] : [check, takeOut, empty], stop);
  if (end.kind === 'done') return { kind: 'drained', status: turn.status() };
  // An undo is not ended by whoever has ended the drain.
  const undone = foundCordoned ? undefined : await undo(turn, new AbortController().signal);
  const message = undone === undefined || undone.kind === 'undone' ? end.message : `${end.message} ${undone.message}`;
  return { kind: end.kind === 'stopped' ? 'stopped' : 'not-drained', message, status: turn.status() };
}

const check: Step = { phase: 'Checking', run: checkGates };
const takeOut: Step = { phase: 'Cordoning', run: cordonNode };
const empty: Step = { phase: 'Draining', run: drainNode };

/** Begins with the step in which a lost lease had interrupted it. */
async function takeSteps(
  turn: TurnContext,
  steps: readonly Step[],
  stop: AbortSignal,
): Promise<StepEnd | { readonly kind: 'stopped'; readonly message: string }> {
  const first = steps.findIndex(({ phase }) => phase === turn.status().phase);
  for (const step of steps.slice(Math.max(0, first))) {
    await turn.save({ phase: step.phase });
    try {
      stop.throwIfAborted();
      const end = await step.run(turn, stop);
      if (end.kind !== 'done') return end;
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      if (turn.signal.aborted) throw turn.signal.reason;
      if (!stop.aborted) throw error;
      return { kind: 'stopped', message: `The drain of ${turn.nodeName} was stopped.` };
    }
  }
  return { kind: 'done' };
}
