import { z } from 'zod';
import { parseLabelSelector } from '../cluster/labelSelector.js';
import { parseObjectPath } from '../cluster/parseObjectPath.js';
import { parseDuration } from '../time/duration.js';
import { dataKey, objectName, writtenPath } from './fileFields.js';
import { suggestion } from './suggestion.js';

/*
 * The kinds of fields a playbook is made of. Every message says what is expected ("expected …"); issueWording.ts adds
 * what was found. Every kind takes the field's description, which editors and docs/playbook.md show; `title` names the
 * kind there, where the JSON schema does not tell.
 */

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

export const booleanExpected = 'expected true or false';

/** Fields with fixed names. The issue about unknown keys carries the allowed ones, for issueWording.ts. */
export function mapping<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z
    .strictObject(shape, {
      error: (issue) => (issue.code === 'unrecognized_keys' ? keys : `expected a mapping with ${keys}`),
    })
    .describe(description);
}

export function listOf<Item extends z.ZodType>(description: string, item: Item, what: string) {
  return z.array(item, { error: `expected a list of ${what}` }).describe(description);
}

export function oneOf<const Values extends readonly [string, ...string[]]>(description: string, values: Values) {
  return z.enum(values, { error: `expected ${alternatives(values)}` }).describe(description);
}

export function flag(description: string) {
  return z.boolean({ error: booleanExpected }).describe(description);
}

/** `90s`, `15m`, `1h30m`; longer than nothing unless `zero`, at most 7 days unless `longestDays`. */
export function duration(description: string, bounds: { readonly zero?: boolean; readonly longestDays?: number } = {}) {
  const expected = 'expected a duration such as 90s, 15m or 1h30m';
  const longestDays = bounds.longestDays ?? 7;
  return z
    .string({ error: expected })
    .regex(/^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/, { error: expected, abort: true })
    .refine((text) => bounds.zero === true || parseDuration(text) !== 0, {
      error: 'expected a duration longer than 0s',
    })
    .refine((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= longestDays * dayMs, {
      error: `expected a duration of at most ${longestDays}d`,
    })
    .meta({ title: durationTitle(bounds), description });
}

function durationTitle({ zero, longestDays }: { readonly zero?: boolean; readonly longestDays?: number }): string {
  return `duration${longestDays === undefined ? '' : `, at most \`${longestDays}d\``}${zero === true ? ', or `0s`' : ''}`;
}

export function wholeNumber(description: string, range: { readonly min: number; readonly max: number }) {
  return integer(range, `expected a whole number from ${range.min} to ${range.max}`).describe(description);
}

/** A number or a share: `2` or `50%`. */
export function count(description: string, range: { readonly min: 0 | 1 }) {
  const error = `expected a whole number from ${range.min}, or a share from ${range.min}% to 100%`;
  const percent = range.min === 0 ? /^(100|[1-9]?\d)%$/ : /^(100|[1-9]\d?)%$/;
  return z
    .union([integer({ min: range.min, max: 10_000 }, error), z.string({ error }).regex(percent, { error })], { error })
    .describe(description);
}

function integer(range: { readonly min: number; readonly max: number }, error: string) {
  return z.int({ error, abort: true }).min(range.min, { error }).max(range.max, { error });
}

export function text(description: string, pattern: RegExp, expected: string) {
  const error = `expected ${expected}`;
  return z.string({ error }).regex(pattern, { error }).describe(description);
}

/** A file that the playbook refers to. */
export function file(description: string) {
  const reference = (kind: string) =>
    mapping(`Name and key of a ${kind} in Turnus' namespace.`, {
      name: text(`Name of the ${kind}.`, objectName, `the name of a ${kind}`),
      key: text(`Key in its data.`, dataKey, 'a key of its data'),
    });
  return mapping(description, {
    path: text(
      'Path of the file: absolute, below the home directory (`~/`) or relative to the playbook. In a Playbook object it is absolute.',
      writtenPath,
      'the path of a file: absolute, relative to the playbook, or below the home directory as ~/',
    ).optional(),
    configMapKeyRef: reference('ConfigMap').optional(),
    secretKeyRef: reference('Secret').optional(),
  })
    .refine((value) => Object.values(value).filter((source) => source !== undefined).length === 1, {
      error: 'expected exactly one of path, configMapKeyRef, secretKeyRef',
    })
    .meta({ description, minProperties: 1, maxProperties: 1 });
}

/** A label selector in kubectl's syntax. */
export function labelSelector(description: string) {
  const expected = 'expected a label selector such as pool=workers or "tier in (web,db),!spot"';
  return z
    .string({ error: expected })
    .max(4096, { error: 'expected a label selector of at most 4096 characters', abort: true })
    .superRefine((value, context) => {
      const parsed = parseLabelSelector(value);
      if (parsed.kind === 'invalid') context.addIssue({ code: 'custom', message: `${expected}; ${parsed.message}` });
    })
    .meta({ title: 'selector', description });
}

/** The path of a field of an object, in kubectl's JSONPath. */
export function objectPath(description: string) {
  const expected = 'expected a path such as .status.ceph.health or .status.conditions[?(@.type=="Ready")].status';
  return z
    .string({ error: expected })
    .max(1024, { error: 'expected a path of at most 1024 characters', abort: true })
    .superRefine((value, context) => {
      const parsed = parseObjectPath(value);
      if (parsed.kind === 'invalid') context.addIssue({ code: 'custom', message: `${expected}; ${parsed.message}` });
    })
    .meta({ title: 'path in an object', description });
}

/** The key of a label, with or without a prefix. */
export function labelKey(description: string) {
  const error = 'expected a label key such as turnus.dev/exclude';
  return z
    .string({ error })
    .max(317, { error, abort: true })
    .refine(isLabelKey, { error })
    .meta({ title: 'label key', description });
}

/** Is this the key of a label or an annotation, with or without a prefix? */
export function isLabelKey(text: string): boolean {
  const parsed = parseLabelSelector(text);
  if (parsed.kind !== 'ok') return false;
  const [requirement, ...others] = parsed.selector.matchExpressions;
  return others.length === 0 && requirement?.operator === 'Exists' && requirement.key === text;
}

/** A name in the IANA time zone database, such as Europe/Zurich. */
export function timeZone(description: string) {
  return z
    .string({ error: 'expected an IANA time zone such as Europe/Zurich' })
    .superRefine((value, context) => {
      if (isTimeZone(value)) return;
      const near = suggestion(value, Intl.supportedValuesOf('timeZone'));
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      context.addIssue({ code: 'custom', message: `expected an IANA time zone such as Europe/Zurich${hint}` });
    })
    .meta({ title: 'time zone', description });
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** `a, b or c` */
function alternatives(values: readonly string[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1) ?? ''}`;
}
