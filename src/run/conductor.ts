import { localText } from '../calendar/localText.js';
import type { Conducting } from './conducting.js';
import { followDesired } from './followDesired.js';
import { isInWork } from './nextTurn.js';
import { headOf } from './openTurn.js';
import { countTurns, endPhase, type RunStop } from './runEnd.js';
import { endedRunPhases, type Wait } from './state.js';
import { stopSteering } from './steerPods.js';
import { takeTurns } from './takeTurns.js';
import { timestamp } from './turnContext.js';
import { nodesLeft } from './windowStop.js';

/** How often waits and the journal's head are written when nothing else is. */
const recordEveryMs = 5000;

/** Takes the nodes of the run through their turns until none is left or something says stop. */
export async function conduct(work: Conducting): Promise<RunStop> {
  const { store, journal, signal } = work;
  const { stop, taintsLeft } = await alongside(work, () => turnsThenTaints(work));
  const counts = countTurns(store.state());
  const phase = endPhase(counts, stop);
  if (stop.kind === 'window') {
    const { message, opensAt } = stop;
    const opens = opensAt === undefined ? {} : { opensAt: new Date(opensAt).toISOString() };
    await journal.append({ type: 'window.closed', message, left: nodesLeft(store.state()), ...opens });
  }
  await journal.append({
    type: isHandedOver(stop) ? 'run.handed-over' : 'run.finished',
    phase,
    counts,
    stop: stop.kind,
  });
  await store.saveRun(
    {
      phase,
      counts,
      journal: headOf(journal),
      waitingFor: phase === 'AwaitingWindow' ? nextWindow(work, stop) : undefined,
      message: sentences('message' in stop ? stop.message : stopMessage(work, stop), taintsLeft),
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

/** Another actor goes on at once: what the run has changed in the cluster is what that one needs. */
function isHandedOver({ kind }: RunStop): boolean {
  return kind === 'hand-over' || kind === 'own-node';
}

/** Nobody acts until then. */
function nextWindow({ clock, window }: Conducting, stop: RunStop): Wait | undefined {
  if (stop.kind !== 'window' || stop.opensAt === undefined || stop.opensAt <= clock.now()) return undefined;
  return {
    what: `the window that opens at ${localText(stop.opensAt, window.timeZone)}`,
    since: timestamp(clock),
    until: new Date(stop.opensAt).toISOString(),
    who: 'whoever starts the same command then, or before it with --now --reason TEXT',
  };
}

/** Whatever ends the turns, no node keeps a taint because of it. */
async function turnsThenTaints(work: Conducting): Promise<{ stop: RunStop; taintsLeft: string | undefined }> {
  let stop: RunStop;
  try {
    stop = await takeTurns(work);
  } catch (error) {
    // What ended the turns is what people must hear of; the next start takes back what is left.
    if (!work.signal.aborted) await stopSteering(work).catch(() => undefined);
    throw error;
  }
  if (isHandedOver(stop)) return { stop, taintsLeft: undefined };
  return { stop, taintsLeft: await stopSteering(work) };
}

/** Hears what people want until the signal aborts; what ends it before is begun again. */
async function listen(work: Conducting, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await followDesired(work, signal).catch(() => undefined);
    await work.clock.sleep(recordEveryMs, signal).catch(() => undefined);
  }
}

function sentences(...parts: readonly (string | undefined)[]): string | undefined {
  const said = parts.filter((part) => part !== undefined);
  return said.length === 0 ? undefined : said.join(' ');
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
    ended.abort('the run has ended');
    await recording;
    await listening;
  }
}
