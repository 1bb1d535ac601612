import { localText } from '../../../src/calendar/localText.js';
import type { FreezeRule, WindowRule } from '../../../src/calendar/schedule.js';
import type { Violation } from '../night.js';
import { members, timeText, workloadText } from '../nightText.js';
import type { Year } from './year.js';

/** A year for people: nodes, workloads, playbook, schedule, calls and troubles, one a line. */
export function yearText(year: Year): readonly string[] {
  const { seed, beginsAt, endsAt, nodes, workloads, playbook, schedule, calls, troubles } = year;
  const { coverageMs, runHistoryLimit, expectedTurnMs } = year;
  const expected = expectedTurnMs === undefined ? '' : `, ${members({ expectedTurnMs })}`;
  const at = (instant: number) => localText(instant, schedule.timeZone);
  return [
    `year of seed ${seed}: ${at(beginsAt)} to ${at(endsAt)}`,
    ...nodes.map(({ name, zone }) => `  ${name}${zone === undefined ? '' : `, zone ${zone}`}`),
    ...workloads.map((workload) => `  ${workloadText(workload)}`),
    `  playbook: ${members(playbook)}, ${members({ coverageMs, runHistoryLimit })}${expected}`,
    ...schedule.windows.map((window) => `  window ${windowText(window)}`),
    ...schedule.freezes.map((freeze) => `  freeze ${freezeText(freeze, at)}`),
    ...calls.map(
      (call) => `  ${call.id}: ${at(call.at)}${call.crash === undefined ? '' : `, dies: ${members(call.crash)}`}`,
    ),
    ...troubles.map(({ id, at: when, what: { kind, ...what } }) => `  ${id}: ${at(when)} ${kind} ${members(what)}`),
  ];
}

/** When and what went wrong, as the clock on the wall of the year shows it. */
export function violationOfYear({ beginsAt, schedule }: Year, { invariant, atMs, message }: Violation): string {
  return `  ${localText(beginsAt + atMs, schedule.timeZone)} ${invariant}: ${message}`;
}

function windowText(window: WindowRule): string {
  const when = window.kind === 'cron' ? `"${window.expression}"` : window.opens;
  return `${when} for ${timeText(window.durationMs)}`;
}

function freezeText(freeze: FreezeRule, at: (instant: number) => string): string {
  switch (freeze.kind) {
    case 'dates':
      return `${freeze.name}: ${freeze.from} to ${freeze.until}`;
    case 'rule':
      return `${freeze.name}: ${freeze.rule}, ${freeze.daysBefore} days before and ${freeze.daysAfter} after`;
    case 'calendar':
      return `${freeze.name}: ${freeze.events
        .map((event) => (event.kind === 'instants' ? `${at(event.from)} to ${at(event.until)}` : event.from))
        .join(', ')}`;
  }
}
