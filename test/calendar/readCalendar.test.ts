import { describe, expect, it } from 'vitest';
import { freezeSpans } from '../../src/calendar/freezes.js';
import { readCalendar } from '../../src/calendar/icalendar/readCalendar.js';
import type { CalendarEvent } from '../../src/calendar/schedule.js';
import { iso } from './schedules.js';

/** A calendar of these events; the first line of the first is line 4. */
function calendar(...events: readonly (readonly string[])[]): string {
  const lines = events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']);
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

/** What the file freezes for a schedule in Zurich, in UTC and by its beginning. */
function frozen(text: string, timeZone = 'Europe/Zurich'): string[] {
  const freezes = [{ kind: 'calendar' as const, name: 'Holidays', events: eventsOf(text) }];
  const range = { from: Date.parse('2026-01-01T00:00:00Z'), until: Date.parse('2028-01-01T00:00:00Z') };
  return freezeSpans({ schedule: { timeZone, freezes }, ...range }).map(
    ({ from, until }) => `${iso(from)} ${iso(until)}`,
  );
}

function eventsOf(text: string): readonly CalendarEvent[] {
  const answer = readCalendar(text);
  if (answer.kind === 'invalid') throw new Error(`line ${String(answer.line)}: ${answer.message}`);
  return answer.events;
}

describe('an event', () => {
  it.each([
    ['of a day', ['DTSTART;VALUE=DATE:20261225'], '2026-12-24T23:00:00Z 2026-12-25T23:00:00Z'],
    [
      'of days, the last of which is not one of them',
      ['DTSTART;VALUE=DATE:20261224', 'DTEND;VALUE=DATE:20261227'],
      '2026-12-23T23:00:00Z 2026-12-26T23:00:00Z',
    ],
    [
      'of days by their number',
      ['DTSTART;VALUE=DATE:20261224', 'DURATION:P3D'],
      '2026-12-23T23:00:00Z 2026-12-26T23:00:00Z',
    ],
    [
      'whose VALUE=DATE was left out',
      ['DTSTART:20261225', 'DTEND:20261226'],
      '2026-12-24T23:00:00Z 2026-12-25T23:00:00Z',
    ],
    ['in UTC', ['DTSTART:20261225T080000Z', 'DTEND:20261225T100000Z'], '2026-12-25T08:00:00Z 2026-12-25T10:00:00Z'],
    [
      'in a zone of its own',
      ['DTSTART;TZID=America/New_York:20261225T080000', 'DURATION:PT2H30M'],
      '2026-12-25T13:00:00Z 2026-12-25T15:30:00Z',
    ],
    [
      'in two zones',
      ['DTSTART;TZID=America/New_York:20261225T080000', 'DTEND;TZID=Europe/Zurich:20261225T160000'],
      '2026-12-25T13:00:00Z 2026-12-25T15:00:00Z',
    ],
    [
      'on the clock of the schedule',
      ['DTSTART:20261225T080000', 'DTEND:20261225T100000'],
      '2026-12-25T07:00:00Z 2026-12-25T09:00:00Z',
    ],
    [
      'behind the prefix of a program',
      ['DTSTART;TZID=/citadel.org/20210210_1/Asia/Tokyo:20261225T080000', 'DURATION:PT1H'],
      '2026-12-24T23:00:00Z 2026-12-25T00:00:00Z',
    ],
    [
      'that is free time for who made it',
      ['DTSTART;VALUE=DATE:20261225', 'TRANSP:TRANSPARENT'],
      '2026-12-24T23:00:00Z 2026-12-25T23:00:00Z',
    ],
    [
      'with lines that are folded',
      ['DTSTART;VALUE=DATE:2026', ' 1225', 'SUMMARY:Christ', '\tmas'],
      '2026-12-24T23:00:00Z 2026-12-25T23:00:00Z',
    ],
  ])('%s freezes from its beginning to its end', (_what, lines, span) => {
    expect(frozen(calendar(lines))).toEqual([span]);
  });

  it.each([
    ['that was cancelled', ['DTSTART;VALUE=DATE:20261225', 'STATUS:CANCELLED']],
    ['without a length', ['DTSTART:20261225T080000Z']],
    ['that ends as it begins', ['DTSTART:20261225T080000Z', 'DTEND:20261225T080000Z']],
  ])('%s freezes nothing', (_what, lines) => {
    expect(frozen(calendar(lines))).toEqual([]);
  });

  it('carries its summary', () => {
    expect(eventsOf(calendar(['SUMMARY:Year end\\, closing', 'DTSTART;VALUE=DATE:20261225']))).toEqual([
      { kind: 'dates', summary: 'Year end, closing', from: '2026-12-25', until: '2026-12-25' },
    ]);
  });

  it('inside which others are, such as an alarm, is itself', () => {
    const alarm = ['BEGIN:VALARM', 'TRIGGER:-PT15M', 'DURATION:PT1H', 'END:VALARM'];
    expect(frozen(calendar(['DTSTART;VALUE=DATE:20261225', ...alarm]))).toHaveLength(1);
  });
});

describe('a time zone that the file defines', () => {
  const windows = [
    'BEGIN:VTIMEZONE',
    'TZID:W. Europe Standard Time',
    'BEGIN:STANDARD',
    'DTSTART:16010101T030000',
    'TZOFFSETFROM:+0200',
    'TZOFFSETTO:+0100',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
    'END:STANDARD',
    'BEGIN:DAYLIGHT',
    'DTSTART:16010101T020000',
    'TZOFFSETFROM:+0100',
    'TZOFFSETTO:+0200',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
    'END:DAYLIGHT',
    'END:VTIMEZONE',
  ];
  const withZone = (text: string, zone: readonly string[]) =>
    text.replace('VERSION:2.0\r\n', ['VERSION:2.0', ...zone, ''].join('\r\n'));

  it('counts where its name is no IANA zone, in winter and in summer', () => {
    const times = (date: string) => [
      `DTSTART;TZID=W. Europe Standard Time:${date}T080000`,
      `DTEND;TZID=W. Europe Standard Time:${date}T100000`,
    ];
    const text = withZone(calendar(times('20261225'), times('20270625'), times('20600625')), windows);
    expect(frozen(text, 'UTC')).toEqual([
      '2026-12-25T07:00:00Z 2026-12-25T09:00:00Z',
      '2027-06-25T06:00:00Z 2027-06-25T08:00:00Z',
    ]);
    expect(eventsOf(text).at(-1)).toMatchObject({ from: Date.parse('2060-06-25T06:00:00Z') });
  });

  it('does not count where its name is one', () => {
    const zone = windows.map((line) => line.replace('W. Europe Standard Time', 'Asia/Tokyo'));
    const text = calendar(['DTSTART;TZID=Asia/Tokyo:20261225T080000', 'DURATION:PT1H']);
    expect(frozen(withZone(text, zone))).toEqual(['2026-12-24T23:00:00Z 2026-12-25T00:00:00Z']);
  });

  it('is an IANA zone where it says which', () => {
    const zone = ['BEGIN:VTIMEZONE', 'TZID:Tokio', 'X-LIC-LOCATION:Asia/Tokyo', 'END:VTIMEZONE'];
    const text = calendar(['DTSTART;TZID=Tokio:20261225T080000', 'DURATION:PT1H']);
    expect(frozen(withZone(text, zone))).toEqual(['2026-12-24T23:00:00Z 2026-12-25T00:00:00Z']);
  });

  const own = 'W. Europe Standard Time';
  it.each([
    ['20270328T023000', '2027-03-28T01:00:00Z', 'a time that the clock skips is the first after the gap'],
    ['20261025T023000', '2026-10-25T00:30:00Z', 'of a time that comes twice the first pass counts'],
    ['20261025T030000', '2026-10-25T02:00:00Z', 'the clock is back when it has been set'],
  ])('is read at %s as in every zone: %s, %s', (time, from) => {
    const [event] = eventsOf(withZone(calendar([`DTSTART;TZID=${own}:${time}`, 'DURATION:PT1H']), windows));
    expect(event).toMatchObject({ from: Date.parse(from) });
  });

  it('ends its rules where they say so, and may name its changes one by one', () => {
    const zone = [
      'BEGIN:VTIMEZONE',
      `TZID:${own}`,
      'BEGIN:DAYLIGHT',
      'DTSTART:20200329T020000',
      'TZOFFSETFROM:+0100',
      'TZOFFSETTO:+0200',
      'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20250330T010000Z',
      'END:DAYLIGHT',
      'BEGIN:STANDARD',
      'DTSTART:20201025T030000',
      'TZOFFSETFROM:+0200',
      'TZOFFSETTO:+0100',
      'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;COUNT=5',
      'RDATE:20251026T030000',
      'END:STANDARD',
      'END:VTIMEZONE',
    ];
    const at = (time: string) => {
      const [event] = eventsOf(withZone(calendar([`DTSTART;TZID=${own}:${time}`, 'DURATION:PT1H']), zone));
      return event?.kind === 'instants' ? iso(event.from) : undefined;
    };
    expect(['20200101T120000', '20250625T120000', '20251225T120000', '20260625T120000'].map(at)).toEqual([
      '2020-01-01T11:00:00Z',
      '2025-06-25T10:00:00Z',
      '2025-12-25T11:00:00Z',
      '2026-06-25T11:00:00Z',
    ]);
  });

  const standard = (...lines: readonly string[]) => [
    'BEGIN:VTIMEZONE',
    `TZID:${own}`,
    'BEGIN:STANDARD',
    ...lines,
    'END:STANDARD',
    'END:VTIMEZONE',
  ];
  const [start, from, to] = ['DTSTART:20200103T030000', 'TZOFFSETFROM:+0200', 'TZOFFSETTO:+0100'];
  it.each([
    [['BEGIN:VTIMEZONE', `TZID:${own}`, 'END:VTIMEZONE'], 3, 'VTIMEZONE has neither STANDARD nor DAYLIGHT'],
    [standard(from, to), 5, 'STANDARD has no DTSTART'],
    [standard('DTSTART:20200103', from, to), 6, 'DTSTART expected such as 20261025T030000'],
    [standard(start, to), 5, 'STANDARD has no TZOFFSETFROM'],
    [standard(start, from), 5, 'STANDARD has no TZOFFSETTO'],
    [standard(start, from, 'TZOFFSETTO:soon'), 8, 'TZOFFSETTO expected such as +0100'],
    [standard(start, from, 'TZOFFSETTO:+9900'), 8, 'TZOFFSETTO expected such as +0100'],
    [
      standard(start, from, to, 'RRULE:FREQ=HOURLY'),
      9,
      'RRULE expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, not HOURLY',
    ],
  ])('is refused where it cannot be read: %j, line %i', (zone, line, message) => {
    const text = withZone(calendar([`DTSTART;TZID=${own}:20261225T080000`, 'DURATION:PT1H']), zone);
    expect(readCalendar(text)).toEqual({ kind: 'invalid', line, message });
    // Where nothing is in it, it harms nobody.
    expect(readCalendar(withZone(calendar(['DTSTART:20261225T080000Z']), zone))).toMatchObject({ kind: 'ok' });
  });

  it('may have a rule that never comes', () => {
    const zone = standard(start, from, to, 'RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO');
    const text = withZone(calendar([`DTSTART;TZID=${own}:20261225T080000`, 'DURATION:PT1H']), zone);
    expect(frozen(text, 'UTC')).toEqual(['2026-12-25T07:00:00Z 2026-12-25T08:00:00Z']);
  });

  it('is reckoned once for all the events of a file', () => {
    const event = [`DTSTART;TZID=${own}:20261225T080000`, 'DURATION:PT1H'];
    const text = withZone(calendar(...Array.from({ length: 2000 }, () => event)), windows);
    expect(eventsOf(text)).toHaveLength(2000);
  });
});

describe('a series', () => {
  it('keeps its local times over the change of the clock', () => {
    const lines = ['DTSTART;TZID=Europe/Zurich:20261018T220000', 'DTEND;TZID=Europe/Zurich:20261019T040000'];
    expect(frozen(calendar([...lines, 'RRULE:FREQ=WEEKLY;COUNT=3']))).toEqual([
      '2026-10-18T20:00:00Z 2026-10-19T02:00:00Z',
      '2026-10-25T21:00:00Z 2026-10-26T03:00:00Z',
      '2026-11-01T21:00:00Z 2026-11-02T03:00:00Z',
    ]);
  });

  it.each([
    ['in UTC, at the last of them', 'UNTIL=20261108T080000Z'],
    ['in UTC, a day later', 'UNTIL=20261109T000000Z'],
    ['as a date', 'UNTIL=20261108'],
  ])('ends with its UNTIL %s', (_what, until) => {
    const lines = ['DTSTART;TZID=Europe/Zurich:20261025T090000', 'DURATION:PT1H', `RRULE:FREQ=WEEKLY;${until}`];
    expect(frozen(calendar(lines)).map((span) => span.slice(0, 16))).toEqual([
      '2026-10-25T08:00',
      '2026-11-01T08:00',
      '2026-11-08T08:00',
    ]);
  });

  it.each([
    ['at their time', 'EXDATE;TZID=Europe/Zurich:20261101T090000'],
    ['at their time in UTC', 'EXDATE:20261101T080000Z'],
    ['at their time without a zone', 'EXDATE:20261101T090000'],
    ['by their date', 'EXDATE;VALUE=DATE:20261101'],
  ])('leaves exceptions out, written %s', (_what, exception) => {
    const lines = [
      'DTSTART;TZID=Europe/Zurich:20261025T090000',
      'DURATION:PT1H',
      'RRULE:FREQ=WEEKLY;COUNT=3',
      exception,
    ];
    expect(frozen(calendar(lines)).map((span) => span.slice(0, 10))).toEqual(['2026-10-25', '2026-11-08']);
  });

  it('that began before 1970 is on its days', () => {
    const lines = ['DTSTART;TZID=Europe/Zurich:19671225T080000', 'DURATION:PT2H', 'RRULE:FREQ=YEARLY;UNTIL=20270101'];
    expect(frozen(calendar(lines))).toEqual(['2026-12-25T07:00:00Z 2026-12-25T09:00:00Z']);
  });

  it('of whole days leaves dates out, and may be on dates by themselves', () => {
    const lines = ['DTSTART;VALUE=DATE:20261201', 'RRULE:FREQ=DAILY;COUNT=4', 'EXDATE;VALUE=DATE:20261202,20261203'];
    expect(frozen(calendar([...lines, 'RDATE;VALUE=DATE:20261224']))).toEqual([
      '2026-11-30T23:00:00Z 2026-12-01T23:00:00Z',
      '2026-12-03T23:00:00Z 2026-12-04T23:00:00Z',
      '2026-12-23T23:00:00Z 2026-12-24T23:00:00Z',
    ]);
  });

  it('has periods with an end of their own', () => {
    const lines = ['DTSTART:20261201T080000Z', 'DURATION:PT1H'];
    const periods = 'RDATE;VALUE=PERIOD:20261202T080000Z/20261202T120000Z,20261203T080000Z/PT3H';
    expect(frozen(calendar([...lines, periods]))).toEqual([
      '2026-12-01T08:00:00Z 2026-12-01T09:00:00Z',
      '2026-12-02T08:00:00Z 2026-12-02T12:00:00Z',
      '2026-12-03T08:00:00Z 2026-12-03T11:00:00Z',
    ]);
  });

  const series = [
    'UID:closing',
    'DTSTART;TZID=Europe/Zurich:20261025T090000',
    'DURATION:PT1H',
    'RRULE:FREQ=WEEKLY;COUNT=3',
  ];

  it('gives way to an event that takes the place of one of it', () => {
    const moved = [
      'UID:closing',
      'RECURRENCE-ID;TZID=Europe/Zurich:20261101T090000',
      'DTSTART:20261102T120000Z',
      'DURATION:PT2H',
    ];
    expect(frozen(calendar(series, moved))).toEqual([
      '2026-10-25T08:00:00Z 2026-10-25T09:00:00Z',
      '2026-11-02T12:00:00Z 2026-11-02T14:00:00Z',
      '2026-11-08T08:00:00Z 2026-11-08T09:00:00Z',
    ]);
    // In any order, and not for another series.
    expect(frozen(calendar(moved, series))).toHaveLength(3);
    expect(frozen(calendar(series, ['UID:other', ...moved.slice(1)]))).toHaveLength(4);
  });

  it('loses one that was cancelled alone', () => {
    const cancelled = ['UID:closing', 'RECURRENCE-ID:20261101T080000Z', 'DTSTART:20261101T080000Z', 'STATUS:CANCELLED'];
    expect(frozen(calendar(series, cancelled)).map((span) => span.slice(0, 10))).toEqual(['2026-10-25', '2026-11-08']);
  });

  it('without an end goes on until 2075', () => {
    const events = eventsOf(
      calendar(['DTSTART;VALUE=DATE:20261224', 'DTEND;VALUE=DATE:20261227', 'RRULE:FREQ=YEARLY']),
    );
    expect(events).toHaveLength(50);
    expect(events.at(-1)).toMatchObject({ from: '2075-12-24', until: '2075-12-26' });
  });
});

describe('a file that is no calendar', () => {
  const event = ['BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20261225', 'END:VEVENT'];
  const file = (...lines: readonly string[]) => ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR'].join('\n');
  it.each([
    ['', 1, 'expected BEGIN:VCALENDAR, with which a calendar file begins'],
    ['\n\n', 1, 'expected BEGIN:VCALENDAR, with which a calendar file begins'],
    ['<html>', 1, 'expected a line such as DTSTART:20261215T220000Z, not "<html>"'],
    ['SUMMARY:x', 1, 'expected BEGIN:VCALENDAR, with which a calendar file begins'],
    ['BEGIN:VEVENT\nEND:VEVENT', 1, 'expected BEGIN:VCALENDAR, not BEGIN:VEVENT'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR', 3, 'END:VCALENDAR does not end BEGIN:VEVENT of line 2'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225', 2, 'BEGIN:VEVENT has no END'],
    [file(...event, 'hello'), 5, 'expected a line such as DTSTART:20261215T220000Z, not "hello"'],
    [file('BEGIN:VEVENT', 'SUMMARY:x', 'END:VEVENT'), 2, 'VEVENT has no DTSTART'],
    [file('BEGIN:VEVENT', 'DTSTART:20260230', 'END:VEVENT'), 3, 'DTSTART has no date or time that there is'],
    [file('BEGIN:VEVENT', 'DTSTART:20261225T250000', 'END:VEVENT'), 3, 'DTSTART has no date or time that there is'],
    [file('BEGIN:VEVENT', 'DTSTART:soon', 'END:VEVENT'), 3, 'DTSTART has no date or time that there is'],
    [
      file('BEGIN:VEVENT', 'DTSTART;TZID=Mars/Base:20261225T080000', 'END:VEVENT'),
      3,
      'DTSTART is in time zone "Mars/Base", which is no IANA zone and which no VTIMEZONE of the file defines',
    ],
    [
      file('BEGIN:VEVENT', 'DTSTART:20261225T080000Z', 'DTEND:20261225T070000Z', 'END:VEVENT'),
      4,
      'DTEND is before DTSTART',
    ],
    [
      file('BEGIN:VEVENT', 'DTSTART:20261225T080000Z', 'DTEND;VALUE=DATE:20261226', 'END:VEVENT'),
      4,
      'DTEND is a date where DTSTART is none, or the reverse',
    ],
    [
      file('BEGIN:VEVENT', 'DTSTART:20261225T080000Z', 'DURATION:long', 'END:VEVENT'),
      4,
      'DURATION expected such as PT6H or P1D',
    ],
    [
      file('BEGIN:VEVENT', 'DTSTART:20261225T080000Z', 'DURATION:PT1S', 'RRULE:FREQ=SECONDLY', 'END:VEVENT'),
      5,
      'RRULE expected FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, not SECONDLY',
    ],
    [
      file('BEGIN:VEVENT', 'RECURRENCE-ID;RANGE=THISANDFUTURE:20261225', 'DTSTART:20261225', 'END:VEVENT'),
      3,
      'RECURRENCE-ID with RANGE is not understood; end the series and begin another',
    ],
    [
      file('BEGIN:VEVENT', 'DTSTART:20261225', 'EXDATE:never', 'END:VEVENT'),
      4,
      'EXDATE has no date or time that there is',
    ],
  ])('%j is refused at line %i: %s', (text, line, message) => {
    expect(readCalendar(text)).toEqual({ kind: 'invalid', line, message });
  });

  it('is one where it has no events at all', () => {
    expect(readCalendar('BEGIN:VCALENDAR\nEND:VCALENDAR\n')).toEqual({ kind: 'ok', events: [] });
  });

  it('may be several calendars, begin with a byte order mark, and have other components', () => {
    const todo = ['BEGIN:VTODO', 'DTSTART:nonsense', 'END:VTODO'];
    expect(eventsOf(`\uFEFF${file(...event, ...todo)}\n${file(...event)}`)).toHaveLength(2);
  });

  it('is refused where its rules make too many events', () => {
    const daily = ['DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=DAILY'];
    const answer = readCalendar(calendar(...Array.from({ length: 12 }, () => daily)));
    expect(answer).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/give it an UNTIL or COUNT$/) as unknown,
    });
  });

  it('is refused where its rules would have to be asked for too long, whether they make events or not', () => {
    const never = ['DTSTART;VALUE=DATE:20260101', 'RRULE:FREQ=DAILY;BYYEARDAY=366;BYMONTHDAY=1'];
    expect(readCalendar(calendar(...Array.from({ length: 300 }, () => never)))).toMatchObject({
      kind: 'invalid',
      message: expect.stringMatching(/^RRULE and those before it .* give them an UNTIL$/) as unknown,
    });
    const ended = never.map((line) => line.replace('BYYEARDAY', 'UNTIL=20261231;BYYEARDAY'));
    expect(eventsOf(calendar(...Array.from({ length: 300 }, () => ended)))).toHaveLength(300);
  });
});
