import type { ApiObject, JsonPatchOperation } from '../../cluster/clusterPort.js';
import { isApiObject } from '../../cluster/apiObject.js';
import { isRecord } from '../../cluster/json.js';
import { sameJson } from './sameJson.js';

/**
 * The object after a JSON patch (RFC 6902), or undefined where it does not apply, as evanphx/json-patch decides in the
 * API server: a `test` for null holds where the member is absent but its parent is there, and `replace` also adds one.
 */
export function applyJsonPatch(object: ApiObject, operations: readonly JsonPatchOperation[]): ApiObject | undefined {
  let patched: unknown = object;
  for (const operation of operations) {
    const outcome = apply(patched, pointerOf(operation.path), operation);
    if (outcome === doesNotApply) return undefined;
    patched = outcome;
  }
  return isApiObject(patched) ? patched : undefined;
}

const doesNotApply = Symbol('does not apply');

/** The tokens of a JSON pointer (RFC 6901). */
function pointerOf(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A copy of `parent` in which the operation was done at `pointer`; what was not touched is shared. */
function apply(parent: unknown, pointer: readonly string[], operation: JsonPatchOperation): unknown {
  const [token, ...rest] = pointer;
  if (token === undefined) return doesNotApply;
  if (rest.length === 0) {
    if (isRecord(parent)) return applyToMember(parent, token, operation);
    return Array.isArray(parent) ? applyToItem(parent, token, operation) : doesNotApply;
  }
  const child: unknown = isRecord(parent)
    ? ownMember(parent, token)
    : Array.isArray(parent)
      ? parent[indexOf(token, parent.length - 1)]
      : undefined;
  const changed = apply(child, rest, operation);
  if (changed === doesNotApply || changed === child) return changed === child ? parent : changed;
  if (isRecord(parent)) return { ...parent, [token]: changed };
  return Array.isArray(parent) ? parent.with(indexOf(token, parent.length - 1), changed) : doesNotApply;
}

function applyToMember(parent: Readonly<Record<string, unknown>>, key: string, operation: JsonPatchOperation): unknown {
  const before = ownMember(parent, key);
  switch (operation.op) {
    case 'test':
      return isSame(before, operation.value) ? parent : doesNotApply;
    case 'add':
    case 'replace':
      return { ...parent, [key]: operation.value };
    case 'remove': {
      if (before === undefined) return doesNotApply;
      const { [key]: _removed, ...others } = parent;
      return others;
    }
  }
}

function applyToItem(parent: readonly unknown[], token: string, operation: JsonPatchOperation): unknown {
  if (operation.op === 'add') {
    const index = token === '-' ? parent.length : indexOf(token, parent.length);
    return index < 0 ? doesNotApply : parent.toSpliced(index, 0, operation.value);
  }
  const index = indexOf(token, parent.length - 1);
  if (index < 0) return doesNotApply;
  switch (operation.op) {
    case 'test':
      return isSame(parent[index], operation.value) ? parent : doesNotApply;
    case 'replace':
      return parent.with(index, operation.value);
    case 'remove':
      return parent.toSpliced(index, 1);
  }
}

function isSame(found: unknown, wanted: unknown): boolean {
  return sameJson(found ?? null, wanted ?? null);
}

/** -1 where it is no index up to `last`. */
function indexOf(token: string, last: number): number {
  if (!/^(0|[1-9]\d*)$/.test(token)) return -1;
  const index = Number(token);
  return index <= last ? index : -1;
}

function ownMember(record: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
