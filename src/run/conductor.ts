import type { Conducting } from './conducting.js';
import { isInWork, nextTurn } from './nextTurn.js';
import { headOf, openTurn } from './openTurn.js';
import { countTurns, endPhase, type RunStop } from './runEnd.js';
import type { RunState } from './state.js';
import { takeTurn } from './takeTurn.js';
import { timestamp } from './turnContext.js';

/** How often waits and the journal's head are written when nothing else is. */
const recordEveryMs = 5000;

/** Takes the nodes of the run through their turns until none is left or something says stop. */
export async function conduct(work: Conducting): Promise<RunStop> {
  const tries = new Map<string, number>();
  let failures = 0;
  const stop = await alongside(work, async (): Promise<RunStop> => {
    for (;;) {
      const asked = work.stoppedBy();
      if (asked !== undefined) return asked;
      const node = nextTurn({
        state: work.store.state(),
        only: work.only,
        tries,
        attempts: work.playbook.drain.attempts,
      });
      if (node === undefined) return { kind: 'finished' };
      tries.set(node, (tries.get(node) ?? 0) + 1);
      const end = await oneTurn(work, node);
      await work.store.saveRun({ counts: countTurns(work.store.state()), journal: headOf(work.journal) }, work.signal);
      if (end.kind === 'done') continue;
      if (end.run === 'stop') return work.stoppedBy() ?? { kind: 'finished' };
      if (end.run === 'failure') {
        failures += 1;
        if (
          failures >= work.playbook.nodes.stopAfterFailures ||
          isCanary(work.store.state(), node, work.playbook.nodes.canaries)
        ) {
          return { kind: 'failures' };
        }
      }
    }
  });
  const counts = countTurns(work.store.state());
  const phase = endPhase(counts, stop);
  await work.journal.append({ type: 'run.finished', phase, counts, stop: stop.kind });
  await work.store.hold(
    [...work.store.state().turns.values()].some((turn) => isInWork(turn.status.phase)),
    work.signal,
  );
  await work.store.saveRun(
    {
      phase,
      counts,
      journal: headOf(work.journal),
      waitingFor: undefined,
      ...(phase === 'Completed' || phase === 'Failed' ? { finishedAt: timestamp(work.clock) } : {}),
    },
    work.signal,
  );
  return stop;
}

async function oneTurn(work: Conducting, nodeName: string): ReturnType<typeof takeTurn> {
  const node = work.cache.view().nodes.get(nodeName);
  if (node === undefined) return await skip(work, nodeName, `Node ${nodeName} is no longer in the cluster.`);
  const phase = work.store.state().turns.get(nodeName)?.status.phase ?? 'Pending';
  if (!work.selected.has(nodeName) && !isInWork(phase)) {
    return await skip(work, nodeName, `The playbook does not select node ${nodeName} any more.`);
  }
  await work.store.hold(true, work.signal);
  await work.store.saveRun({ phase: 'Running' }, work.signal);
  const { turn, close } = openTurn(work, node);
  try {
    return await takeTurn(turn, { stop: work.stop, signal: work.signal });
  } finally {
    close();
  }
}

async function skip(work: Conducting, nodeName: string, message: string): ReturnType<typeof takeTurn> {
  const finishedAt = timestamp(work.clock);
  await work.journal.append({ type: 'turn.finished', node: nodeName, phase: 'Skipped', message });
  await work.store.saveTurn(nodeName, { phase: 'Skipped', message, finishedAt }, work.signal);
  return { kind: 'left', phase: 'Skipped', run: 'go-on' };
}

/** The first nodes of the order are the canaries: a failure of one stops the run whatever stopAfterFailures says. */
function isCanary(state: RunState, node: string, canaries: number): boolean {
  return (state.status.order ?? []).slice(0, canaries).includes(node);
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
