import { stateAt, type ScheduleState } from '../calendar/decide.js';
import { localText } from '../calendar/localText.js';
import type { Schedule } from '../calendar/schedule.js';
import type { Clock } from '../time/clock.js';
import type { RunStatus } from './state.js';

/** The time in which the turns of a run may start. */
export interface RunWindow {
  readonly timeZone: string;
  /** What the schedule says now. */
  state(): ScheduleState;
  /** When turns may start again, milliseconds since the epoch: in the past where they may already. Undefined: never. */
  reopensAt(): number | undefined;
  /**
   * Aborts with {@link WindowClosed} when turns may no longer start; from the beginning where they may not. What opens
   * later is for another call.
   */
  readonly closed: AbortSignal;
  /** Looks at the clock on the wall at once: a machine that stood still may have slept through the end. */
  look(): void;
  /** Ends looking. */
  close(): Promise<void>;
}

/** The reason of {@link RunWindow.closed}. */
export class WindowClosed extends Error {
  override readonly name = 'WindowClosed';
}

/** A clock may be set, and a machine may stand still: the end is looked for at least this often. */
const lookEveryMs = 30_000;

/** Follows the schedule of a run, from which what people override was taken out. */
export function openRunWindow(request: {
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): RunWindow {
  const { schedule, clock } = request;
  const first = stateAt({ schedule, now: clock.now() });
  const closesAt = closeOf(first);
  const closed = new AbortController();
  const look = () => {
    if (closed.signal.aborted || clock.now() < (closesAt ?? Number.POSITIVE_INFINITY)) return;
    closed.abort(new WindowClosed(closedText(first, schedule.timeZone)));
  };
  if (first.kind === 'closed') closed.abort(new WindowClosed('no window is open'));
  const ended = new AbortController();
  const signal = AbortSignal.any([request.signal, ended.signal, closed.signal]);
  const looking = (async () => {
    while (closesAt !== undefined && !signal.aborted) {
      await clock.sleep(Math.max(0, Math.min(lookEveryMs, closesAt - clock.now())), signal).catch(() => undefined);
      look();
    }
  })();
  const state = () => stateAt({ schedule, now: clock.now() });
  return {
    timeZone: schedule.timeZone,
    state,
    reopensAt: () => (closed.signal.aborted ? openingAgain(schedule, clock.now()) : reopening(schedule, state())),
    closed: closed.signal,
    look,
    async close() {
      ended.abort('the run has ended');
      await looking;
    },
  };
}

/** When turns may no longer start, milliseconds since the epoch; undefined where that is never, or they may not now. */
export function closeOf(state: ScheduleState): number | undefined {
  switch (state.kind) {
    case 'open':
      return state.window.closesAt;
    case 'always':
      return state.closesAt;
    case 'closed':
      return undefined;
  }
}

/** After the close: the opening of the window that is open by now, or comes. */
function openingAgain(schedule: Schedule, now: number): number | undefined {
  const state = stateAt({ schedule, now });
  switch (state.kind) {
    case 'open':
      return state.window.opensAt;
    case 'always':
      return now;
    case 'closed':
      return state.opensAt;
  }
}

function reopening(schedule: Schedule, state: ScheduleState): number | undefined {
  if (state.kind === 'closed') return state.opensAt;
  const closesAt = closeOf(state);
  const after = closesAt === undefined ? undefined : stateAt({ schedule, now: closesAt });
  return after?.kind === 'closed' ? after.opensAt : closesAt;
}

function closedText(state: ScheduleState, timeZone: string): string {
  const at = closeOf(state);
  const when = at === undefined ? '' : ` at ${localText(at, timeZone)}`;
  const freeze = state.kind === 'open' ? state.window.endedBy : state.kind === 'always' ? state.endedBy : undefined;
  return freeze === undefined ? `the window closed${when}` : `the window closed${when}: freeze ${freeze} began`;
}

/** As it stands in the run's status and in the journal. */
export function windowRecord(state: ScheduleState): NonNullable<RunStatus['window']> {
  const text = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());
  switch (state.kind) {
    case 'open': {
      const { opensAt, closesAt, endedBy } = state.window;
      return {
        opensAt: text(opensAt),
        closesAt: text(closesAt),
        ...(endedBy === undefined ? {} : { endedBy }),
      };
    }
    case 'always':
      return state.closesAt === undefined ? {} : { closesAt: text(state.closesAt), endedBy: state.endedBy };
    case 'closed':
      return state.opensAt === undefined ? {} : { opensAt: text(state.opensAt) };
  }
}
