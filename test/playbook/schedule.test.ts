import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import { formatMistake } from '../../src/playbook/mistake.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import { planHash } from '../../src/run/planHash.js';
import { filesInMemory, playbookWith, teamFiles, testNow } from './playbookFiles.js';

const holidays = (...days: readonly string[]) =>
  [
    'BEGIN:VCALENDAR',
    ...days.flatMap((day) => ['BEGIN:VEVENT', `SUMMARY:Holiday ${day}`, `DTSTART;VALUE=DATE:${day}`, 'END:VEVENT']),
    'END:VCALENDAR',
    '',
  ].join('\n');

const calendars: Readonly<Record<string, string | Uint8Array>> = {
  '/team/holidays.ics': holidays('20261225', '20270101'),
  '/team/broken.ics': holidays('20261225', '20260230'),
  '/team/past.ics': holidays('20251225'),
  '/team/empty.ics': 'BEGIN:VCALENDAR\nEND:VCALENDAR\n',
  '/team/binary.ics': new Uint8Array([0xff, 0xfe, 0x00]),
  '/team/huge.ics': 'x'.repeat(1024 * 1024 + 1),
};

async function loadWith(lines: readonly string[], changed: Readonly<Record<string, string>> = {}) {
  const text = playbookWith('  schedule:', ...lines.map((line) => `    ${line}`));
  const readFile = filesInMemory({ ...teamFiles, ...calendars, ...changed, '/team/monthly.yaml': text });
  return await loadPlaybook({ file: '/team/monthly.yaml', readFile, homeDirectory: '/home/ops', now: testNow });
}

async function goodSchedule(lines: readonly string[], changed?: Readonly<Record<string, string>>): Promise<Playbook> {
  const answer = await loadWith(lines, changed);
  if (answer.kind === 'invalid') throw new Error(answer.mistakes.map(formatMistake).join('\n'));
  return answer.playbook;
}

/** Mistakes, or warnings where there are none, without the directory. The first line given is line 10. */
async function saidOf(...lines: readonly string[]): Promise<string[]> {
  const answer = await loadWith(lines);
  const said = answer.kind === 'invalid' ? answer.mistakes : answer.warnings;
  return said.map((mistake) => formatMistake({ ...mistake, file: 'monthly.yaml' }));
}

describe('the schedule of a playbook', () => {
  it('has windows and freezes as plain data', async () => {
    const { schedule } = await goodSchedule([
      'timeZone: Europe/Zurich',
      'windows:',
      '  - {opens: "0 22 * * 2#2", duration: 6h}',
      '  - {from: 2026-12-05T22:00, duration: 90m}',
      'freezes:',
      '  - {name: Year end, from: 2026-12-15, until: 2027-01-06}',
      '  - {name: Close, rule: month-end, daysBefore: 3, daysAfter: 1}',
      '  - {name: Quarter, rule: quarter-end}',
      '  - {name: Bank holidays, calendar: {path: ./holidays.ics}}',
      'coverage: 70d',
    ]);
    expect(schedule).toEqual({
      timeZone: 'Europe/Zurich',
      windows: [
        { kind: 'cron', expression: '0 22 * * 2#2', durationMs: 21_600_000 },
        { kind: 'once', opens: '2026-12-05T22:00', durationMs: 5_400_000 },
      ],
      freezes: [
        { kind: 'dates', name: 'Year end', from: '2026-12-15', until: '2027-01-06' },
        { kind: 'rule', name: 'Close', rule: 'month-end', daysBefore: 3, daysAfter: 1 },
        { kind: 'rule', name: 'Quarter', rule: 'quarter-end', daysBefore: 0, daysAfter: 0 },
        {
          kind: 'calendar',
          name: 'Bank holidays',
          events: [
            { kind: 'dates', summary: 'Holiday 20261225', from: '2026-12-25', until: '2026-12-25' },
            { kind: 'dates', summary: 'Holiday 20270101', from: '2027-01-01', until: '2027-01-01' },
          ],
        },
      ],
      coverageMs: 70 * 86_400_000,
    });
  });

  it('is always open and promises nothing where it says nothing', async () => {
    expect((await goodSchedule(['timeZone: UTC'])).schedule).toEqual({
      timeZone: 'UTC',
      windows: [],
      freezes: [],
      coverageMs: undefined,
    });
  });

  it('has the calendar in its plan hash by its digest', async () => {
    const lines = ['freezes: [{name: Holidays, calendar: {path: ./holidays.ics}}]'];
    const playbook = await goodSchedule(lines);
    const content = String(calendars['/team/holidays.ics']);
    expect(playbook.files.map(({ path }) => path)).toEqual(['./holidays.ics', './update.sh']);
    expect(playbook.files[0]?.digest).toBe(createHash('sha256').update(content).digest('hex'));
    const changed = await goodSchedule(lines, { '/team/holidays.ics': holidays('20261225') });
    const clusterUid = '6f1c0a52-1111-4222-8333-444455556666';
    expect(planHash({ clusterUid, playbook: changed })).not.toBe(planHash({ clusterUid, playbook }));
  });

  it('may have seconds in its windows', async () => {
    const { schedule } = await goodSchedule(['windows: [{opens: "*/20 * * * * *", duration: 5s}]']);
    expect(schedule.windows).toEqual([{ kind: 'cron', expression: '*/20 * * * * *', durationMs: 5000 }]);
  });
});

describe('a mistake in a schedule', () => {
  const cron = 'expected a cron expression such as "0 22 * * 2#2"';
  it.each([
    [
      'windows: [{opens: "0 22 * *", duration: 6h}]',
      `10:23 spec.schedule.windows[0].opens: ${cron}, not "0 22 * *"; it has 4 fields; minute, hour, day of month, month and day of week make five`,
    ],
    [
      'windows: [{opens: "0 22 30 2 *", duration: 6h}]',
      `10:23 spec.schedule.windows[0].opens: ${cron}, not "0 22 30 2 *"; no day ever has day of month 30, month 2 and day of week *`,
    ],
    [
      'windows: [{opens: "0 25 * * *", duration: 6h}]',
      `10:23 spec.schedule.windows[0].opens: ${cron}, not "0 25 * * *"; hour "25" is none: expected 0 to 23, or such as 1-5, 0,30, */10 or *`,
    ],
    ['windows: [{opens: 5, duration: 6h}]', `10:23 spec.schedule.windows[0].opens: ${cron}, not 5`],
    [
      'windows: [{opens: "0 22 * * 2", duration: 0s}]',
      '10:47 spec.schedule.windows[0].duration: expected a duration longer than 0s, not "0s"',
    ],
    [
      'windows: [{opens: "0 22 * * 2", duration: 32d}]',
      '10:47 spec.schedule.windows[0].duration: expected a duration of at most 31d, not "32d"',
    ],
    [
      'windows: [{opens: "0 22 * * 2"}]',
      '10:15 spec.schedule.windows[0].duration: is missing; expected a duration such as 90s, 15m or 1h30m',
    ],
    [
      'windows: [{duration: 6h}]',
      '10:15 spec.schedule.windows[0]: never opens; give opens (a cron expression), or from (a local date and time, for once)',
    ],
    [
      'windows: [{open: "0 22 * * 2", duration: 6h}]',
      '10:16 spec.schedule.windows[0].open: unknown field; did you mean opens?',
    ],
    [
      'windows: [{opens: "0 22 * * 2", from: 2026-12-05T22:00, duration: 6h}]',
      '10:15 spec.schedule.windows[0]: has opens and from; make two windows of it',
    ],
    [
      'windows: [{from: 2026-02-30T22:00, duration: 6h}]',
      '10:22 spec.schedule.windows[0].from: expected a local date and time such as 2026-12-05T22:00, not "2026-02-30T22:00"; February 2026 has 28 days',
    ],
    [
      'windows: [{from: 2026-12-05T25:00, duration: 6h}]',
      '10:22 spec.schedule.windows[0].from: expected a local date and time such as 2026-12-05T22:00, not "2026-12-05T25:00"',
    ],
    [
      'freezes: [{name: A, from: 2026-02-30, until: 2026-03-01}]',
      '10:31 spec.schedule.freezes[0].from: expected a date such as 2026-12-15, not "2026-02-30"; February 2026 has 28 days',
    ],
    [
      'freezes: [{name: A, from: 2026-13-01, until: 2027-01-01}]',
      '10:31 spec.schedule.freezes[0].from: expected a date such as 2026-12-15, not "2026-13-01"; there is no month 13',
    ],
    [
      'freezes: [{name: A, from: 15.12.2026, until: 2027-01-06}]',
      '10:31 spec.schedule.freezes[0].from: expected a date such as 2026-12-15, not "15.12.2026"',
    ],
    [
      'freezes: [{name: A, from: 2027-01-06, until: 2026-12-15}]',
      '10:50 spec.schedule.freezes[0].until: is before from, 2027-01-06',
    ],
    [
      'freezes: [{name: A, from: 2026-12-15}]',
      '10:15 spec.schedule.freezes[0].until: is missing; expected the last day, which may be that of from',
    ],
    [
      'freezes: [{name: A, until: 2026-12-15}]',
      '10:15 spec.schedule.freezes[0].from: is missing; expected the first day',
    ],
    [
      'freezes: [{from: 2026-12-15, until: 2026-12-15}]',
      '10:15 spec.schedule.freezes[0].name: is missing; expected a name',
    ],
    [
      'freezes: [{name: A}]',
      '10:15 spec.schedule.freezes[0]: freezes nothing; give from and until, a rule or a calendar',
    ],
    [
      'freezes: [{name: A, rule: month-end, from: 2026-12-15, until: 2026-12-16}]',
      '10:15 spec.schedule.freezes[0]: has dates and rule; make freezes of them, each with a name of its own',
    ],
    [
      'freezes: [{name: A, from: 2026-12-15, until: 2026-12-16, daysBefore: 1}]',
      '10:62 spec.schedule.freezes[0].daysBefore: means something with a rule only',
    ],
    [
      'freezes: [{name: A, rule: months-end}]',
      '10:31 spec.schedule.freezes[0].rule: expected month-end, quarter-end or year-end, not "months-end"; did you mean month-end?',
    ],
    [
      'freezes: [{name: A, rule: month-end}, {name: A, rule: year-end}]',
      '10:50 spec.schedule.freezes[1].name: is the name of a freeze before; by its name one is overridden, so give another',
    ],
    [
      'freezes: [{name: A, calendar: {path: none.ics}}]',
      '10:42 spec.schedule.freezes[0].calendar.path: there is no file /team/none.ics; paths are relative to the playbook, or below the home directory as ~/',
    ],
    [
      'freezes: [{name: A, calendar: {path: broken.ics}}]',
      '10:42 spec.schedule.freezes[0].calendar.path: /team/broken.ics is no calendar that can be read: line 8: DTSTART has no date or time that there is',
    ],
    [
      'freezes: [{name: A, calendar: {path: update.sh}}]',
      '10:42 spec.schedule.freezes[0].calendar.path: /team/update.sh is no calendar that can be read: line 1: expected a line such as DTSTART:20261215T220000Z, not "#!/bin/sh"',
    ],
    [
      'freezes: [{name: A, calendar: {path: binary.ics}}]',
      '10:42 spec.schedule.freezes[0].calendar.path: /team/binary.ics is not a text; a calendar is UTF-8',
    ],
    [
      'freezes: [{name: A, calendar: {path: huge.ics}}]',
      '10:42 spec.schedule.freezes[0].calendar.path: /team/huge.ics has 1048577 bytes; a calendar has at most 1048576 (1 MiB)',
    ],
    ['coverage: 401d', '10:15 spec.schedule.coverage: expected a duration of at most 400d, not "401d"'],
  ])('in %s is named with what is expected', async (line, expected) => {
    expect(await saidOf(line)).toEqual([`monthly.yaml:${expected}`]);
  });
});

describe('a schedule that is allowed and leaves nodes without their turn', () => {
  const windows = 'windows: [{opens: "0 22 * * 2#2", duration: 6h}]';

  it('is not warned of where it does not', async () => {
    expect(await saidOf(windows, 'coverage: 40d', 'freezes: [{name: A, calendar: {path: holidays.ics}}]')).toEqual([]);
  });

  it('is warned of where freezes cover every window of the year', async () => {
    expect(
      await saidOf(windows, 'freezes: [{name: Merger, from: 2026-06-01, until: 2028-01-01}]', 'coverage: 1d'),
    ).toEqual([
      'monthly.yaml:11:5 spec.schedule.freezes: all 12 windows of the coming year are frozen, by Merger: no run starts; shorten one of them',
    ]);
    expect(await saidOf('freezes: [{name: Merger, from: 2026-06-01, until: 2028-01-01}]')).toEqual([
      'monthly.yaml:10:5 spec.schedule.freezes: all of the coming year is frozen, by Merger: no run starts; shorten one of them',
    ]);
  });

  it('is warned of where its windows are past', async () => {
    expect(await saidOf('windows: [{from: 2026-10-05T22:00, duration: 6h}]')).toEqual([
      'monthly.yaml:10:5 spec.schedule.windows: none opens in the year after 2026-11-01 12:00, so that no run starts; add one that comes again',
    ]);
  });

  it('is warned of where the gaps between windows are longer than the coverage', async () => {
    expect(await saidOf(windows, 'coverage: 35d')).toEqual([
      'monthly.yaml:11:15 spec.schedule.coverage: coverage-unattainable: A node that is first on 2026-12-08 22:00 and last on 2027-01-13 04:00 waits 35 d 6 h, longer than the coverage of 35 d, and so it is with 3 other months. Open windows more often, or raise the coverage to 36d.',
    ]);
  });

  it.each([
    ['past.ics', 'has no event after 2025-12-25, so that it freezes nothing; renew the file'],
    ['empty.ics', 'has no event that freezes anything'],
  ])('is warned of where a calendar freezes nothing: %s', async (file, warning) => {
    expect(await saidOf(`freezes: [{name: A, calendar: {path: ${file}}}]`)).toEqual([
      `monthly.yaml:10:35 spec.schedule.freezes[0].calendar: ${warning}`,
    ]);
  });
});
