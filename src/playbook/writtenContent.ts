import type { FieldPath } from './mistake.js';

/*
 * Looking into a playbook as it was parsed, before the schema has said what it is: so that rules can speak about one
 * field although another one is wrong.
 */

/** Something written in the file and where. */
export interface WrittenValue {
  readonly path: FieldPath;
  readonly value: unknown;
}

/** The places that `field` means, with what is written there; `*` is every position of a list. */
export function valuesAt(content: unknown, field: readonly string[]): WrittenValue[] {
  let found: WrittenValue[] = [{ path: [], value: content }];
  for (const segment of field) found = found.flatMap((place) => below(place, segment));
  return found;
}

/** What is written at `path`; undefined where nothing is. */
export function valueAt(content: unknown, path: FieldPath): unknown {
  let value = content;
  for (const segment of path) {
    if (Array.isArray(value)) value = typeof segment === 'number' ? (value[segment] as unknown) : undefined;
    else value = ownValue(value, String(segment));
  }
  return value;
}

function below(place: WrittenValue, segment: string): WrittenValue[] {
  if (Array.isArray(place.value)) {
    return segment === '*' ? place.value.map((value: unknown, index) => ({ path: [...place.path, index], value })) : [];
  }
  const value = ownValue(place.value, segment);
  return value === undefined ? [] : [{ path: [...place.path, segment], value }];
}

function ownValue(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value as unknown;
}
