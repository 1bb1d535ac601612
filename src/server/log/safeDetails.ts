import { withoutSecrets } from './withoutSecrets.js';

/** Plain values by name. Undefined ones are left out. */
export type LogDetails = Readonly<Record<string, LogValue>>;
export type LogValue = string | number | boolean | readonly string[] | undefined;

const longestText = 4096;
const mostItems = 50;

/** Members that a line has of its own. */
const ownNames: ReadonlySet<string> = new Set(['level', 'time', 'event', 'run', 'node', 'playbook', 'msg', 'err']);

/** Names under which nothing is written, whatever it is. */
const secretName =
  /authorization|cookie|token|secret|passw|passphrase|private|credential|headers?$|^(key|data|stringData)$/i;

/**
 * What of the details may stand in a log: numbers, truth values and texts, which are cut to size and cleared of what looks
 * like a secret. Anything else, that types should have kept out, is left out with a word.
 */
export function safeDetails(details: LogDetails): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details)
      .filter(([name, value]) => value !== undefined && !ownNames.has(name))
      .map(([name, value]: [string, unknown]) => [name, secretName.test(name) ? '[redacted]' : plain(value)]),
  );
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return items(value);
  return `[${typeof value} left out]`;
}

function items(values: readonly unknown[]): unknown[] {
  const kept = values.slice(0, mostItems).map((item) => (typeof item === 'string' ? text(item) : '[left out]'));
  return values.length > mostItems ? [...kept, `… and ${String(values.length - mostItems)} more`] : kept;
}

function text(whole: string): string {
  const cleared = withoutSecrets(whole);
  return cleared.length > longestText ? `${cleared.slice(0, longestText)}…` : cleared;
}
