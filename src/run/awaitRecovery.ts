import type { OwnerKey } from '../cluster/view.js';
import { recoverySentence, unrecovered, type DisplacedOwners } from '../drain/recovery.js';
import { isDeadlineExceeded } from '../time/clock.js';
import type { Conducting } from './conducting.js';
import { leftBy, leftDisplaced } from './leftDisplaced.js';
import { timestamp } from './turnContext.js';

/** A Ready count that no watch event announces (a deletion that is under way) is looked at again after this. */
const lookAgainMs = 5000;

/**
 * Before a turn begins: every owner that a turn displaced and that did not settle (undone, failed, vanished) has
 * min(Ready before, desired now) Ready replicas again (rule 5). Bounded by settle.timeout; answers what is missing
 * then, undefined where all is well. Each owner is waited for once, by a turn that settles or here: after that only
 * nodes that hold its replicas wait (the gate `not-recovered`).
 */
export async function awaitRecovery(work: Conducting): Promise<string | undefined> {
  const { store, cache, givenUp } = work;
  const settledInVain = leftByDone(work);
  const awaited = new Map(
    [...leftDisplaced(store.state().turns.values())].filter(
      ([owner]) => !givenUp.has(owner) && !settledInVain.has(owner),
    ),
  );
  const missing = awaited.size === 0 ? undefined : await waitUntilBack(work, awaited);
  // Other turns may have ended meanwhile.
  const left = leftDisplaced(store.state().turns.values());
  if (left.size === 0) return undefined;
  const open = new Set(unrecovered({ view: cache.view(), displaced: left }).map(({ owner }) => owner));
  for (const owner of new Set([...awaited.keys(), ...givenUp])) {
    if (open.has(owner)) givenUp.add(owner);
    else givenUp.delete(owner);
  }
  await forgetWhatIsBack(work, open);
  return missing;
}

/** What was waited for in vain and is still missing, in words; undefined where that is nothing. */
export function stillMissing(work: Conducting): string | undefined {
  const { store, cache, givenUp } = work;
  const settledInVain = leftByDone(work);
  const left = leftDisplaced(store.state().turns.values());
  const waitedFor = new Map([...left].filter(([owner]) => givenUp.has(owner) || settledInVain.has(owner)));
  const sentences = unrecovered({ view: cache.view(), displaced: waitedFor }).map(recoverySentence);
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

/** Their turns have waited for them when they settled. */
function leftByDone({ store }: Conducting): DisplacedOwners {
  return leftDisplaced([...store.state().turns.values()].filter(({ status }) => status.phase === 'Done'));
}

async function forgetWhatIsBack({ store, signal }: Conducting, open: ReadonlySet<OwnerKey>): Promise<void> {
  for (const { node, status } of store.state().turns.values()) {
    const before = leftBy(status);
    const still = before.filter(({ owner }) => open.has(owner));
    if (still.length === before.length) continue;
    const left = still.length === 0 ? undefined : still;
    if (status.phase !== 'Done') await store.saveTurn(node, { displaced: left }, signal);
    // What a turn that is done has to say is what it has left.
    else await store.saveTurn(node, { unrecovered: left, ...(left === undefined ? { message: left } : {}) }, signal);
  }
}

async function waitUntilBack(work: Conducting, displaced: DisplacedOwners): Promise<string | undefined> {
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
    await work.store.saveRun({ waitingFor: undefined }, work.signal);
    return told;
  } finally {
    deadline.clear();
  }
}
