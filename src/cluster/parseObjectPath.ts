import type { ObjectPath, PathStep, Step } from './objectPath.js';

export type ParsedObjectPath =
  { readonly kind: 'ok'; readonly path: ObjectPath } | { readonly kind: 'invalid'; readonly message: string };

/**
 * Reads a path in kubectl's JSONPath as far as that names places: `.key`, `['a.b/c']`, `[0]`, `[-1]`, `[*]` and
 * `[?(@.type=="Ready")]`. A dot inside a key may also be written `\.`, and braces may stand around the whole.
 * What is wrong with a text is said in one sentence, with the character where it begins.
 */
export function parseObjectPath(text: string): ParsedObjectPath {
  return new PathReader(text).read();
}

/** Each part answers undefined where it cannot be read; the first that could not has said why. */
class PathReader {
  readonly #text: string;
  #at = 0;
  #problem: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ParsedObjectPath {
    const isBraced = this.#accept('{');
    const from = this.#at;
    const steps = this.#steps();
    const path = { text: this.#text.slice(from, this.#at), steps };
    const isComplete = steps.length > 0 && (!isBraced || this.#accept('}')) && this.#at === this.#text.length;
    if (this.#problem === undefined && isComplete) return { kind: 'ok', path };
    if (this.#problem === undefined) this.#fail(this.#objection());
    return { kind: 'invalid', message: this.#problem ?? '' };
  }

  /** As many steps as there are. */
  #steps(): PathStep[] {
    const from = this.#at;
    const steps: PathStep[] = [];
    for (let step = this.#step(); step !== undefined; step = this.#step()) {
      steps.push({ ...step, upTo: this.#text.slice(from, this.#at) });
    }
    return steps;
  }

  #step(): Step | undefined {
    if (this.#accept('[')) return this.#inBrackets();
    const key = this.#match(/\.(?:\\.|[^\\.[\](){}'"*\s,;$@=!<>?&|])+/suy);
    return key === undefined ? undefined : { kind: 'key', key: unescaped(key.slice(1)) };
  }

  #inBrackets(): Step | undefined {
    const step = this.#bracketContent();
    if (step === undefined || this.#accept(']')) return step;
    return /^\s*[:,]/.test(this.#text.slice(this.#at))
      ? this.#fail('ranges and several members at once are not supported: name one member, or write [*]')
      : this.#fail('a closing ] is missing');
  }

  #bracketContent(): Step | undefined {
    if (this.#accept('*')) return { kind: 'every' };
    if (this.#accept('?(')) return this.#filter();
    const index = this.#match(/-?\d{1,6}(?!\d)/y);
    if (index !== undefined) return { kind: 'index', index: Number(index) };
    const key = this.#quoted();
    if (key !== undefined) return { kind: 'key', key };
    return this.#fail('in brackets stands a key in quotes, a number, * or a filter such as ?(@.type=="Ready")');
  }

  #filter(): Step | undefined {
    this.#space();
    if (!this.#accept('@')) return this.#fail('a filter begins with @, as in ?(@.type=="Ready")');
    const path = this.#steps();
    this.#space();
    const operator = this.#match(/[=!]=/y);
    if (operator === undefined) return this.#fail('a filter compares by == or !=, as in ?(@.type=="Ready")');
    this.#space();
    const value = this.#quoted() ?? this.#match(/-?\d+(\.\d+)?|true|false/y);
    if (value === undefined) return this.#fail('a filter compares with a text in quotes, a number, true or false');
    this.#space();
    if (!this.#accept(')')) return this.#fail('a filter is one comparison and ends with )');
    return { kind: 'where', path, equal: operator === '==', value };
  }

  #quoted(): string | undefined {
    const text = this.#match(/'(?:\\.|[^\\'])*'|"(?:\\.|[^\\"])*"/suy);
    return text === undefined ? undefined : unescaped(text.slice(1, -1));
  }

  #space(): void {
    this.#match(/\s+/y);
  }

  #accept(token: string): boolean {
    const isThere = this.#text.startsWith(token, this.#at);
    if (isThere) this.#at += token.length;
    return isThere;
  }

  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** What is wrong with that which comes next. */
  #objection(): string {
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith('..')) return '".." (search at any depth) is not supported: name each field';
    if (rest.startsWith('.*')) return 'write [*] for every member';
    if (rest.startsWith('.')) return 'a field is missing after the dot';
    if (rest.startsWith('=')) return 'a comparison has no place here: what is wanted stands in the field in';
    if (this.#at <= 1) return 'begin with a dot and a field, such as .status';
    return rest === '' ? 'the closing } is missing' : `${JSON.stringify(rest.slice(0, 20))} cannot be read`;
  }

  #fail(message: string): Step | undefined {
    this.#problem ??= `character ${this.#at + 1}: ${message}`;
    return undefined;
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gsu, '$1');
}
