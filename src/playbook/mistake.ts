/** One thing that is wrong in a playbook, at the place where it is to be mended. */
export interface Mistake {
  /** The file as the user named it, or the object as `Playbook NAMESPACE/NAME`. */
  readonly file: string;
  /** Counted from 1; absent in an object, which has no lines. */
  readonly line?: number;
  /** Counted from 1; absent in an object. */
  readonly column?: number;
  /** The field, for example `spec.drain.timeout`; '' where the whole file is meant. */
  readonly path: string;
  /** What is wrong and what is allowed, one line. */
  readonly message: string;
}

/** `file:line:column path: message`, the form that editors and people can jump to; `object path: message`. */
export function formatMistake({ file, line, column, path, message }: Mistake): string {
  const place = line === undefined || column === undefined ? file : `${file}:${line}:${column}`;
  return path === '' ? `${place}: ${message}` : `${place} ${path}: ${message}`;
}

/** Keys and list positions from the top of the file down to a field. */
export type FieldPath = readonly (string | number)[];

/** A mistake whose position in the text has not been looked up yet. */
export interface Problem {
  readonly path: FieldPath;
  /** Whether the key or the value of the field is to blame. Where neither is written, the nearest field around it. */
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** `spec.gates.overrides[0].do`; keys that are not plain words in quotes: `["node.a"]`. */
export function formatPath(path: FieldPath): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[A-Za-z_][\w-]{0,60}$/.test(segment)) text += text === '' ? segment : `.${segment}`;
    else text += `[${JSON.stringify(shortened(segment))}]`;
  }
  return text;
}

/** A value as it may be shown in a message: short, on one line, and never a key. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') {
    if (value.includes('PRIVATE KEY')) return 'the text of a private key';
    return /^\w+:\/\/[^/]*@/.test(value) ? 'a URL with user and password' : JSON.stringify(shortened(value));
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'a list';
  return value === null || value === undefined ? 'nothing' : 'a mapping';
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
