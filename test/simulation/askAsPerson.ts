import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import type { Ask } from '../../src/run/ask.js';
import { listAllRuns } from '../../src/run/listRuns.js';
import { putAsk } from '../../src/run/putAsk.js';
import { endedRunPhases } from '../../src/run/state.js';
import type { Clock } from '../../src/time/clock.js';
import { TurnusError } from '../../src/turnusError.js';

/** Somebody who asks something of the run from another machine, over a network that never fails. */
export interface Person {
  readonly name: string;
  /** The port of the model, under this person's name. */
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly newId: () => string;
  readonly signal: AbortSignal;
}

/** How long, and how often, is waited for a run of which something can be asked. */
const tries = 60;
const pauseMs = 5000;

/**
 * Asks something of the unfinished run, as `turnus pause` and its like do; waits for the run for some minutes where
 * there is none yet. False where nothing was written: no run, or the answer was no.
 */
export async function askAsPerson({ signal, ...person }: Person, ask: Ask): Promise<boolean> {
  const { cluster, clock, namespace } = person;
  try {
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const runs = await listAllRuns({ cluster, namespace }, signal);
      const run = runs.find(({ phase }) => !endedRunPhases.includes(phase)) ?? runs[0];
      if (run !== undefined) {
        const asking = { ask, by: person.name, reason: 'a night of the simulation', id: person.newId() };
        const put = await putAsk({ cluster, clock, namespace, name: run.name }, asking, signal);
        return put.kind === 'judged' && put.answer.kind === 'write';
      }
      await clock.sleep(pauseMs, signal);
    }
    return false;
  } catch (error) {
    if (error instanceof TurnusError) return false;
    throw error;
  }
}
