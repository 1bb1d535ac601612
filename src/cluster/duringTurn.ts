import { parseJson, recordOf } from './json.js';
import { marks } from './marks.js';
import { entryOf, metadataKinds, type NodeMetadata } from './nodeMetadata.js';
import type { NodeView } from './view.js';

/** Annotations and labels that a node carries while it has its turn (the playbook's `duringTurn`). */
export type DuringTurn = NodeMetadata;

export const nothingDuringTurn: DuringTurn = { annotations: {}, labels: {} };

/** One entry as it was set, and what stood there before; null where nothing did. */
interface SetEntry {
  readonly set: string;
  readonly former: string | null;
}

/**
 * What the node itself keeps of it, in an annotation that comes and goes in the same patch as the entries: so it says
 * what is to be restored to whoever comes, also where every other record is lost.
 */
type SetEntries = Readonly<Record<keyof NodeMetadata, Readonly<Record<string, SetEntry>>>>;

/** Does the node carry exactly these entries of ours, whatever became of their values since? */
export function carriesDuringTurn(node: NodeView, wanted: DuringTurn): boolean {
  const entries = setEntriesOf(node);
  return metadataKinds.every((kind) => {
    const keys = Object.keys(wanted[kind]);
    return (
      keys.length === Object.keys(entries[kind]).length &&
      keys.every((key) => entryOf(entries[kind], key)?.set === wanted[kind][key])
    );
  });
}

/** The node's annotations and labels with these entries set, and what stands there from an earlier turn restored first. */
export function withDuringTurn(node: NodeView, wanted: DuringTurn): NodeMetadata {
  const before = withoutDuringTurn(node);
  const entries = Object.fromEntries(
    metadataKinds.map((kind) => [
      kind,
      Object.fromEntries(
        Object.entries(wanted[kind]).map(([key, set]): [string, SetEntry] => [
          key,
          { set, former: entryOf(before[kind], key) ?? null },
        ]),
      ),
    ]),
  );
  const isNone = metadataKinds.every((kind) => Object.keys(wanted[kind]).length === 0);
  const record = isNone ? {} : { [marks.duringTurn]: JSON.stringify(entries) };
  return {
    annotations: { ...before.annotations, ...wanted.annotations, ...record },
    labels: { ...before.labels, ...wanted.labels },
  };
}

/**
 * The node's annotations and labels with the former values restored. An entry that somebody has changed since is theirs:
 * it stays as it is.
 */
export function withoutDuringTurn(node: NodeView): NodeMetadata {
  const entries = setEntriesOf(node);
  const [annotations, labels] = metadataKinds.map((kind) => {
    const restored = new Map(Object.entries(node[kind]));
    for (const [key, { set, former }] of Object.entries(entries[kind])) {
      if (restored.get(key) !== set) continue;
      if (former === null) restored.delete(key);
      else restored.set(key, former);
    }
    return restored;
  });
  annotations?.delete(marks.duringTurn);
  return { annotations: Object.fromEntries(annotations ?? []), labels: Object.fromEntries(labels ?? []) };
}

/** What cannot be read is as good as not there: nothing is restored on a guess. */
function setEntriesOf(node: NodeView): SetEntries {
  const text = node.annotations[marks.duringTurn];
  const record = text === undefined ? {} : recordOf(parseJson(text));
  const read = (kind: keyof NodeMetadata) =>
    Object.fromEntries(
      Object.entries(recordOf(record[kind])).flatMap(([key, value]): [string, SetEntry][] => {
        const { set, former } = recordOf(value);
        if (typeof set !== 'string' || (typeof former !== 'string' && former !== null)) return [];
        return [[key, { set, former }]];
      }),
    );
  return { annotations: read('annotations'), labels: read('labels') };
}
