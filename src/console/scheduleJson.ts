import type { ClockRemark } from '../calendar/clockRemarks.js';
import type { ScheduleState } from '../calendar/decide.js';
import { offsetMsAt, offsetText, wallTimeOf, wallTimeText } from '../calendar/wallClock.js';
import type { NamedSchedule } from './scheduleText.js';

/** An instant as it stands in the answer: UTC, and local with its offset. */
interface InstantJson {
  readonly utc: string;
  readonly local: string;
}

/** The coming windows for programs, `turnus schedule -o json`. Fields are added, never renamed. */
export function scheduleJson({ playbook, timeZone, coming }: NamedSchedule) {
  const instant = (at: number) => instantJson(at, timeZone);
  const stretch = (of: { readonly opensAt: number; readonly closesAt: number }) => ({
    opens: instant(of.opensAt),
    closes: instant(of.closesAt),
    seconds: (of.closesAt - of.opensAt) / 1000,
  });
  const freeze = (of: {
    readonly name: string;
    readonly summary: string;
    readonly from: number;
    readonly until: number;
  }) => ({
    name: of.name,
    ...(of.summary === '' ? {} : { event: of.summary }),
    from: instant(of.from),
    until: instant(of.until),
  });
  return {
    playbook,
    timeZone,
    now: instant(coming.now),
    state: stateJson(coming.state, instant),
    windows: coming.windows.map(({ period, uncut, parts, freezes }) => ({
      run: period,
      planned: stretch(uncut),
      isFrozen: parts.length === 0,
      open: parts.map((part) => ({
        ...stretch(part),
        ...(part.endedBy === undefined ? {} : { endedBy: part.endedBy }),
        clock: part.remarks.map(remarkJson),
      })),
      freezes: freezes.map(freeze),
    })),
    freezes: coming.freezes.map(freeze),
  };
}

function stateJson(state: ScheduleState, instant: (at: number) => InstantJson) {
  switch (state.kind) {
    case 'open':
      return { open: true, until: instant(state.window.closesAt) };
    case 'always':
      return { open: true, ...(state.closesAt === undefined ? {} : { until: instant(state.closesAt) }) };
    case 'closed':
      return {
        open: false,
        ...(state.opensAt === undefined ? {} : { until: instant(state.opensAt) }),
        ...(state.frozenBy === undefined ? {} : { frozenBy: state.frozenBy }),
      };
  }
}

function remarkJson(remark: ClockRemark) {
  return remark.kind === 'clock-set-while-open'
    ? { code: remark.kind, bySeconds: remark.byMs / 1000 }
    : { code: remark.kind, planned: wallTimeText(remark.plannedWallMs) };
}

function instantJson(at: number, timeZone: string): InstantJson {
  const local = new Date(wallTimeOf(at, timeZone)).toISOString().slice(0, 19);
  return {
    utc: new Date(at).toISOString().replace('.000Z', 'Z'),
    local: `${local}${offsetText(offsetMsAt(at, timeZone))}`,
  };
}
