import { TurnusError } from '../turnusError.js';
import { canonicalDigest, isPlainObject } from './canonicalJson.js';

/** What verification keeps of an entry whose hash matches its content. */
export interface CheckedEntry {
  readonly seq: number;
  readonly time: string;
  readonly run: string;
  readonly type: string;
  readonly prev: string;
  readonly hash: string;
}

/** What one line of a journal is by itself, before its neighbours are looked at. */
export type LineReading =
  | { readonly kind: 'entry'; readonly entry: CheckedEntry }
  | { readonly kind: 'not-json'; readonly complete: boolean; readonly message: string }
  | { readonly kind: 'not-an-entry' | 'changed'; readonly seq: number | undefined; readonly message: string };

const hashPattern = /^[0-9a-f]{64}$/;

/**
 * Reads a line and checks its own hash. White space and the order of members do not count (the hash is over the
 * canonical form); a member that stands twice and a number in another spelling do, because programs read those
 * differently.
 */
export function checkedEntry(text: string): LineReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const complete = /"hash":"[0-9a-f]{64}"\}\s*$/.test(text);
    return { kind: 'not-json', complete, message: 'The line is not JSON' };
  }
  if (!isPlainObject(value)) return { kind: 'not-an-entry', seq: undefined, message: 'The line is not a JSON object' };
  const seq = typeof value['seq'] === 'number' ? value['seq'] : undefined;
  const entry = entryShape(value);
  if (typeof entry === 'string') return { kind: 'not-an-entry', seq, message: entry };
  const ambiguity = ambiguousSpelling(text, value);
  if (ambiguity !== undefined) return { kind: 'changed', seq, message: ambiguity };
  const { hash, ...content } = value;
  let digest: string;
  try {
    digest = canonicalDigest(content);
  } catch (error) {
    if (!(error instanceof TurnusError)) throw error;
    return { kind: 'not-an-entry', seq, message: error.message };
  }
  if (digest !== hash) {
    return { kind: 'changed', seq, message: `The content of entry ${entry.seq} does not match its hash` };
  }
  return { kind: 'entry', entry };
}

/** The members that every entry has, or the sentence that says what is wrong with them. */
function entryShape(value: Readonly<Record<string, unknown>>): CheckedEntry | string {
  const { seq, time, run, type, prev, hash } = value;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return '"seq" is not a number from 1 on';
  if (typeof time !== 'string' || Number.isNaN(Date.parse(time))) return '"time" is not a time';
  if (typeof run !== 'string' || run === '') return '"run" is not the name of a run';
  if (typeof type !== 'string' || type === '') return '"type" is not the type of an entry';
  if (typeof hash !== 'string' || !hashPattern.test(hash)) return '"hash" is not a SHA-256 in hexadecimal';
  if (typeof prev !== 'string' || (prev !== '' && !hashPattern.test(prev))) return '"prev" is not a hash';
  if ((prev === '') !== (seq === 1)) return 'Only entry 1 has no former entry, and must have none';
  return { seq, time, run, type, prev, hash };
}

function ambiguousSpelling(text: string, value: unknown): string | undefined {
  const structure = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""');
  const memberCount = structure.split(':').length - 1;
  if (memberCount !== countMembers(value)) return 'A member stands twice in the same object';
  const oddNumber = structure.match(/-?\d[\d.eE+-]*/g)?.find((number) => String(Number(number)) !== number);
  return oddNumber === undefined ? undefined : `The number ${oddNumber} is not written as Turnus writes numbers`;
}

/** Counts without recursion: the value may be nested deeper than the stack. */
function countMembers(value: unknown): number {
  let count = 0;
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const inside: unknown[] = Object.values(next);
    if (!Array.isArray(next)) count += inside.length;
    for (const member of inside) if (typeof member === 'object' && member !== null) waiting.push(member);
  }
  return count;
}
