import fc from 'fast-check';
import { createTask, validate } from 'node-cron';

/** Expressions of the dialect, as people write them: every form of every field, valid by their grammar. */
export const cronExpressions: fc.Arbitrary<string> = fc
  .record({
    second: fc.option(number(0, 59), { nil: undefined, freq: 4 }),
    minute: timeField(0, 59),
    hour: timeField(0, 23),
    dayOfMonth: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('*', '?') },
      { weight: 4, arbitrary: list(fc.oneof(number(1, 31), range(1, 31), dayOfMonthTerm())) },
    ),
    month: fc.oneof(
      { weight: 3, arbitrary: fc.constant('*') },
      { weight: 2, arbitrary: list(fc.oneof(number(1, 12), range(1, 12), fc.constantFrom('JAN', 'feb', 'October'))) },
    ),
    dayOfWeek: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom('*', '?') },
      { weight: 4, arbitrary: list(fc.oneof(weekday(), range(0, 7), dayOfWeekTerm(), namedRange())) },
    ),
  })
  .map(({ second, ...fields }) => [...(second === undefined ? [] : [second]), ...Object.values(fields)].join(' '));

/** Whether node-cron takes the expression. */
export const nodeCronTakes = validate;

/** Whether node-cron fires at these instants, in UTC. */
export function nodeCronMatches(expression: string, instants: readonly number[]): boolean[] {
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  const matches = instants.map((at) => task.match(new Date(at)));
  void task.destroy();
  return matches;
}

function number(min: number, max: number): fc.Arbitrary<string> {
  return fc.integer({ min, max }).map(String);
}

function timeField(min: number, max: number): fc.Arbitrary<string> {
  return fc.oneof({ weight: 4, arbitrary: number(min, max) }, list(fc.oneof(number(min, max), range(min, max))));
}

/** Also over the end (`22-2`), and with steps longer than the range. */
function range(min: number, max: number): fc.Arbitrary<string> {
  const step = fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined });
  const between = fc.tuple(number(min, max), number(min, max)).map(([from, until]) => `${from}-${until}`);
  return fc
    .tuple(fc.oneof(between, fc.constant('*')), step)
    .map(([text, by]) => (by === undefined ? text : `${text}/${String(by)}`));
}

function list(item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 4, arbitrary: item },
    fc.array(item, { minLength: 2, maxLength: 3 }).map((items) => items.join(',')),
  );
}

function weekday(): fc.Arbitrary<string> {
  return fc.oneof(number(0, 7), fc.constantFrom('MON', 'tue', 'Friday', 'SUN', 'saturday'));
}

function namedRange(): fc.Arbitrary<string> {
  return fc.constantFrom('MON-FRI', 'FRI-MON', 'sat-sun', 'TUE-THU/2');
}

function dayOfMonthTerm(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom('L', 'l', 'LW', 'lw'),
    fc.integer({ min: 1, max: 30 }).map((days) => `L-${String(days)}`),
    fc.integer({ min: 1, max: 31 }).map((day) => `${String(day)}W`),
  );
}

function dayOfWeekTerm(): fc.Arbitrary<string> {
  return fc.tuple(weekday(), fc.constantFrom('L', 'l', '#1', '#2', '#3', '#4', '#5')).map((parts) => parts.join(''));
}
