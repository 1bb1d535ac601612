import type { JsonPatchOperation } from './clusterPort.js';
import type { NodeView } from './view.js';

/** The two maps of a node that people and programs write to. */
export interface NodeMetadata {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The kinds of entries, in the order in which they are patched. */
export const metadataKinds = ['annotations', 'labels'] as const satisfies readonly (keyof NodeMetadata)[];

/** The entry of this key; undefined where there is none. `constructor` is a key like any other. */
export function entryOf<T>(entries: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(entries, key) ? entries[key] : undefined;
}

/**
 * The patch that makes a node's annotations and labels what is wanted, and that is void where one that it changes is no
 * longer as it was seen. A `test` for null holds where the member is absent (evanphx/json-patch, which the API server
 * uses), but only below a map that is there.
 */
export function metadataPatch(node: NodeView, wanted: NodeMetadata): JsonPatchOperation[] {
  return metadataKinds.flatMap((kind) => {
    const keys = Object.keys({ ...node[kind], ...wanted[kind] }).filter(
      (key) => entryOf(node[kind], key) !== entryOf(wanted[kind], key),
    );
    if (keys.length === 0) return [];
    const path = `/metadata/${kind}`;
    const hasMap = Object.keys(node[kind]).length > 0;
    const tests = hasMap
      ? keys.map((key) => test(entryPath(kind, key), entryOf(node[kind], key) ?? null))
      : [test(path, null)];
    return [
      ...tests,
      // An entry can only be added to a map that is there.
      ...(hasMap ? [] : [{ op: 'add', path, value: {} } as const]),
      ...keys.map((key): JsonPatchOperation => {
        const value = entryOf(wanted[kind], key);
        if (value === undefined) return { op: 'remove', path: entryPath(kind, key) };
        return { op: 'add', path: entryPath(kind, key), value };
      }),
    ];
  });
}

function test(path: string, value: unknown): JsonPatchOperation {
  return { op: 'test', path, value };
}

/** A JSON pointer (RFC 6901) to an annotation or a label. */
function entryPath(kind: keyof NodeMetadata, key: string): string {
  return `/metadata/${kind}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
