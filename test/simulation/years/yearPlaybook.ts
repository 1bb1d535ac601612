import type { FreezeRule, WindowRule } from '../../../src/calendar/schedule.js';
import type { Playbook } from '../../../src/playbook/playbook.js';
import type { Night } from '../night.js';
import { nightPlaybook } from '../nightPlaybook.js';
import type { Year } from './year.js';

/** The playbook of a year, read as a team's would be: from its text, with its calendars. */
export async function yearPlaybook(year: Year, night: Night, clusterUid: string): Promise<Playbook> {
  const { schedule, coverageMs, expectedTurnMs, runHistoryLimit } = year;
  const files = new Map<string, string>();
  const freezes = schedule.freezes.map((freeze, number) => {
    if (freeze.kind !== 'calendar') return freezeDocument(freeze);
    const file = `freeze-${String(number)}.ics`;
    files.set(file, calendarText(freeze));
    return { name: freeze.name, calendar: { path: `./${file}` } };
  });
  const spec = {
    runHistoryLimit,
    schedule: {
      timeZone: schedule.timeZone,
      windows: schedule.windows.map(windowDocument),
      freezes,
      coverage: seconds(coverageMs),
      ...(expectedTurnMs === undefined ? {} : { expectedTurn: seconds(expectedTurnMs) }),
    },
  };
  return await nightPlaybook(night, clusterUid, { spec, files });
}

function windowDocument(window: WindowRule): unknown {
  const duration = seconds(window.durationMs);
  return window.kind === 'cron' ? { opens: window.expression, duration } : { from: window.opens, duration };
}

function freezeDocument({ kind: _kind, ...freeze }: Exclude<FreezeRule, { readonly kind: 'calendar' }>): unknown {
  return freeze;
}

function calendarText({ name, events }: Extract<FreezeRule, { readonly kind: 'calendar' }>): string {
  const lines = events.flatMap((event, number) => {
    if (event.kind !== 'instants') throw new Error(`freeze ${name}: only instants are written`);
    return [
      'BEGIN:VEVENT',
      `UID:${String(number)}`,
      `SUMMARY:${event.summary}`,
      `DTSTART:${instantText(event.from)}`,
      `DTEND:${instantText(event.until)}`,
      'END:VEVENT',
    ];
  });
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

/** `20261005T220000Z` */
function instantText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function seconds(milliseconds: number): string {
  return `${String(milliseconds / 1000)}s`;
}
