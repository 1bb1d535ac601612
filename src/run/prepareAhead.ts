import { LeaseLost } from '../cluster/heldLease.js';
import { holdOf } from '../cluster/marks.js';
import { TurnusError } from '../turnusError.js';
import type { Conducting } from './conducting.js';
import { fitsWindow } from './fitsWindow.js';
import { isBeyondCordon, nodeAhead } from './nextTurn.js';
import { openTurn } from './openTurn.js';
import type { TurnStatus } from './state.js';
import { hostIsNode } from './steps/hostIsNode.js';
import { runScript } from './steps/runScript.js';

/** Scripts `prepare` that run before their node's turn. */
export interface PrepareAhead {
  /** The node's own turn begins: from here on it follows the script. Answers when this one has let go of it. */
  handOver(node: string): Promise<void>;
  /** No script is begun any more; one at work goes on on its host, and is followed by the turn of its node. */
  close(): Promise<void>;
}

/** How often it is looked for a node to prepare. */
const lookMs = 1000;

/**
 * While every turn in work has its node cordoned, the node that is next in the order runs its `prepare`, one node at a
 * time. It is no turn: nothing counts it, and what becomes of it disturbs no other node. A script that fails defers its
 * node, as it would in the node's own turn; `tried` is told so. Where its host cannot be asked nothing is said: the turn will.
 */
export function openPrepareAhead(
  work: Conducting,
  tries: { readonly counts: ReadonlyMap<string, number>; readonly tried: (node: string) => void },
): PrepareAhead {
  if (work.playbook.host.scripts.prepare === undefined || work.store.state().spec.rehearsal) return noneAhead;
  const ended = new AbortController();
  const looked = new Set<string>();
  let current: { readonly node: string; readonly letGo: AbortController; readonly done: Promise<void> } | undefined;

  const look = async (): Promise<void> => {
    const signal = AbortSignal.any([ended.signal, work.stop]);
    while (await passed(work, signal)) {
      const node = nodeToPrepare(work, { counts: tries.counts, looked });
      if (node === undefined) continue;
      looked.add(node);
      const letGo = new AbortController();
      const done = prepare(work, { node, tried: tries.tried }, AbortSignal.any([signal, letGo.signal]));
      current = { node, letGo, done };
      await done;
      current = undefined;
    }
  };
  const looking = look();
  // Whoever closes hears of it; until then nobody is disturbed.
  looking.catch(() => undefined);

  return {
    async handOver(node) {
      if (current?.node !== node) return;
      current.letGo.abort('the turn of the node begins');
      await current.done.catch(() => undefined);
    },
    async close() {
      ended.abort('no further node is prepared');
      await looking;
    },
  };
}

/** Lets the time to the next look pass; false where it is over before that. */
async function passed({ clock }: Conducting, signal: AbortSignal): Promise<boolean> {
  return await clock.sleep(lookMs, signal).then(
    () => true,
    () => false,
  );
}

const noneAhead: PrepareAhead = { handOver: () => Promise.resolve(), close: () => Promise.resolve() };

/** The next node in the order, where its `prepare` may begin now, or where an earlier actor has begun it. */
function nodeToPrepare(
  work: Conducting,
  { counts, looked }: { counts: ReadonlyMap<string, number>; looked: ReadonlySet<string> },
): string | undefined {
  const { store, playbook, control, inHand, cache } = work;
  const state = store.state();
  const phaseOf = (node: string) => state.turns.get(node)?.status.phase ?? 'Pending';
  if (inHand.size === 0 || ![...inHand].every((node) => isBeyondCordon(phaseOf(node)))) return undefined;
  const name = nodeAhead({
    state,
    desired: control.desired(),
    policy: playbook.nodes,
    taken: inHand,
    only: work.only,
    tries: counts,
    attempts: playbook.drain.attempts,
    fits: (node) => fitsWindow(work, node),
    // One that is out of service is not prepared, held or not.
    isHeld: () => false,
  });
  if (name === undefined || looked.has(name) || !work.selected.has(name)) return undefined;
  const node = cache.view().nodes.get(name);
  const turn = state.turns.get(name);
  if (node === undefined || turn?.nodeUid !== node.uid) return undefined;
  if (node.unschedulable || !node.ready || holdOf(node) !== undefined) return undefined;
  return isOpen(turn.status) ? name : undefined;
}

/** Not begun, or begun by an actor that did not see its end. */
function isOpen({ jobs }: TurnStatus): boolean {
  return jobs?.prepare === undefined || (jobs.prepare.state === undefined && jobs.prepare.again !== true);
}

async function prepare(
  work: Conducting,
  next: { node: string; tried: (node: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const node = work.cache.view().nodes.get(next.node);
  if (node === undefined) return;
  const { turn, close } = openTurn(work, node);
  try {
    const end = await runScript(turn, { stage: 'prepare', beforeStart: () => hostIsNode(turn, signal) }, signal);
    if (end.kind !== 'failed') return;
    await work.exclusively(async () => {
      // A person may have taken it out of the run meanwhile.
      if (turn.status().phase !== 'Pending') return;
      if (!work.inHand.has(next.node)) next.tried(next.node);
      await turn.record({ type: 'turn.finished', node: next.node, phase: 'Deferred', message: end.message });
      await turn.save({ phase: 'Deferred', message: end.message, waitingFor: undefined });
    });
  } catch (error) {
    // What is wrong with the API server or the lease, the turns in work are told by their own writes.
    if (!signal.aborted && !work.signal.aborted && !(error instanceof LeaseLost) && !(error instanceof TurnusError)) {
      throw error;
    }
  } finally {
    turn.waiting(undefined);
    await close();
  }
}
