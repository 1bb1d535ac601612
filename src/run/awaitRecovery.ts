import type { OwnerKey } from '../cluster/view.js';
import { recoverySentence, unrecovered } from '../drain/recovery.js';
import { isDeadlineExceeded } from '../time/clock.js';
import type { Conducting } from './conducting.js';
import { isInWork } from './nextTurn.js';
import type { TurnState } from './state.js';
import { timestamp } from './turnContext.js';

/** A Ready count that no watch event announces (a deletion that is under way) is looked at again after this. */
const lookAgainMs = 5000;

/**
 * Before a turn begins: every owner that a turn displaced and that did not settle (undone, failed, vanished) has
 * min(Ready before, desired now) Ready replicas again (rule 5). Bounded by settle.timeout; answers what is missing
 * then, undefined where all is well.
 */
export async function awaitRecovery(work: Conducting): Promise<string | undefined> {
  const left = [...work.store.state().turns.values()].filter(isLeftWithDisplaced);
  if (left.length === 0) return undefined;
  const displaced = new Map<OwnerKey, number>();
  for (const { owner, readyBefore } of left.flatMap((turn) => turn.status.displaced ?? [])) {
    displaced.set(owner, Math.max(readyBefore, displaced.get(owner) ?? 0));
  }
  const missing = await waitUntilBack(work, displaced);
  if (missing !== undefined) return missing;
  for (const turn of left) await work.store.saveTurn(turn.node, { displaced: undefined }, work.signal);
  return undefined;
}

function isLeftWithDisplaced({ status }: TurnState): boolean {
  return status.phase !== 'Done' && !isInWork(status.phase) && (status.displaced ?? []).length > 0;
}

async function waitUntilBack(work: Conducting, displaced: ReadonlyMap<OwnerKey, number>): Promise<string | undefined> {
  const { timeoutMs } = work.playbook.settle;
  const deadline = work.clock.deadline(timeoutMs, work.stop);
  const [since, until] = [timestamp(work.clock), new Date(work.clock.now() + timeoutMs).toISOString()];
  let told = '';
  try {
    for (;;) {
      const version = work.cache.version();
      const open = unrecovered({ view: work.cache.view(), displaced }).map(recoverySentence).join(' ');
      if (open !== told) {
        const who = 'the controllers of these workloads';
        const waitingFor = open === '' ? undefined : { what: open, since, until, who };
        await work.store.saveRun({ waitingFor }, work.signal);
        told = open;
      }
      if (open === '') return undefined;
      const pause = work.clock.deadline(lookAgainMs, deadline.signal);
      await work.cache
        .changed(version, pause.signal)
        .catch((error: unknown) => {
          if (deadline.signal.aborted || !pause.signal.aborted) throw error;
        })
        .finally(() => {
          pause.clear();
        });
    }
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || work.stop.aborted) throw error;
    return told;
  } finally {
    deadline.clear();
  }
}
