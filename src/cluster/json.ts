/** Guards for JSON of unknown shape: each answers a value of the wanted type, never throws. */
export type JsonRecord = Readonly<Record<string, unknown>>;

const emptyRecord: JsonRecord = Object.freeze({});
const emptyArray: readonly never[] = Object.freeze([]);
const emptyStrings: Readonly<Record<string, string>> = Object.freeze({});

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object, or an empty one. */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : emptyRecord;
}

/** The array, or an empty one. */
export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : emptyArray;
}

/** The objects of an array; anything else in it is left out. */
export function recordsOf(value: unknown): readonly JsonRecord[] {
  return arrayOf(value).filter(isRecord);
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The strings of an array. */
export function stringsOf(value: unknown): readonly string[] {
  const strings = arrayOf(value).filter((item): item is string => typeof item === 'string');
  return strings.length === 0 ? emptyArray : strings;
}

/** A finite number. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A map of strings such as labels; entries of another type are left out. Empty maps are one shared object. */
export function stringMapOf(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(recordOf(value)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === 0 ? emptyStrings : Object.fromEntries(entries);
}

/** Milliseconds since the epoch of an RFC 3339 time. */
export function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** The JSON value of a text; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
