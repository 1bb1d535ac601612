import { awaitRecovery } from './awaitRecovery.js';
import type { Conducting } from './conducting.js';
import { isHostTouched } from './hostTouched.js';
import { isInWork, nextTurn } from './nextTurn.js';
import { headOf, openTurn } from './openTurn.js';
import { countTurns, endPhase, type RunStop } from './runEnd.js';
import type { RunState } from './state.js';
import { mustStop } from './stopRule.js';
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
      message: stop.kind === 'not-recovered' ? stop.message : undefined,
      ...(phase === 'Completed' || phase === 'Failed' ? { finishedAt: timestamp(work.clock) } : {}),
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
  const { store, playbook } = work;
  const tries = new Map<string, number>();
  for (;;) {
    const asked = work.stoppedBy();
    if (asked !== undefined) return asked;
    const state = store.state();
    const node = nextTurn({ state, only: work.only, tries, attempts: playbook.drain.attempts });
    if (node === undefined) return { kind: state.isDeleted ? 'deleted' : 'finished' };
    const phase = state.turns.get(node)?.status.phase ?? 'Pending';
    if (!isInWork(phase)) {
      if (state.isDeleted) return { kind: 'deleted' };
      const order = state.status.order ?? [];
      if (mustStop({ failed: failedNodes(state), order, policy: playbook.nodes })) return { kind: 'failures' };
    }
    // An undo that a crash interrupted is finished first; it was no try.
    if (phase !== 'Undoing') tries.set(node, (tries.get(node) ?? 0) + 1);
    const end = await recoveredTurn(work, { node, phase });
    await store.saveRun({ counts: countTurns(store.state()), journal: headOf(work.journal) }, work.signal);
    if (end.kind === 'not-recovered') return end;
    if (end.kind === 'left' && end.run === 'stop') return work.stoppedBy() ?? { kind: 'failures' };
  }
}

/** The turn, begun only when what earlier turns displaced is back; one in work goes on at once. */
async function recoveredTurn(
  work: Conducting,
  next: { node: string; phase: string },
): Promise<TurnEnd | Extract<RunStop, { kind: 'not-recovered' }>> {
  if (!isInWork(next.phase)) {
    try {
      if (next.phase === 'Deferred') await work.clock.sleep(work.playbook.settle.timeMs, work.stop);
      const missing = await awaitRecovery(work);
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
      if (work.signal.aborted || !work.stop.aborted) throw error;
      return { kind: 'left', phase: 'Pending', run: 'stop' };
    }
  }
  return await oneTurn(work, next.node);
}

function failedNodes(state: RunState): string[] {
  return [...state.turns.values()].filter((turn) => turn.status.phase === 'Failed').map((turn) => turn.node);
}

async function oneTurn(work: Conducting, nodeName: string): Promise<TurnEnd> {
  const node = work.cache.view().nodes.get(nodeName);
  const turnState = work.store.state().turns.get(nodeName);
  const phase = turnState?.status.phase ?? 'Pending';
  if (node === undefined)
    return await close(work, { nodeName, message: `Node ${nodeName} is no longer in the cluster.` });
  if (!work.selected.has(nodeName) && !isInWork(phase)) {
    return await close(work, { nodeName, message: `The playbook does not select node ${nodeName} any more.` });
  }
  if (turnState !== undefined && turnState.nodeUid !== node.uid && isInWork(phase)) {
    const message = `Node ${nodeName} was deleted and registered again during its turn; look at the machine, nothing more was done to it.`;
    return await close(work, { nodeName, message });
  }
  await work.store.hold(true, work.signal);
  await work.store.saveRun({ phase: 'Running' }, work.signal);
  const { turn, close: disconnect } = openTurn(work, node);
  try {
    return await takeTurn(turn, work.stop);
  } finally {
    disconnect();
  }
}

/** Ends a turn that cannot be taken: Failed where its host was touched, else Skipped. */
async function close(work: Conducting, end: { nodeName: string; message: string }): Promise<TurnEnd> {
  const { nodeName, message } = end;
  const isTouched = isHostTouched(work.store.state().turns.get(nodeName)?.status ?? {});
  const phase = isTouched ? 'Failed' : 'Skipped';
  await work.journal.append({ type: 'turn.finished', node: nodeName, phase, message });
  await work.store.saveTurn(nodeName, { phase, message, finishedAt: timestamp(work.clock) }, work.signal);
  return { kind: 'left', phase, run: isTouched ? 'failure' : 'go-on' };
}

/** Does `body` while waits and the journal's head are written from time to time, and ends with it. */
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
  try {
    return await body();
  } finally {
    ended.abort();
    await recording;
  }
}
