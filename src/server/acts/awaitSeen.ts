import { recordOf, stringOf } from '../../cluster/json.js';
import type { RunState } from '../../run/state.js';
import type { Clock } from '../../time/clock.js';
import type { OwnObjects } from '../ownObjects.js';

const withinMs = 5000;

/** What is watched may lag behind what was just written: waits a moment until the run and its turns are seen as they ended. */
export async function awaitSeen(
  { own, clock, state }: { readonly own: OwnObjects; readonly clock: Clock; readonly state: RunState },
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.deadline(withinMs, signal);
  try {
    for (;;) {
      const { version } = own;
      if (isSeen(own, state)) return;
      await own.changed(version, deadline.signal);
    }
  } catch (error) {
    if (!deadline.signal.aborted) throw error;
  } finally {
    deadline.clear();
  }
}

function isSeen(own: OwnObjects, { name, status, turns }: RunState): boolean {
  if (own.journalSeqOf(name) < (status.journal?.seq ?? 0)) return false;
  const seen = own.turns().flatMap((turn) => {
    const { run, node } = recordOf(turn['spec']);
    return run === name ? [[stringOf(node), stringOf(recordOf(turn['status'])['phase']) ?? 'Pending'] as const] : [];
  });
  const phases = new Map(seen);
  return [...turns.values()].every((turn) => phases.get(turn.node) === turn.status.phase);
}
