import { stateAt, type ScheduleState } from '../../../../src/calendar/decide.js';
import { periodOf } from '../../../../src/calendar/period.js';
import type { ApiObject } from '../../../../src/cluster/clusterPort.js';
import { openRequests } from '../../../../src/run/ask.js';
import { parseRun } from '../../../../src/run/objects.js';
import { nameOf, turnStatusOf, type Truth } from '../../invariants/truth.js';
import { isOver, monthOf, runOfTurn, turnsInWork } from '../runsOfYear.js';
import type { WatchedYear } from '../watchedYear.js';

/** How things stood when a call began. */
export interface CallBegin {
  readonly at: number;
  readonly state: ScheduleState;
  /** Of the window that was open. */
  readonly month: string | undefined;
  /** Something was to be finished: a turn in work, a node out of service because of us, or what a person asks. */
  readonly wasUnfinished: boolean;
  /** A turn of a run of an earlier month was in work, or its retry was asked: it comes before the new month's run. */
  readonly wasHeldUp: boolean;
  /** No other actor was at work. */
  readonly wasAlone: boolean;
  readonly nodes: ReadonlySet<string>;
}

/** Takes down how things stand, while a call begins. */
export function callBegin(year: WatchedYear): CallBegin {
  const { schedule } = year.year;
  const at = year.now();
  const state = stateAt({ schedule, now: at });
  const month = state.kind === 'open' ? periodOf(state.window.opening, schedule.timeZone) : undefined;
  return {
    at,
    state,
    month,
    wasHeldUp: month !== undefined && unfinishedBefore(month, year.truth),
    wasUnfinished: turnsInWork(year.truth).length > 0 || year.passages.open().length > 0 || hasRequests(year.truth),
    wasAlone: year.atWork.size <= 1,
    nodes: new Set(year.truth.nodes().map(nameOf)),
  };
}

function unfinishedBefore(month: string, truth: Truth): boolean {
  const isFormer = (run: string) => monthOf(run) < month;
  const isRetried = (turn: ApiObject) => {
    const { retryFrom, cordoned } = turnStatusOf(turn);
    return retryFrom !== undefined && cordoned === true && isFormer(runOfTurn(turn));
  };
  return (
    turnsInWork(truth).some((turn) => isFormer(runOfTurn(turn))) ||
    truth.turns().some(isRetried) ||
    truth.runs().some((run) => isFormer(nameOf(run)) && requestsOf(run).some(({ verb }) => verb.startsWith('retry')))
  );
}

function requestsOf(run: ApiObject): readonly { readonly verb: string }[] {
  return isOver(run) ? [] : openRequests(parseRun(run));
}

function hasRequests(truth: Truth): boolean {
  return truth.runs().some((run) => requestsOf(run).length > 0);
}

/** For how long the window that was open when the call began stayed so; 0 where none was. */
export function openForMs({ at, state }: CallBegin): number {
  if (state.kind === 'always') return Number.POSITIVE_INFINITY;
  return state.kind === 'open' ? state.window.closesAt - at : 0;
}
