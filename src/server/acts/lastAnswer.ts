import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import { refusalPrefix } from '../../run/ask.js';
import { newestFirst } from '../../run/identity.js';
import { waitsPrefix } from '../../run/trigger.js';
import type { ActEnd } from './actFor.js';
import { isOver, type ServedRun } from './nextDeed.js';

/**
 * What the end of an act is to the trigger that it was for. `runs`: as they were before it. Undefined: nothing yet, because
 * somebody goes on with it.
 */
export function lastAnswer(
  runs: readonly ServedRun[],
  end: ActEnd,
): { readonly text: string; readonly isLast: boolean } | undefined {
  if (end.kind === 'refused') return { text: `${refusalPrefix} ${end.message}`, isLast: true };
  if (end.kind !== 'ran') return { text: `${waitsPrefix} ${end.message}`, isLast: false };
  const { stop, state } = end;
  if (goesOnElsewhere.has(stop.kind) || state === undefined) return undefined;
  const { name } = state;
  if (stop.kind === 'paused' && runs.some((run) => run.name === name && run.desired !== 'Run'))
    return {
      text: `${refusalPrefix} run ${name} is paused; let it go on with turnus resume ${name}, then trigger it again`,
      isLast: true,
    };
  const message = state.status.message === undefined ? '' : `: ${state.status.message}`;
  return { text: `ended: run ${name} is ${state.status.phase}${message}`, isLast: true };
}

/**
 * The run that the trigger is known to have started: it is not forgotten where an act for it comes to nothing. The run
 * itself tells, should the answer have been lost with the process that was to write it.
 */
export function startedBy(
  trigger: string,
  { answered, runs }: { readonly answered: PlaybookStatus['trigger']; readonly runs: readonly BegunRun[] },
): string | undefined {
  const told = answered?.id === trigger ? answered.run : undefined;
  // A month may have ended under it: then the run of the next one has the id too, and supersedes the first.
  const begun = runs.filter((run) => run.trigger === trigger || run.name === told);
  const goingOn = begun.filter((run) => !isOver(run));
  const known = goingOn.length > 0 ? goingOn : begun;
  // One that was told and is not there has not been seen yet, or was deleted.
  const unseen = told === undefined || runs.some(({ name }) => name === told) ? [] : [told];
  return [...known.map(({ name }) => name), ...unseen].sort(newestFirst)[0];
}

type BegunRun = Pick<ServedRun, 'name' | 'phase' | 'trigger'>;

const goesOnElsewhere: ReadonlySet<string> = new Set(['hand-over', 'own-node', 'other-actor', 'signal', 'followed']);
