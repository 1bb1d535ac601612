import { isRecord, parseJson } from '../../cluster/json.js';

/** Whether two JSON values are the same; members that are undefined count as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  let more = 0;
  for (const key in a) {
    if (a[key] === undefined) continue;
    if (!Object.hasOwn(b, key) || !sameJson(a[key], b[key])) return false;
    more += 1;
  }
  for (const key in b) if (b[key] !== undefined) more -= 1;
  return more === 0;
}

/** The value as it arrives after a journey as JSON, without members that are undefined; itself where there are none. */
export function asSent<T>(value: T): T;
export function asSent(value: unknown): unknown {
  return hasHoles(value) ? parseJson(JSON.stringify(value)) : value;
}

function hasHoles(value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => item === undefined || hasHoles(item));
  if (!isRecord(value)) return false;
  for (const key in value) if (value[key] === undefined || hasHoles(value[key])) return true;
  return false;
}
