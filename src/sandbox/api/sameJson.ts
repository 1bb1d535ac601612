import { isRecord } from '../../cluster/json.js';

/** Whether two JSON values are the same; members that are undefined count as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  for (const key in a) if (!sameJson(a[key], b[key])) return false;
  for (const key in b) if (b[key] !== undefined && a[key] === undefined) return false;
  return true;
}

/** The value without members that are undefined, as it arrives after a journey as JSON; itself where there are none. */
export function asSent<T>(value: T): T;
export function asSent(value: unknown): unknown {
  if (Array.isArray(value)) {
    const sent: readonly unknown[] = value;
    const items = sent.map((item) => (item === undefined ? null : asSent(item)));
    return items.every((item, index) => item === sent[index]) ? sent : items;
  }
  if (!isRecord(value)) return value;
  let changed = false;
  const members: Record<string, unknown> = {};
  for (const key in value) {
    const member = value[key];
    if (member === undefined) {
      changed = true;
      continue;
    }
    members[key] = asSent(member);
    if (members[key] !== member) changed = true;
  }
  return changed ? members : value;
}
