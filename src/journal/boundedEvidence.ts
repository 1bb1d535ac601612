import { hasToJson, isPlainObject } from './canonicalJson.js';

/** The longest string that an entry carries, as UTF-8. */
const longestStringBytes = 4096;
/** How deep evidence may be nested below the entry. */
const deepestLevel = 8;
/** What all strings, names and values of one entry may take together, in characters. */
const entryCharacters = 128 * 1024;
/** What a number, a boolean or a bracket counts. */
const characterCostOfValue = 8;

/** What is left of an entry's size while its evidence is walked through. */
interface Room {
  characters: number;
}

/**
 * The evidence cut to a size that every reader can take: strings over 4 KiB, levels deeper than 8 and everything
 * beyond 128 Ki characters are replaced by a note that says so. Half surrogate pairs (a log cut in the middle of a
 * character) become U+FFFD, because JSON for hashing cannot carry them. Values that are not JSON pass unchanged.
 */
export function boundedEvidence(evidence: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return boundedMembers(evidence, 0, { characters: entryCharacters });
}

function boundedValue(value: unknown, level: number, room: Room): unknown {
  if (typeof value === 'string') return boundedString(value, room);
  room.characters -= characterCostOfValue;
  if (typeof value !== 'object' || value === null) return value;
  if (hasToJson(value)) {
    const replacement = value.toJSON();
    return replacement === value ? value : boundedValue(replacement, level, room);
  }
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  if (level > deepestLevel) return `[cut: nested deeper than ${deepestLevel} levels]`;
  return Array.isArray(value) ? boundedItems(value, level, room) : boundedMembers(value, level, room);
}

function boundedItems(items: readonly unknown[], level: number, room: Room): unknown[] {
  const kept: unknown[] = [];
  for (const item of items) {
    if (room.characters <= 0) {
      kept.push(`[cut: ${items.length - kept.length} more, the entry is too large]`);
      break;
    }
    kept.push(boundedValue(item, level + 1, room));
  }
  return kept;
}

function boundedMembers(value: Readonly<Record<string, unknown>>, level: number, room: Room): Record<string, unknown> {
  const members = Object.entries(value);
  const kept: [string, unknown][] = [];
  for (const [name, member] of members) {
    if (room.characters <= 0) {
      kept.push(['…', `[cut: ${members.length - kept.length} more, the entry is too large]`]);
      break;
    }
    kept.push([boundedString(name, room), boundedValue(member, level + 1, room)]);
  }
  return Object.fromEntries(kept);
}

function boundedString(text: string, room: Room): string {
  const sound = text.replace(/\p{Cs}/gu, '\ufffd');
  const bytes = Buffer.byteLength(sound);
  const kept = bytes > longestStringBytes ? `${cut(sound)}… [cut: ${bytes} bytes]` : sound;
  room.characters -= kept.length;
  return kept;
}

/** The whole characters within the first 4 KiB. */
function cut(text: string): string {
  // A streaming decoder keeps an unfinished last character to itself.
  return new TextDecoder().decode(Buffer.from(text).subarray(0, longestStringBytes), { stream: true });
}
