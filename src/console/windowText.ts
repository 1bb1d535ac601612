import { stateAt } from '../calendar/decide.js';
import { localText } from '../calendar/localText.js';
import type { Schedule } from '../calendar/schedule.js';
import type { Plan } from '../run/plan.js';

/**
 * The line of a plan that says when turns may start and how many are expected to end before the window closes, one after
 * the other; none where the schedule says nothing.
 */
export function windowText(seen: {
  readonly schedule: Schedule;
  readonly plan: Pick<Plan, 'nodes'>;
  readonly now: number;
}): string[] {
  const { schedule, plan, now } = seen;
  const { timeZone } = schedule;
  const state = stateAt({ schedule, now });
  switch (state.kind) {
    case 'always': {
      const { closesAt, endedBy } = state;
      if (closesAt === undefined) return [];
      return [`Turns may start until ${localText(closesAt, timeZone)}: freeze ${endedBy ?? ''} begins then.`];
    }
    case 'open': {
      const { closesAt, endedBy } = state.window;
      const why = endedBy === undefined ? '' : ` (freeze ${endedBy} begins then)`;
      const fit = fittingText(plan, closesAt - now);
      return [`Window: open until ${localText(closesAt, timeZone)}${why}. ${fit}`];
    }
    case 'closed': {
      const { opensAt, next, frozenBy } = state;
      const why = frozenBy === undefined ? 'closed' : `frozen (${frozenBy})`;
      if (opensAt === undefined) return [`Window: ${why}; no further one opens.`];
      const opens = `Window: ${why}; the next one opens at ${localText(opensAt, timeZone)}`;
      if (next === undefined) return [`${opens}.`];
      return [
        `${opens} and closes at ${localText(next.closesAt, timeZone)}. ${fittingText(plan, next.closesAt - opensAt)}`,
      ];
    }
  }
}

function fittingText({ nodes }: Pick<Plan, 'nodes'>, lengthMs: number): string {
  const turns = nodes.filter(({ verdict }) => verdict === 'goes');
  let usedMs = 0;
  const fitting = turns.filter(({ expectedMs }) => (usedMs += expectedMs) <= lengthMs).length;
  if (turns.length === 0) return 'No turn is left for it.';
  return fitting === turns.length
    ? 'All turns are expected to end before it closes.'
    : `${String(fitting)} of ${String(turns.length)} turns are expected to end before it closes; the rest is carried over.`;
}
