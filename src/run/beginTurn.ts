import type { NodeView } from '../cluster/view.js';
import { awaitRecovery } from './awaitRecovery.js';
import type { Conducting } from './conducting.js';
import { fitsWindow } from './fitsWindow.js';
import { failureReport, type TurnFailureCode } from './failure.js';
import { isHostTouched } from './hostTouched.js';
import { isInWork } from './nextTurn.js';
import { openTurn } from './openTurn.js';
import { takeTurn, type TurnEnd } from './takeTurn.js';
import { timestamp } from './turnContext.js';
import type { RunStopSignals } from './turnStop.js';

/** How a turn ended that was to begin or to go on. */
export type BegunTurn = TurnEnd | { readonly kind: 'not-begun' };

/**
 * The turn, begun only when what earlier turns displaced is back or was waited for in vain, and when nobody has paused or
 * ended the run meanwhile, nor the window become too short; one in work, or whose node a failure left out of service, goes on at once.
 */
export async function beginTurn(work: Conducting, next: { node: string; phase: string }): Promise<BegunTurn> {
  const { store, playbook, control } = work;
  const status = store.state().turns.get(next.node)?.status;
  const isOut = status?.cordoned === true;
  if (isInWork(next.phase)) return await oneTurn(work, next.node);
  const stop = AbortSignal.any([work.stop, control.abort, control.abortNow, work.window.closed]);
  try {
    // A node that is only to be given back has nothing to wait for.
    const isOnlyBack = isOut && work.window.closed.aborted;
    if (next.phase === 'Deferred' && !isOnlyBack) await work.clock.sleep(playbook.settle.timeMs, stop);
    const missing = isOut ? undefined : await awaitRecovery({ ...work, stop });
    if (missing !== undefined) {
      await work.journal.append({
        type: 'gate.checked',
        node: next.node,
        moment: 'before-turn',
        notRecovered: missing,
      });
    }
  } catch (error) {
    if (work.signal.aborted || !stop.aborted || error !== stop.reason) throw error;
    return { kind: 'not-begun' };
  }
  const mayBegin = control.desired().state === 'Run' && (isOut || fitsWindow(work, next.node));
  return mayBegin ? await oneTurn(work, next.node) : { kind: 'not-begun' };
}

async function oneTurn(work: Conducting, nodeName: string): Promise<TurnEnd> {
  const node = work.cache.view().nodes.get(nodeName);
  const turnState = work.store.state().turns.get(nodeName);
  const phase = turnState?.status.phase ?? 'Pending';
  if (node === undefined)
    return await closeTurn(work, { nodeName, message: `Node ${nodeName} is no longer in the cluster.` });
  if (!work.selected.has(nodeName) && !isInWork(phase)) {
    return await deselect(work, node);
  }
  if (turnState !== undefined && turnState.nodeUid !== node.uid && isInWork(phase)) {
    const message = `Node ${nodeName} was deleted and registered again during its turn; look at the machine, nothing more was done to it.`;
    return await closeTurn(work, { nodeName, message });
  }
  await work.store.hold(true, work.signal);
  if (work.store.state().status.phase !== 'Running') await work.store.saveRun({ phase: 'Running' }, work.signal);
  const { turn, close } = openTurn(work, node);
  try {
    return await takeTurn(turn, stopSignals(work));
  } finally {
    await close();
  }
}

function stopSignals({ stop, control, window }: Conducting): RunStopSignals {
  return { stop, abort: AbortSignal.any([control.abort, window.closed]), abortNow: control.abortNow };
}

/** The playbook no longer selects the node: a cordon of ours on an untouched host is taken back first. */
async function deselect(work: Conducting, node: NodeView): Promise<TurnEnd> {
  const message = `The playbook does not select node ${node.name} any more.`;
  const status = work.store.state().turns.get(node.name)?.status;
  if (status?.cordoned !== true || isHostTouched(status)) {
    return await closeTurn(work, { nodeName: node.name, message, code: 'not-selected' });
  }
  await work.store.saveTurn(node.name, { phase: 'Undoing', undoTo: 'Skipped', message }, work.signal);
  const { turn, close } = openTurn(work, node);
  try {
    return await takeTurn(turn, stopSignals(work));
  } finally {
    await close();
  }
}

/** Ends a turn that cannot be taken: Failed where its host was touched, else Skipped. */
async function closeTurn(
  work: Conducting,
  end: { nodeName: string; message: string; code?: TurnFailureCode },
): Promise<TurnEnd> {
  const { nodeName, message, code = 'node-gone' } = end;
  const state = work.store.state();
  const status = state.turns.get(nodeName)?.status ?? { phase: 'Pending' };
  const isTouched = isHostTouched(status);
  const phase = isTouched ? 'Failed' : 'Skipped';
  const run = { name: state.name, uid: state.uid, rehearsal: state.spec.rehearsal };
  const failed = isTouched
    ? { failure: failureReport({ run, node: nodeName, code, phase: status.phase, status }) }
    : {};
  await work.journal.append({ type: 'turn.finished', node: nodeName, phase, message, ...failed });
  await work.store.saveTurn(
    nodeName,
    { phase, message, finishedAt: timestamp(work.clock), waitingFor: undefined, ...failed },
    work.signal,
  );
  return { kind: 'left', phase, run: isTouched ? 'failure' : 'go-on' };
}
