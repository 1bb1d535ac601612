import { stateAt, type ScheduleState } from '../../../../src/calendar/decide.js';
import { periodOf } from '../../../../src/calendar/period.js';
import { nameOf } from '../../invariants/truth.js';
import { turnsInWork } from '../runsOfYear.js';
import type { WatchedYear } from '../watchedYear.js';

/** How things stood when a call began. */
export interface CallBegin {
  readonly at: number;
  readonly state: ScheduleState;
  /** Of the window that was open. */
  readonly month: string | undefined;
  /** Something was to be finished: a turn in work, or a node out of service because of us. */
  readonly wasUnfinished: boolean;
  /** Another actor was at work. */
  readonly wasAlone: boolean;
  readonly nodes: ReadonlySet<string>;
}

/** Takes down how things stand, while a call begins. */
export function callBegin(year: WatchedYear): CallBegin {
  const { schedule } = year.year;
  const at = year.now();
  const state = stateAt({ schedule, now: at });
  return {
    at,
    state,
    month: state.kind === 'open' ? periodOf(state.window.opening, schedule.timeZone) : undefined,
    wasUnfinished: turnsInWork(year.truth).length > 0 || year.passages.open().length > 0,
    wasAlone: year.atWork.size <= 1,
    nodes: new Set(year.truth.nodes().map(nameOf)),
  };
}

/** For how long the window that was open when the call began stayed so; 0 where none was. */
export function openForMs({ at, state }: CallBegin): number {
  if (state.kind === 'always') return Number.POSITIVE_INFINITY;
  return state.kind === 'open' ? state.window.closesAt - at : 0;
}
