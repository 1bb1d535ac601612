import { isMap, isPair, isScalar, LineCounter, parseDocument, Scalar, visit } from 'yaml';
import type { Document, Node, Pair, YAMLMap } from 'yaml';
import type { FieldPath } from './mistake.js';

/** A parsed YAML text that still knows where everything stands. */
export interface YamlSource {
  readonly document: Document;
  readonly lines: LineCounter;
  /** The content as plain values; undefined where it could not be built. Not checked in any way. */
  readonly content: unknown;
  readonly faults: readonly YamlFault[];
}

/** Something that is wrong with the YAML itself. */
export interface YamlFault {
  /** Characters before the place. */
  readonly offset: number;
  readonly path: FieldPath;
  readonly message: string;
  /** True where what follows in the text may have been understood wrongly. */
  readonly misleading: boolean;
  /** True where the value at `path` is unknown, so that nothing else can be said about it. */
  readonly unknownValue?: true;
}

const maxAliases = 100;

/** Reads one YAML 1.2 document. Never throws: whatever is wrong with the text is a fault with a position. */
export function parseYamlSource(text: string): YamlSource {
  const lines = new LineCounter();
  const tooDeep = offsetOfDeepNesting(text);
  if (tooDeep !== undefined) {
    const document = parseDocument('');
    addLineStarts(lines, text);
    return { document, lines, content: undefined, faults: [fault(tooDeep, 'nests deeper than any playbook does')] };
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    uniqueKeys: false,
  });
  const faults = [...syntaxFaults(document), ...duplicateKeys(document, lines), ...aliasFaults(document)];
  const version = document.directives.yaml;
  if (version.explicit === true && version.version !== '1.2') {
    faults.push(
      fault(0, 'is marked as YAML 1.1 by a %YAML directive; a playbook is YAML 1.2, so leave the directive out'),
    );
  }
  if (faults.some(({ message }) => message === tooManyAliases)) return { document, lines, content: undefined, faults };
  const content = contentOf(document, faults);
  return { document, lines, content, faults };
}

/** Plain values of the document. Aliases without an anchor and aliases of aliases beyond all measure end up as faults. */
function contentOf(document: Document, faults: YamlFault[]): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases }) as unknown;
  } catch {
    if (faults.length === 0) faults.push(fault(0, tooManyAliases));
    return undefined;
  }
}

const tooManyAliases = `uses more than ${maxAliases} aliases, or aliases of aliases that grow beyond measure; write the values out`;

/** The first hundred: one misplaced character can raise hundreds of thousands, which tell nothing more. */
function syntaxFaults(document: Document): YamlFault[] {
  return [...document.errors, ...document.warnings].slice(0, 100).map((error) => {
    const at = error.pos[0];
    switch (error.code) {
      case 'MULTIPLE_DOCS':
        return {
          ...fault(at, 'a second YAML document begins here; a playbook is one document in one file'),
          misleading: false,
        };
      case 'TAB_AS_INDENT':
        return fault(at, 'a tab indents this line; YAML allows only spaces there');
      case 'TAG_RESOLVE_FAILED':
        return { ...fault(at, 'this YAML tag is not known; write the value without a tag'), misleading: false };
      default:
        return fault(at, `is not YAML: ${error.message.replaceAll(/\s+/g, ' ')}`);
    }
  });
}

/** yaml's own check compares every key with every other, which a large file turns into minutes. */
function duplicateKeys(document: Document, lines: LineCounter): YamlFault[] {
  const faults: YamlFault[] = [];
  visit(document, {
    Map(_, map: YAMLMap, ancestors) {
      const first = new Map<string, number>();
      for (const pair of map.items) {
        if (!isScalar(pair.key)) continue;
        const name = keyName(pair.key);
        const offset = startOf(pair.key) ?? 0;
        const known = first.get(name);
        if (known === undefined) first.set(name, offset);
        else {
          const message = `is written twice; it is already in line ${lines.linePos(known).line}`;
          faults.push({ offset, path: [...pathOf(ancestors, map), name], message, misleading: false });
        }
      }
    },
  });
  return faults;
}

/** Takes aliases that stand for nothing out of the document, so that the rest of it can be checked. */
function aliasFaults(document: Document): YamlFault[] {
  const faults: YamlFault[] = [];
  let aliases = 0;
  visit(document, {
    Alias(_, alias, ancestors) {
      aliases += 1;
      const offset = startOf(alias) ?? 0;
      if (aliases > maxAliases) {
        faults.push(fault(offset, tooManyAliases));
        return visit.BREAK;
      }
      if (alias.resolve(document) !== undefined) return undefined;
      const message = `there is no anchor &${alias.source} before this alias`;
      faults.push({ offset, path: pathOf(ancestors, alias), message, misleading: false, unknownValue: true });
      const nothing = new Scalar(null);
      nothing.range = alias.range ?? null;
      return nothing;
    },
  });
  return faults;
}

/** The path of a node from the nodes around it, as `visit` hands them over. */
function pathOf(ancestors: readonly (Document | Node | Pair)[], node: Node): FieldPath {
  const chain = [...ancestors, node];
  const path: (string | number)[] = [];
  chain.forEach((around, place) => {
    const inside = chain[place + 1];
    if (isPair(around) && isScalar(around.key)) path.push(keyName(around.key));
    else if (inside !== undefined && 'items' in around && !isMap(around)) {
      const items: readonly unknown[] = around.items;
      path.push(items.indexOf(inside));
    }
  });
  return path;
}

/** The key as it becomes the name of a field: `1` too is a text there, and an empty key is ''. */
export function keyName(key: Scalar): string {
  const { value } = key;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : '';
}

/** Offset of the first character of a node; undefined for one that is not in the text. */
export function startOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)
    ? (node.range[0] as number)
    : undefined;
}

/**
 * Where the text opens far more levels than a playbook has. Parsing tens of thousands of levels ends the process (the
 * parser recurses), so that this is looked at before.
 */
function offsetOfDeepNesting(text: string): number | undefined {
  const run = /^[ \t]*(?:[-?:][ \t]+){30}|^ {200}/m.exec(text);
  if (run !== null) return run.index;
  let open = 0;
  for (const bracket of text.matchAll(/[[\]{}]/g)) {
    open = Math.max(0, open + (bracket[0] === '[' || bracket[0] === '{' ? 1 : -1));
    if (open > 100) return bracket.index;
  }
  return undefined;
}

function addLineStarts(lines: LineCounter, text: string): void {
  lines.addNewLine(0);
  for (const end of text.matchAll(/\n/g)) lines.addNewLine(end.index + 1);
}

function fault(offset: number, message: string): YamlFault {
  return { offset, path: [], message, misleading: true };
}
