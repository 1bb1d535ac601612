import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { TurnusError } from '../turnusError.js';

/** Deeper values are refused, so that a hostile line cannot exhaust the stack. */
const deepestLevel = 64;

/**
 * The one spelling of a JSON value (RFC 8785): members sorted by UTF-16 units, numbers as ECMAScript writes them, no
 * white space. Like JSON.stringify it leaves out members that are undefined and asks `toJSON`; unlike it, it throws a
 * TurnusError (`not-json`) for everything that JSON cannot carry: NaN, functions, bigints, maps, lone surrogates.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(jsonValue(value, '$', []));
  if (text === undefined) throw notJson('$', 'is undefined');
  return text;
}

/** Hexadecimal SHA-256 of {@link canonicalJson}, as UTF-8. */
export function canonicalDigest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value), 'utf8').digest('hex');
}

function jsonValue(value: unknown, path: string, ancestors: readonly object[]): unknown {
  switch (typeof value) {
    case 'string':
      if (/\p{Cs}/u.test(value)) throw notJson(path, 'holds half a surrogate pair');
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, `is ${String(value)}`);
      return value;
    case 'boolean':
      return value;
    case 'object':
      return value === null ? null : jsonObject(value, path, ancestors);
    default:
      throw notJson(path, `is of type ${typeof value}`);
  }
}

function jsonObject(value: object, path: string, ancestors: readonly object[]): unknown {
  if (ancestors.includes(value)) throw notJson(path, 'contains itself');
  if (ancestors.length >= deepestLevel) throw notJson(path, `is nested deeper than ${deepestLevel} levels`);
  const inside = [...ancestors, value];
  if (hasToJson(value)) return jsonValue(value.toJSON(), path, inside);
  if (Array.isArray(value)) {
    // Array.from also visits holes, which map would leave out.
    return Array.from<unknown, unknown>(value, (item, place) =>
      item === undefined ? null : jsonValue(item, `${path}[${place}]`, inside),
    );
  }
  if (!isPlainObject(value)) throw notJson(path, `is a ${value.constructor.name}, not a plain object`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([name, member]) => [
      jsonValue(name, `a name in ${path}`, inside),
      jsonValue(member, `${path}.${name}`, inside),
    ]),
  );
}

/** True for what `{…}` and JSON.parse make, and for objects without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** True for dates and other objects that say themselves what they are in JSON. */
export function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function notJson(path: string, problem: string): TurnusError {
  return new TurnusError({
    code: 'not-json',
    message: `A value cannot be written as JSON: ${path} ${problem}`,
    hint: 'This is a defect in Turnus: please report it with this message.',
    exitCode: 1,
  });
}
