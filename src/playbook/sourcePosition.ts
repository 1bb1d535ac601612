import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import type { Problem } from './mistake.js';
import { keyName, startOf } from './yamlSource.js';

/** Where the key or value that a problem means stands in the text. */
export interface ProblemPlace {
  readonly offset: number;
  /** Offset behind the value; undefined where nothing is written there. */
  readonly end: number | undefined;
}

/**
 * Where the field is not written, the place is that of the nearest key around it; 0 where the document is empty.
 * Aliases lead to the values they stand for.
 */
export function placeOfProblem(document: Document, problem: Problem): ProblemPlace {
  let node: Node | null = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [place, segment] of problem.path.entries()) {
    const last = place === problem.path.length - 1;
    const found = child(resolved(document, node), segment);
    if (found === undefined) return { offset, end: undefined };
    node = found.value;
    offset = startOf(found.key) ?? startOf(found.value) ?? offset;
    if (last && problem.at === 'value' && !isEmpty(found.value)) offset = startOf(found.value) ?? offset;
  }
  return { offset, end: isEmpty(node) ? undefined : (node?.range?.[1] ?? undefined) };
}

function child(node: Node | null, segment: string | number): { key: unknown; value: Node | null } | undefined {
  if (isSeq<Node | null>(node) && typeof segment === 'number') {
    return segment < node.items.length ? { key: undefined, value: node.items[segment] ?? null } : undefined;
  }
  if (!isMap<Node, Node | null>(node)) return undefined;
  // The last of two equal keys is the one whose value counts.
  const pair = node.items.findLast(
    (each: Pair<Node, Node | null>) => isScalar(each.key) && keyName(each.key) === String(segment),
  );
  return pair === undefined ? undefined : { key: pair.key, value: pair.value };
}

function resolved(document: Document, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

/** Nothing is written after the key. */
function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? '') === '');
}
