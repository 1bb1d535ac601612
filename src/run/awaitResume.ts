import { isDeadlineExceeded } from '../time/clock.js';
import type { Conducting } from './conducting.js';
import { timestamp } from './turnContext.js';

/** How long an actor stays with a paused run; starting it again stays for as long again. */
const longestPauseMs = 24 * 3_600_000;

/**
 * Waits until the run is no longer paused, at most until the window closes. The lease is kept: nobody else begins a node
 * meanwhile.
 */
export async function awaitResume(work: Conducting): Promise<'resumed' | 'gave-up'> {
  const { clock, store, control, journal } = work;
  const { by, problems } = control.desired();
  const name = store.state().name;
  await journal.append({ type: 'run.paused', by, problems });
  const what =
    problems.length > 0
      ? `spec.desired to be understood: ${problems.join(' ')}`
      : `somebody to resume the run, which ${by ?? 'somebody who did not say who'} paused`;
  const until = new Date(clock.now() + longestPauseMs).toISOString();
  const waitingFor = { what, since: timestamp(clock), until, who: `whoever may: turnus resume ${name}` };
  // A deletion of the run must be heard, not missed with the object.
  await store.hold(true, work.signal);
  await store.saveRun({ phase: 'Paused', waitingFor }, work.signal);
  const deadline = clock.deadline(longestPauseMs, AbortSignal.any([work.stop, work.window.closed]));
  try {
    for (;;) {
      const { version } = control;
      const { state } = control.desired();
      if (state !== 'Pause' || store.state().isDeleted) break;
      await control.changed(version, deadline.signal);
    }
    await store.saveRun({ phase: 'Running', waitingFor: undefined }, work.signal);
    return 'resumed';
  } catch (error) {
    const isOver = work.window.closed.aborted || isDeadlineExceeded(deadline.signal);
    if (work.signal.aborted || (!work.stop.aborted && !isOver)) throw error;
    await store.saveRun({ waitingFor: undefined }, work.signal);
    return work.stop.aborted ? 'resumed' : 'gave-up';
  } finally {
    deadline.clear();
  }
}
