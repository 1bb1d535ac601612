import type { ClockRemark } from '../calendar/clockRemarks.js';
import type { ComingWindow, ComingWindows } from '../calendar/comingWindows.js';
import type { ScheduleState } from '../calendar/decide.js';
import type { FreezeSpan } from '../calendar/freezes.js';
import { clockText, offsetMsAt, offsetText, wallTimeOf, wallTimeText } from '../calendar/wallClock.js';
import type { Window } from '../calendar/windows.js';
import { formatDuration } from '../time/duration.js';
import { plainText } from './plainText.js';
import { table } from './table.js';

/** A playbook's coming windows. */
export interface NamedSchedule {
  readonly playbook: string;
  readonly timeZone: string;
  readonly coming: ComingWindows;
}

/** The coming windows as people read them: a line for each stretch that is open, or for a window that is frozen. */
export function scheduleText({ playbook, timeZone, coming }: NamedSchedule): string[] {
  const { now, state, windows, freezes } = coming;
  const shown = freezes.slice(0, mostFreezes);
  return [
    `Schedule of playbook ${playbook} in ${timeZone}`,
    `Now, ${withOffset(now, timeZone)}: ${stateText(state, timeZone)}`,
    ...(windows.length === 0
      ? []
      : [
          '',
          ...table([
            ['RUN', 'OPENS', 'CLOSES', 'UTC', 'OPEN', 'REMARKS'],
            ...windows.flatMap((window) => windowRows(window, timeZone)),
          ]),
        ]),
    ...(shown.length === 0
      ? []
      : [
          '',
          ...table([['FROM', 'UNTIL', 'FREEZE'], ...shown.map((freeze) => freezeRow(freeze, timeZone))]),
          ...(freezes.length > shown.length ? [`and ${String(freezes.length - shown.length)} more`] : []),
        ]),
  ];
}

const mostFreezes = 50;

function stateText(state: ScheduleState, timeZone: string): string {
  switch (state.kind) {
    case 'open':
      return `open until ${withOffset(state.window.closesAt, timeZone)}${state.window.endedBy === undefined ? '' : `, when ${plainText(state.window.endedBy)} begins`}`;
    case 'always':
      return state.closesAt === undefined
        ? 'open; there are no windows and no freezes to come'
        : `open until ${withOffset(state.closesAt, timeZone)}, when ${plainText(state.endedBy ?? 'a freeze')} begins; there are no windows`;
    case 'closed': {
      const why = state.frozenBy === undefined ? 'closed' : `frozen by ${plainText(state.frozenBy)}`;
      return state.opensAt === undefined
        ? `${why}, and not open again in the next ten years`
        : `${why} until ${withOffset(state.opensAt, timeZone)}`;
    }
  }
}

function windowRows({ period, uncut, parts, freezes }: ComingWindow, timeZone: string): string[][] {
  if (parts.length === 0) {
    const names = [...new Set(freezes.map(freezeName))].join(', ');
    return [[period, ...times(uncut, timeZone), '-', `frozen: ${names}`]];
  }
  return parts.map((part) => [
    period,
    ...times(part, timeZone),
    formatDuration(part.closesAt - part.opensAt),
    remarksOf(part, { uncut, freezes, timeZone }).join('; '),
  ]);
}

function times({ opensAt, closesAt }: Pick<Window, 'opensAt' | 'closesAt'>, timeZone: string): string[] {
  const utc = (at: number) => `${clockText(at, 'UTC')}Z`;
  const sameDay = clockText(opensAt, 'UTC').slice(0, 10) === clockText(closesAt, 'UTC').slice(0, 10);
  const close = sameDay ? utc(closesAt).slice(11) : utc(closesAt);
  return [withWeekday(opensAt, timeZone), withWeekday(closesAt, timeZone), `${utc(opensAt)} to ${close}`];
}

function remarksOf(
  part: Window,
  { uncut, freezes, timeZone }: Pick<ComingWindow, 'uncut' | 'freezes'> & { readonly timeZone: string },
): string[] {
  const nameAt = (isIt: (freeze: FreezeSpan) => boolean) => {
    const freeze = freezes.find(isIt);
    return freeze === undefined ? 'a freeze' : freezeName(freeze);
  };
  const found = part.remarks.map((remark) => clockRemarkText(remark, part, timeZone));
  if (part.opensAt > uncut.opensAt) {
    const name = nameAt(({ until }) => until === part.opensAt);
    found.push(`what ${name} leaves of the window of ${clockText(uncut.opensAt, timeZone)}`);
  }
  if (part.endedBy !== undefined) {
    const name = nameAt(({ from }) => from === part.closesAt);
    found.push(`ends early: ${name} begins; without it ${clockText(uncut.closesAt, timeZone)}`);
  }
  return found;
}

function clockRemarkText(remark: ClockRemark, { opensAt, closesAt }: Window, timeZone: string): string {
  const time = (wallMs: number) => wallTimeText(wallMs).slice(11);
  switch (remark.kind) {
    case 'opens-after-gap':
      return `opens at ${time(wallTimeOf(opensAt, timeZone))} instead of ${time(remark.plannedWallMs)}: the clock goes forward`;
    case 'opens-at-first-pass':
      return `${time(remark.plannedWallMs)} comes twice as the clock goes back: opens at the first`;
    case 'clock-set-while-open': {
      const realMs = closesAt - opensAt;
      const direction = remark.byMs < 0 ? 'back' : 'forward';
      return `the clock goes ${direction} while it is open: ${formatDuration(realMs)} of real time are ${formatDuration(realMs + remark.byMs)} by the clock`;
    }
  }
}

function freezeRow(freeze: FreezeSpan, timeZone: string): string[] {
  return [clockText(freeze.from, timeZone), clockText(freeze.until, timeZone), freezeName(freeze)];
}

/** What a person calls it: the event of a calendar with the name of the freeze, by which it is overridden. */
function freezeName({ name, summary }: FreezeSpan): string {
  return plainText(summary === '' ? name : `${name} (${summary})`);
}

function withOffset(at: number, timeZone: string): string {
  return `${clockText(at, timeZone)} ${offsetText(offsetMsAt(at, timeZone))}`;
}

function withWeekday(at: number, timeZone: string): string {
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' }).format(wallTimeOf(at, timeZone));
  return `${weekday} ${withOffset(at, timeZone)}`;
}
