/** An ssh_config file, read but not yet judged: what a line means is decided for the host that it would apply to. */
export interface SshConfigFile {
  /** As given; messages name lines as `path:line`. */
  readonly path: string;
  /** In the order of the file. The first holds the lines before any Host or Match. */
  readonly sections: readonly ConfigSection[];
}

export interface ConfigSection {
  /** The Host or Match line, `path:line`. */
  readonly where: string;
  readonly scope: ConfigScope;
  readonly directives: readonly ConfigDirective[];
}

/** Which hosts the lines of a section are meant for. */
export type ConfigScope =
  | { readonly kind: 'every-host' }
  /** As written, with `!` in front of those that exclude. */
  | { readonly kind: 'host'; readonly patterns: readonly string[] }
  | { readonly kind: 'match'; readonly criteria: readonly string[] }
  /** A Host or Match line that is not understood: nobody knows whom it is meant for. */
  | { readonly kind: 'unclear'; readonly fault: string };

/** One line: `Keyword argument…`. */
export interface ConfigDirective {
  readonly where: string;
  /** As written. Case does not matter. */
  readonly keyword: string;
  readonly words: readonly string[];
  /** Why the line is not understood; `words` is empty then. */
  readonly fault?: string;
}

const maximumLineCharacters = 4096;

/**
 * Reads an ssh_config file into its lines, as OpenSSH does (readconf.c, misc.c `argv_split`): `Keyword word…` or
 * `Keyword=word`, words in single or double quotes, comments from a `#` between words. Lines that are not understood
 * are kept with the reason. Never throws.
 */
export function parseSshConfig(text: string, path: string): SshConfigFile {
  const beforeAnyHost: ConfigDirective[] = [];
  const sections: ConfigSection[] = [{ where: path, scope: { kind: 'every-host' }, directives: beforeAnyHost }];
  let directives = beforeAnyHost;
  for (const [index, rawLine] of text.split('\n').entries()) {
    const directive = parseLine(rawLine, `${path}:${String(index + 1)}`);
    if (directive === undefined) continue;
    const scope = scopeOf(directive);
    if (scope === undefined) directives.push(directive);
    else {
      directives = [];
      sections.push({ where: directive.where, scope, directives });
    }
  }
  return { path, sections };
}

function scopeOf({ keyword, words, fault }: ConfigDirective): ConfigScope | undefined {
  const name = keyword.toLowerCase();
  if (name !== 'host' && name !== 'match') return undefined;
  if (fault !== undefined) return { kind: 'unclear', fault };
  if (words.includes('')) return { kind: 'unclear', fault: 'has an empty word' };
  return name === 'host' ? { kind: 'host', patterns: words } : { kind: 'match', criteria: words };
}

function parseLine(rawLine: string, where: string): ConfigDirective | undefined {
  const line = rawLine.replace(/^[ \t\r]+/, '').replace(/[ \t\r\f]+$/, '');
  if (line === '' || line.startsWith('#')) return undefined;
  const [, keyword = '', rest] =
    /^([^\s="]*)(?:[ \t]*=[ \t]*|[ \t]+)?(.*)$/s.exec(line.slice(0, maximumLineCharacters)) ?? [];
  const faulty = (fault: string): ConfigDirective => ({ where, keyword, words: [], fault });
  if (line.length > maximumLineCharacters) return faulty(`has more than ${String(maximumLineCharacters)} characters`);
  if (/[^\P{Cc}\t]/u.test(line)) return faulty('has a control character');
  const words = splitWords(rest ?? '');
  if (words === undefined) return faulty('has a quote that is not closed');
  return words.length === 0 ? faulty('has no value') : { where, keyword, words };
}

/** The words of a line up to a comment; undefined where a quote is not closed. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let rest = text.replace(/^[ \t]+/, '');
  while (rest !== '' && !rest.startsWith('#')) {
    const first = firstWord(rest);
    if (first === undefined) return undefined;
    words.push(first.word);
    rest = rest.slice(first.length).replace(/^[ \t]+/, '');
  }
  return words;
}

/** The word that a text begins with, and how many characters it takes; undefined where a quote is not closed. */
function firstWord(text: string): { readonly word: string; readonly length: number } | undefined {
  let word = '';
  let quote: string | undefined;
  let at = 0;
  for (; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (quote === undefined && /[ \t]/.test(character)) break;
    if (isEscape(text.slice(at, at + 2), quote)) {
      at += 1;
      word += text.charAt(at);
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && /["']/.test(character)) quote = character;
    else word += character;
  }
  return quote === undefined ? { word, length: at } : undefined;
}

/** A backslash takes its meaning from a quote or a backslash, and outside of quotes from a blank. */
function isEscape(pair: string, quote: string | undefined): boolean {
  return /^\\["'\\]$/.test(pair) || (quote === undefined && pair === '\\ ');
}
