/** When turns may start: windows in which they may, freezes in which they may not. Plain data. */
export interface Schedule {
  /** IANA time zone in which windows, freezes and periods are meant. */
  readonly timeZone: string;
  /** Empty: always open but for freezes. */
  readonly windows: readonly WindowRule[];
  readonly freezes: readonly FreezeRule[];
}

export type WindowRule = CronWindow | OnceWindow;

/** A window that comes again and again. */
export interface CronWindow {
  readonly kind: 'cron';
  /** In the dialect of cronExpression.ts, on the clock of the schedule's zone. */
  readonly expression: string;
  /** In real time, whatever the clock on the wall does meanwhile. */
  readonly durationMs: number;
}

export interface OnceWindow {
  readonly kind: 'once';
  /** Local date and time, such as `2026-12-05T22:00`. */
  readonly opens: string;
  readonly durationMs: number;
}

export type FreezeRule = DatesFreeze | RuleFreeze | CalendarFreeze;

export interface DatesFreeze {
  readonly kind: 'dates';
  readonly name: string;
  /** First and last local date, both included: `2026-12-15`. */
  readonly from: string;
  readonly until: string;
}

/** The last day of every month, quarter or year, with days before and after it. */
export interface RuleFreeze {
  readonly kind: 'rule';
  readonly name: string;
  readonly rule: 'month-end' | 'quarter-end' | 'year-end';
  readonly daysBefore: number;
  readonly daysAfter: number;
}

export interface CalendarFreeze {
  readonly kind: 'calendar';
  readonly name: string;
  /** Every occurrence of every event that counts (icalendar.ts). */
  readonly events: readonly CalendarEvent[];
}

/** One occurrence of an event of a calendar file. */
export type CalendarEvent = {
  /** SUMMARY of the event; '' where it has none. */
  readonly summary: string;
} & (
  | {
      readonly kind: 'dates';
      /** First and last local date of the schedule's zone, both included. */
      readonly from: string;
      readonly until: string;
    }
  | {
      readonly kind: 'local';
      /** Local date and time of the schedule's zone, such as `2026-12-05T22:00:00`; `until` is not part of it. */
      readonly from: string;
      readonly until: string;
    }
  | {
      readonly kind: 'instants';
      /** Milliseconds since the epoch; `until` is not part of it. */
      readonly from: number;
      readonly until: number;
    }
);

/** The schedule as it is for who starts a run whatever the windows say: always open but for freezes. */
export function withoutWindows(schedule: Schedule): Schedule {
  return { ...schedule, windows: [] };
}

/** The schedule as it is for who overrides one freeze. A name that no freeze has changes nothing. */
export function withoutFreeze(schedule: Schedule, name: string): Schedule {
  return { ...schedule, freezes: schedule.freezes.filter((freeze) => freeze.name !== name) };
}
