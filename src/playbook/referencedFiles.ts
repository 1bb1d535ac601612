import { dirname, resolve } from 'node:path';
import type { CalendarEvent } from '../calendar/schedule.js';
import { calendarFields, fileFields, scriptFields, writtenPath } from './fileFields.js';
import type { Problem } from './mistake.js';
import { valuesAt } from './writtenContent.js';
import type { WrittenValue } from './writtenContent.js';

/** Reads a whole file. A directory is `unreadable`. Messages are for people, without the path. */
export type ReadFile = (path: string) => Promise<FileAnswer>;

export type FileAnswer =
  | { readonly kind: 'ok'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' | 'unreadable'; readonly message: string };

/** From where paths are understood. */
export interface PathOrigin {
  /** The playbook's own path, absolute or relative to the working directory. */
  readonly file: string;
  readonly homeDirectory: string;
}

export interface Script {
  readonly content: string;
  readonly bytes: Uint8Array;
}

export interface Calendar {
  readonly events: readonly CalendarEvent[];
  readonly bytes: Uint8Array;
}

/** What was read, by absolute paths. */
export interface FileContents {
  readonly scripts: ReadonlyMap<string, Script>;
  readonly calendars: ReadonlyMap<string, Calendar>;
}

const maxCalendarBytes = 1024 * 1024;
const maxScriptBytes = 256 * 1024;

/** Absolute path of a file that the playbook names: `~/` is the home directory, anything else is relative to the playbook. */
export function absolutePath(written: string, origin: PathOrigin): string {
  if (written.startsWith('~/')) return resolve(origin.homeDirectory, written.slice(2));
  return resolve(dirname(origin.file), written);
}

/**
 * Reads every file that the playbook names and looks whether it can be what it should be. The contents are those of
 * the good ones. Works on the file as parsed, so that it also speaks where other fields are wrong.
 */
export async function readReferencedFiles(
  content: unknown,
  origin: PathOrigin,
  readFile: ReadFile,
): Promise<FileContents & { readonly problems: readonly Problem[] }> {
  const named = fileFields.flatMap((field) =>
    valuesAt(content, [...field, 'path']).flatMap((place) => namedFile(place, origin, roleOf(field))),
  );
  const answers = new Map<string, Promise<FileAnswer>>();
  for (const { path } of named) if (!answers.has(path)) answers.set(path, readFile(path));
  const problems: Problem[] = [];
  const scripts = new Map<string, Script>();
  const calendars = new Map<string, Calendar>();
  for (const { place, path, role } of named) {
    const read = await understood(path, await answers.get(path), role);
    if ('mistake' in read) problems.push({ path: place.path, at: 'value', message: read.mistake });
    else if ('script' in read) scripts.set(path, read.script);
    else if ('calendar' in read) calendars.set(path, read.calendar);
  }
  return { problems, scripts, calendars };
}

interface NamedFile {
  readonly place: WrittenValue;
  /** Absolute. */
  readonly path: string;
  readonly role: FileRole;
}

/** What becomes of the content; of another file only that it can be read. */
type FileRole = 'script' | 'calendar' | 'other';

function roleOf(field: readonly string[]): FileRole {
  if (scriptFields.includes(field)) return 'script';
  return calendarFields.includes(field) ? 'calendar' : 'other';
}

/** Nothing where the path is not one; the schema says so. */
function namedFile(place: WrittenValue, origin: PathOrigin, role: FileRole): NamedFile[] {
  const written = place.value;
  if (typeof written !== 'string' || !writtenPath.test(written) || written.includes('\0')) return [];
  return [{ place, path: absolutePath(written, origin), role }];
}

type Understood =
  | { readonly mistake: string }
  | { readonly script: Script }
  | { readonly calendar: Calendar }
  | { readonly other: true };

async function understood(path: string, answer: FileAnswer | undefined, role: FileRole): Promise<Understood> {
  switch (answer?.kind) {
    case undefined:
    case 'missing':
      return {
        mistake: `there is no file ${path}; paths are relative to the playbook, or below the home directory as ~/`,
      };
    case 'unreadable':
      return { mistake: `${path} cannot be read: ${answer.message}` };
    case 'ok':
      if (role === 'other') return { other: true };
      return role === 'script' ? scriptOf(path, answer.bytes) : await calendarOf(path, answer.bytes);
  }
}

function scriptOf(path: string, bytes: Uint8Array): Understood {
  if (bytes.length > maxScriptBytes) {
    return { mistake: `${path} has ${bytes.length} bytes; a script has at most ${maxScriptBytes} (256 KiB)` };
  }
  const content = utf8(bytes);
  if (content === undefined || content.includes('\0'))
    return { mistake: `${path} is not a text; a script is UTF-8 and no program` };
  const firstLine = content.slice(0, content.indexOf('\n') === -1 ? undefined : content.indexOf('\n'));
  if (!/^#!\s*\//.test(firstLine)) {
    return { mistake: `${path} does not begin with a #! line; begin it with one such as #!/bin/sh` };
  }
  if (firstLine.endsWith('\r')) {
    return { mistake: `${path} has Windows line ends, with which no host runs it; save it with Unix line ends` };
  }
  return { script: { content, bytes } };
}

async function calendarOf(path: string, bytes: Uint8Array): Promise<Understood> {
  if (bytes.length > maxCalendarBytes) {
    return { mistake: `${path} has ${bytes.length} bytes; a calendar has at most ${maxCalendarBytes} (1 MiB)` };
  }
  const content = utf8(bytes);
  if (content === undefined) return { mistake: `${path} is not a text; a calendar is UTF-8` };
  // Most playbooks name no calendar, and the library is not small.
  const { readCalendar } = await import('../calendar/icalendar/readCalendar.js');
  const answer = readCalendar(content);
  return answer.kind === 'ok'
    ? { calendar: { events: answer.events, bytes } }
    : { mistake: `${path} is no calendar that can be read: line ${answer.line}: ${answer.message}` };
}

/** The text; undefined where the bytes are not UTF-8. A byte order mark stays, so that it is not sent unseen. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
