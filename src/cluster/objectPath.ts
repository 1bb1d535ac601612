import { arrayOf, isRecord } from './json.js';

/** A place, or several, in an object of the API. Texts become one in parseObjectPath.ts. */
export interface ObjectPath {
  /** As written, without braces. */
  readonly text: string;
  readonly steps: readonly PathStep[];
}

/** `upTo` is the text of the path up to and with this step. */
export type PathStep = Step & { readonly upTo: string };

export type Step =
  | { readonly kind: 'key'; readonly key: string }
  /** Negative: counted from the end. */
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'every' }
  /** The members that have, or have not, `value` at `path`. Values compare as they are printed. */
  | { readonly kind: 'where'; readonly path: readonly PathStep[]; readonly equal: boolean; readonly value: string };

/** What stands at the place: texts as kubectl prints them. */
export type PathReading =
  /** At least one. */
  | { readonly kind: 'values'; readonly values: readonly string[] }
  /** `upTo`: the first part of the path where nothing is, or null. */
  | { readonly kind: 'absent'; readonly upTo: string }
  /** A list or a mapping, which is no text. */
  | { readonly kind: 'not-a-text'; readonly found: 'a list' | 'a mapping' };

/** Reads an object at the path. Only the steps are followed: nothing that is written in a path is ever evaluated. */
export function readAtPath(object: unknown, path: ObjectPath): PathReading {
  let found: readonly unknown[] = [object];
  for (const step of path.steps) {
    found = after(found, step);
    if (found.length === 0) return { kind: 'absent', upTo: step.upTo };
  }
  const values: string[] = [];
  for (const value of found) {
    const text = textOf(value);
    if (text === undefined) return { kind: 'not-a-text', found: Array.isArray(value) ? 'a list' : 'a mapping' };
    values.push(text);
  }
  return { kind: 'values', values };
}

function after(values: readonly unknown[], step: Step): readonly unknown[] {
  return values.flatMap((value) => below(value, step)).filter((value) => value !== undefined && value !== null);
}

function below(value: unknown, step: Step): readonly unknown[] {
  switch (step.kind) {
    case 'key':
      return isRecord(value) && Object.hasOwn(value, step.key) ? [value[step.key]] : [];
    case 'index':
      return [arrayOf(value).at(step.index)];
    case 'every':
      return membersOf(value);
    case 'where':
      return membersOf(value).filter((member) => {
        // As in kubectl, a member without the field matches neither == nor != (client-go, util/jsonpath/jsonpath.go).
        const texts = step.path.reduce<readonly unknown[]>(after, [member]).map(textOf);
        return texts.length > 0 && texts.includes(step.value) === step.equal;
      });
  }
}

function membersOf(value: unknown): readonly unknown[] {
  return isRecord(value) ? Object.values(value) : arrayOf(value);
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
