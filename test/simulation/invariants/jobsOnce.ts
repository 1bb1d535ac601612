import { isHostTouched } from '../../../src/run/hostTouched.js';
import { runResource, turnResource } from '../../../src/run/objects.js';
import type { TurnStatus } from '../../../src/run/state.js';
import { isSame, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * A script is executed once for each run, node and stage. One more execution follows a retry of a failed turn whose node is in
 * service, or whose host nothing has changed (docs/decisions/0008-retry-runs-no-second-script.md), and where a turn is
 * tried again: of `leave` and `join`, and of a `prepare` that had failed (0012-leave-and-join-belong-together.md).
 */
export const jobsOnce: MakeInvariant = (night) => {
  const { say, violations } = complaints('jobs-once', night);
  const started = new Map<string, string[]>();
  /** Stages by node that a retry lets run once more. */
  const mayRepeat = new Set<string>();
  return {
    changed({ type, resource, object, before }) {
      // A run begins where nothing of the former one is in work, or takes over what is.
      if (type === 'added' && isSame(resource, runResource)) {
        started.clear();
        mayRepeat.clear();
      }
      if (type !== 'modified' || before === undefined || !isSame(resource, turnResource)) return;
      const former = turnStatusOf(before);
      const { phase } = turnStatusOf(object);
      if (phase === 'Preparing' && ['Pending', 'Deferred', 'Blocked'].includes(former.phase ?? 'Pending')) {
        for (const stage of stagesOfNewTry(former)) mayRepeat.add(`${stage} on ${nodeOfTurn(object)}`);
      }
      if (former.phase !== 'Failed' || phase === 'Failed') return;
      if (former.failure?.code === 'undo-not-joined') mayRepeat.add(`join on ${nodeOfTurn(object)}`);
      if (former.cordoned === true && isHostTouched(former)) return;
      for (const stage of ['prepare', 'leave', 'update', 'join']) mayRepeat.add(`${stage} on ${nodeOfTurn(object)}`);
    },
    onHost(event) {
      if (event.kind !== 'job-started') return;
      const key = `${event.stage} on ${event.node}`;
      const before = started.get(key) ?? [];
      if (before.includes(event.job) || (before.length > 0 && !mayRepeat.has(key))) {
        say(`script ${key} was started again: ${before.join(', ')}, then ${event.job}`);
      }
      mayRepeat.delete(key);
      started.set(key, [...before, event.job]);
    },
    violations,
  };
};

function stagesOfNewTry({ jobs }: Partial<TurnStatus>): string[] {
  const isPrepared = jobs?.prepare?.state === 'exited' && jobs.prepare.exitCode === 0;
  return ['leave', 'join', ...(isPrepared ? [] : ['prepare'])];
}
