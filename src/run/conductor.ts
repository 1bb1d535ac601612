import type { NodeView } from '../cluster/view.js';
import { answerRequests } from './answerRequests.js';
import { awaitRecovery } from './awaitRecovery.js';
import { awaitResume } from './awaitResume.js';
import type { Conducting } from './conducting.js';
import { failureReport, type TurnFailureCode } from './failure.js';
import { followDesired } from './followDesired.js';
import { isHostTouched } from './hostTouched.js';
import { isInWork, nextTurn, type NextTurn } from './nextTurn.js';
import { headOf, openTurn } from './openTurn.js';
import { countTurns, endPhase, type RunStop } from './runEnd.js';
import { endedRunPhases } from './state.js';
import { takeTurn, type TurnEnd } from './takeTurn.js';
import { timestamp } from './turnContext.js';

/** How often waits and the journal's head are written when nothing else is. */
const recordEveryMs = 5000;

/** Takes the nodes of the run through their turns until none is left or something says stop. */
export async function conduct(work: Conducting): Promise<RunStop> {
  const stop = await alongside(work, () => takeTurns(work));
  const { store, journal, signal } = work;
  const counts = countTurns(store.state());
  const phase = endPhase(counts, stop);
  await journal.append({ type: 'run.finished', phase, counts, stop: stop.kind });
  await store.saveRun(
    {
      phase,
      counts,
      journal: headOf(journal),
      waitingFor: undefined,
      message: 'message' in stop ? stop.message : stopMessage(work, stop),
      ...(endedRunPhases.includes(phase) ? { finishedAt: timestamp(work.clock) } : {}),
    },
    signal,
  );
  // Last: a run that was deleted meanwhile is gone with its finalizer.
  await store.hold(
    [...store.state().turns.values()].some((turn) => isInWork(turn.status.phase)),
    signal,
  );
  return stop;
}

async function takeTurns(work: Conducting): Promise<RunStop> {
  const { store } = work;
  const tries = new Map<string, number>();
  for (;;) {
    const asked = work.stoppedBy();
    if (asked !== undefined) return asked;
    const next = await work.exclusively(() => chooseTurn(work, tries));
    if (next.kind === 'end') return { kind: next.why };
    if (next.kind === 'paused') {
      if ((await awaitResume(work)) === 'gave-up') return { kind: 'paused' };
      continue;
    }
    const end = await recoveredTurn(work, next);
    work.inHand.node = undefined;
    if (end.kind === 'not-begun') {
      tries.delete(next.node);
      // What was asked has been heard or is about to be: never a hot loop.
      await work.clock.sleep(notBegunPauseMs, work.stop).catch(() => undefined);
      continue;
    }
    await store.saveRun({ counts: countTurns(store.state()), journal: headOf(work.journal) }, work.signal);
    if (end.kind === 'not-recovered') return end;
    const unwell = end.kind === 'left' && end.phase === 'Deferred' ? clusterUnwell(work, next.node) : undefined;
    if (unwell !== undefined) return unwell;
    if (end.kind !== 'left' || end.run !== 'stop') continue;
    // Given back because of an abort, it was no try: a resume may let it begin again.
    if (end.phase === 'Pending') tries.delete(next.node);
    else if (!isAborted(work)) return work.stoppedBy() ?? { kind: 'failures' };
  }
}

/** Every other turn would wait as long for the same conditions of the cluster (`gates.clusterHealth.wait`). */
function clusterUnwell({ store }: Conducting, node: string): RunStop | undefined {
  const findings = store.state().turns.get(node)?.status.findings ?? [];
  const unwell = findings.filter(({ code }) => code === 'cluster-not-healthy');
  if (unwell.length === 0) return undefined;
  return { kind: 'cluster-not-healthy', message: unwell.map(({ message }) => message).join(' ') };
}

type ChosenTurn = Exclude<NextTurn, { kind: 'take' }> | { kind: 'take'; node: string; phase: string };

/** The next turn, once everything that was asked is answered. A turn that is chosen counts as in work at once. */
async function chooseTurn(work: Conducting, tries: Map<string, number>): Promise<ChosenTurn> {
  const { store, playbook, control } = work;
  await answerRequests(work, work.signal);
  const next = nextTurn({
    state: store.state(),
    desired: control.desired(),
    policy: playbook.nodes,
    only: work.only,
    tries,
    attempts: playbook.drain.attempts,
  });
  if (next.kind !== 'take') return next;
  const phase = store.state().turns.get(next.node)?.status.phase ?? 'Pending';
  // An undo that a crash interrupted is finished first; it was no try.
  if (phase !== 'Undoing') tries.set(next.node, (tries.get(next.node) ?? 0) + 1);
  work.inHand.node = next.node;
  return { ...next, phase };
}

/** Between two looks at a run whose next turn may not begin. */
const notBegunPauseMs = 200;

function isAborted({ control }: Conducting): boolean {
  const { state } = control.desired();
  return state === 'Abort' || state === 'AbortNow';
}

type BegunTurn = TurnEnd | Extract<RunStop, { kind: 'not-recovered' }> | { readonly kind: 'not-begun' };

/**
 * The turn, begun only when what earlier turns displaced is back, and when nobody has paused or ended the run meanwhile;
 * one in work, or whose node a failure left out of service, goes on at once.
 */
async function recoveredTurn(work: Conducting, next: { node: string; phase: string }): Promise<BegunTurn> {
  const { store, playbook, control } = work;
  const status = store.state().turns.get(next.node)?.status;
  const isOut = status?.cordoned === true;
  if (isInWork(next.phase)) return await oneTurn(work, next.node);
  const stop = AbortSignal.any([work.stop, control.abort, control.abortNow]);
  try {
    if (next.phase === 'Deferred') await work.clock.sleep(playbook.settle.timeMs, stop);
    const missing = isOut ? undefined : await awaitRecovery({ ...work, stop });
    if (missing !== undefined) {
      await work.journal.append({
        type: 'gate.checked',
        node: next.node,
        moment: 'before-turn',
        notRecovered: missing,
      });
      return { kind: 'not-recovered', message: missing };
    }
  } catch (error) {
    if (work.signal.aborted || !stop.aborted || error !== stop.reason) throw error;
    return { kind: 'not-begun' };
  }
  return control.desired().state === 'Run' ? await oneTurn(work, next.node) : { kind: 'not-begun' };
}

async function oneTurn(work: Conducting, nodeName: string): Promise<TurnEnd> {
  const node = work.cache.view().nodes.get(nodeName);
  const turnState = work.store.state().turns.get(nodeName);
  const phase = turnState?.status.phase ?? 'Pending';
  if (node === undefined)
    return await close(work, { nodeName, message: `Node ${nodeName} is no longer in the cluster.` });
  if (!work.selected.has(nodeName) && !isInWork(phase)) {
    return await deselect(work, node);
  }
  if (turnState !== undefined && turnState.nodeUid !== node.uid && isInWork(phase)) {
    const message = `Node ${nodeName} was deleted and registered again during its turn; look at the machine, nothing more was done to it.`;
    return await close(work, { nodeName, message });
  }
  await work.store.hold(true, work.signal);
  await work.store.saveRun({ phase: 'Running' }, work.signal);
  const { turn, close: disconnect } = openTurn(work, node);
  try {
    return await takeTurn(turn, { stop: work.stop, abort: work.control.abort, abortNow: work.control.abortNow });
  } finally {
    disconnect();
  }
}

/** The playbook no longer selects the node: a cordon of ours on an untouched host is taken back first. */
async function deselect(work: Conducting, node: NodeView): Promise<TurnEnd> {
  const message = `The playbook does not select node ${node.name} any more.`;
  const status = work.store.state().turns.get(node.name)?.status;
  if (status?.cordoned !== true || isHostTouched(status)) {
    return await close(work, { nodeName: node.name, message, code: 'not-selected' });
  }
  await work.store.saveTurn(node.name, { phase: 'Undoing', undoTo: 'Skipped', message }, work.signal);
  const { turn, close: disconnect } = openTurn(work, node);
  try {
    const { control, stop } = work;
    return await takeTurn(turn, { stop, abort: control.abort, abortNow: control.abortNow });
  } finally {
    disconnect();
  }
}

/** Ends a turn that cannot be taken: Failed where its host was touched, else Skipped. */
async function close(
  work: Conducting,
  end: { nodeName: string; message: string; code?: TurnFailureCode },
): Promise<TurnEnd> {
  const { nodeName, message, code = 'node-gone' } = end;
  const state = work.store.state();
  const status = state.turns.get(nodeName)?.status ?? { phase: 'Pending' };
  const isTouched = isHostTouched(status);
  const phase = isTouched ? 'Failed' : 'Skipped';
  const run = { name: state.name, uid: state.uid, rehearsal: state.spec.rehearsal };
  const failure = failureReport({ run, node: nodeName, code, phase: status.phase, status });
  await work.journal.append({ type: 'turn.finished', node: nodeName, phase, message });
  await work.store.saveTurn(
    nodeName,
    { phase, message, finishedAt: timestamp(work.clock), waitingFor: undefined, ...(isTouched ? { failure } : {}) },
    work.signal,
  );
  return { kind: 'left', phase, run: isTouched ? 'failure' : 'go-on' };
}

/** Hears what people want until the signal aborts; what ends it before is begun again. */
async function listen(work: Conducting, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await followDesired(work, signal).catch(() => undefined);
    await work.clock.sleep(recordEveryMs, signal).catch(() => undefined);
  }
}

function stopMessage({ control }: Conducting, stop: RunStop): string | undefined {
  if (stop.kind !== 'aborted') return undefined;
  const { by, reason } = control.desired();
  return `Aborted by ${by ?? 'somebody who did not say who'}${reason === undefined ? '' : `: ${reason}`}.`;
}

/** Does `body` while waits, the journal's head and answers to requests are written, and ends with it. */
async function alongside<T>(work: Conducting, body: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const recording = (async () => {
    const signal = AbortSignal.any([ended.signal, work.signal]);
    let written = -1;
    while (!signal.aborted) {
      try {
        await work.clock.sleep(recordEveryMs, signal);
        await work.store.flush(signal);
        if (work.journal.head().seq !== written) await work.store.saveRun({ journal: headOf(work.journal) }, signal);
        written = work.journal.head().seq;
      } catch {
        // The same write is tried again in a moment; the turn's own writes report what is wrong.
      }
    }
  })();
  const listening = listen(work, AbortSignal.any([ended.signal, work.signal]));
  try {
    return await body();
  } finally {
    ended.abort();
    await recording;
    await listening;
  }
}
