import type { ClusterPort } from '../cluster/clusterPort.js';
import type { Clock } from '../time/clock.js';
import { listAllRuns, readRunState } from './listRuns.js';
import type { RunState } from './state.js';

/** How long the API server may take to say how a run has ended. */
const readWithinMs = 10_000;

/**
 * The state of a run whose actor has ended, read anew: the watch that followed it may not have shown the last of it, or
 * nothing at all where that actor was quick. Where it cannot be read, what was last seen; undefined where that is nothing.
 */
export async function followedState(followed: {
  readonly cluster: ClusterPort;
  readonly namespace: string;
  readonly name: string;
  readonly clock: Clock;
  readonly latest: RunState | undefined;
  readonly signal: AbortSignal;
}): Promise<RunState | undefined> {
  const { cluster, namespace, name, clock, latest, signal } = followed;
  const deadline = clock.deadline(readWithinMs, signal);
  try {
    const run = (await listAllRuns({ cluster, namespace }, deadline.signal)).find((each) => each.name === name);
    return run === undefined ? latest : await readRunState({ cluster, namespace, run }, deadline.signal);
  } catch {
    return latest;
  } finally {
    deadline.clear();
  }
}
