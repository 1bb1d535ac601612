import { isRecord, type JsonRecord } from '../../cluster/json.js';

/** The value after a JSON merge patch (RFC 7386); what was not touched is shared. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, { nullRemoves: true });
}

/** Server-side apply, simplified: everything the body says holds afterwards, nobody's fields are given up. */
export function applyConfiguration(target: unknown, body: unknown): unknown {
  return merge(target, body, { nullRemoves: false });
}

/**
 * The value after a strategic merge patch, for what kubectl sends: lists with a merge key are merged by it, others are
 * replaced (staging/src/k8s.io/api/core/v1/types.go, patchMergeKey; a node's taints have none).
 */
export function applyStrategicPatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, { nullRemoves: true, keys: mergeKeys });
}

const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  addresses: 'type',
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  ownerReferences: 'uid',
};

interface MergeRules {
  readonly nullRemoves: boolean;
  /** By the name of a list, what its items are told apart by. */
  readonly keys?: Readonly<Record<string, string>>;
}

function merge(target: unknown, patch: unknown, rules: MergeRules): unknown {
  if (!isRecord(patch)) return patch;
  if (rules.keys !== undefined && patch['$patch'] === 'replace') return withoutDirectives(patch);
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (rules.keys !== undefined && name.startsWith('$')) {
      removePrimitives(merged, name, value);
    } else if (value === null && rules.nullRemoves) {
      Reflect.deleteProperty(merged, name);
    } else {
      const key = rules.keys?.[name];
      const before = Object.hasOwn(merged, name) ? merged[name] : undefined;
      merged[name] =
        key !== undefined && Array.isArray(value) && Array.isArray(before)
          ? mergeItems(before, value, key, rules)
          : merge(before, value, rules);
    }
  }
  return merged;
}

function mergeItems(before: readonly unknown[], patch: readonly unknown[], key: string, rules: MergeRules): unknown[] {
  const merged = [...before];
  for (const item of patch) {
    if (!isRecord(item)) continue;
    const index = merged.findIndex((candidate) => isRecord(candidate) && candidate[key] === item[key]);
    if (item['$patch'] === 'delete') {
      if (index >= 0) merged.splice(index, 1);
    } else if (index >= 0) merged[index] = merge(merged[index], item, rules);
    else merged.push(merge(undefined, item, rules));
  }
  return merged;
}

/** `$deleteFromPrimitiveList/finalizers: [x]`; the order of elements is not kept. */
function removePrimitives(merged: Record<string, unknown>, directive: string, value: unknown): void {
  const [what, name = ''] = directive.split('/');
  const list = merged[name];
  if (what !== '$deleteFromPrimitiveList' || !Array.isArray(list) || !Array.isArray(value)) return;
  merged[name] = list.filter((item) => !value.includes(item));
}

function withoutDirectives(patch: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(patch).filter(([name]) => !name.startsWith('$')));
}
