import { dirname, resolve } from 'node:path';
import type { CalendarEvent } from '../calendar/schedule.js';
import { clusterFilePath, parseClusterFilePath, shownFile } from '../cluster/clusterFile.js';
import {
  calendarFields,
  dataKey,
  fileFields,
  isAbsolute,
  objectName,
  scriptFields,
  signingKeyFields,
  writtenPath,
} from './fileFields.js';
import type { FieldPath, Problem } from './mistake.js';
import type { PlaybookSource } from './refusedReferences.js';
import { valueAt, valuesAt } from './writtenContent.js';

/**
 * Reads a whole file, by its absolute path or by that of a file in the cluster (src/cluster/clusterFile.ts). A directory
 * is `unreadable`. Messages are for people; for a file of this machine without the path.
 */
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

/** A file that the playbook names, checked. */
export interface NamedFile {
  readonly path?: string | undefined;
  readonly configMapKeyRef?: { readonly name: string; readonly key: string } | undefined;
  readonly secretKeyRef?: { readonly name: string; readonly key: string } | undefined;
}

const maxCalendarBytes = 1024 * 1024;
const maxScriptBytes = 256 * 1024;

/** The file as it is known in digests: its path as written, or that of a file in the cluster. */
export function writtenAs({ path, configMapKeyRef, secretKeyRef }: NamedFile): string {
  if (configMapKeyRef !== undefined) return clusterFilePath({ kind: 'ConfigMap', ...configMapKeyRef });
  if (secretKeyRef !== undefined) return clusterFilePath({ kind: 'Secret', ...secretKeyRef });
  return path ?? '';
}

/** The path by which a file is read that is written so: absolute, or that of a file in the cluster. */
export function readPath(file: NamedFile, origin: PathOrigin): string {
  return file.path === undefined ? writtenAs(file) : absolutePath(file.path, origin);
}

/** Absolute path of what is written: `~/` is the home directory, anything else is relative to the playbook. */
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
  origin: PathOrigin & { readonly source: PlaybookSource },
  readFile: ReadFile,
): Promise<FileContents & { readonly problems: readonly Problem[] }> {
  const named = fileFields.flatMap((field) =>
    valuesAt(content, field).flatMap(({ path, value }) =>
      filesToRead({ at: path, value, role: roleOf(field) }, origin),
    ),
  );
  const paths = [...new Set(named.map(({ path }) => path))];
  const answers = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const)));
  const problems: Problem[] = [];
  const scripts = new Map<string, Script>();
  const calendars = new Map<string, Calendar>();
  for (const { at, path, role } of named) {
    const read = await understood({ path, role, source: origin.source }, answers.get(path));
    if ('mistake' in read) problems.push({ path: at, at: 'value', message: read.mistake });
    else if ('script' in read) scripts.set(path, read.script);
    else if ('calendar' in read) calendars.set(path, read.calendar);
  }
  return { problems, scripts, calendars };
}

interface FileToRead {
  /** The field that names it. */
  readonly at: FieldPath;
  readonly path: string;
  readonly role: FileRole;
}

/** What becomes of the content; of another file only that it can be read. */
type FileRole = 'script' | 'calendar' | 'signing-key' | 'other';

function roleOf(field: readonly string[]): FileRole {
  if (scriptFields.includes(field)) return 'script';
  if (signingKeyFields.includes(field)) return 'signing-key';
  return calendarFields.includes(field) ? 'calendar' : 'other';
}

/** Nothing where what is written names no file that a playbook of this source may name; the schema, or the rule, says so. */
function filesToRead(
  { at, value, role }: { readonly at: FieldPath; readonly value: unknown; readonly role: FileRole },
  origin: PathOrigin & { readonly source: PlaybookSource },
): FileToRead[] {
  const written = valueAt(value, ['path']);
  const inObject = origin.source === 'object';
  const isPath = typeof written === 'string' && writtenPath.test(written) && !written.includes('\0');
  const ofMachine =
    isPath && !(inObject && !isAbsolute(written))
      ? [{ at: [...at, 'path'], path: absolutePath(written, origin), role }]
      : [];
  if (!inObject) return ofMachine;
  const inCluster = (['ConfigMap', 'Secret'] as const).flatMap((kind) => {
    const field = kind === 'Secret' ? 'secretKeyRef' : 'configMapKeyRef';
    const [name, key] = [valueAt(value, [field, 'name']), valueAt(value, [field, 'key'])];
    const isNamed = typeof name === 'string' && objectName.test(name) && typeof key === 'string' && dataKey.test(key);
    return isNamed ? [{ at: [...at, field], path: clusterFilePath({ kind, name, key }), role }] : [];
  });
  return [...ofMachine, ...inCluster];
}

type Understood =
  | { readonly mistake: string }
  | { readonly script: Script }
  | { readonly calendar: Calendar }
  | { readonly other: true };

async function understood(
  { path, role, source }: { readonly path: string; readonly role: FileRole; readonly source: PlaybookSource },
  answer: FileAnswer | undefined,
): Promise<Understood> {
  const inCluster = parseClusterFilePath(path);
  const shown = shownFile(path);
  switch (answer?.kind) {
    case undefined:
    case 'missing':
      if (inCluster !== undefined && answer !== undefined) return { mistake: answer.message };
      return {
        mistake:
          source === 'object'
            ? `there is no file ${path} in the container; mount it, or name a key with configMapKeyRef or secretKeyRef`
            : `there is no file ${path}; paths are relative to the playbook, or below the home directory as ~/`,
      };
    case 'unreadable':
      return { mistake: `${shown} cannot be read: ${answer.message}` };
    case 'ok':
      switch (role) {
        case 'script':
          return scriptOf(shown, answer.bytes);
        case 'calendar':
          return await calendarOf(shown, answer.bytes, { isSecret: inCluster?.kind === 'Secret' });
        case 'signing-key':
          return isBlank(answer.bytes) ? { mistake: `${shown} is empty, and signs nothing` } : { other: true };
        case 'other':
          return { other: true };
      }
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte <= 0x20);
}

function scriptOf(shown: string, bytes: Uint8Array): Understood {
  if (bytes.length > maxScriptBytes) {
    return { mistake: `${shown} has ${bytes.length} bytes; a script has at most ${maxScriptBytes} (256 KiB)` };
  }
  const content = utf8(bytes);
  if (content === undefined || content.includes('\0'))
    return { mistake: `${shown} is not a text; a script is UTF-8 and no program` };
  const firstLine = content.slice(0, content.indexOf('\n') === -1 ? undefined : content.indexOf('\n'));
  if (!/^#!\s*\//.test(firstLine)) {
    return { mistake: `${shown} does not begin with a #! line; begin it with one such as #!/bin/sh` };
  }
  if (firstLine.endsWith('\r')) {
    return { mistake: `${shown} has Windows line ends, with which no host runs it; save it with Unix line ends` };
  }
  return { script: { content, bytes } };
}

async function calendarOf(
  shown: string,
  bytes: Uint8Array,
  { isSecret }: { readonly isSecret: boolean },
): Promise<Understood> {
  if (bytes.length > maxCalendarBytes) {
    return { mistake: `${shown} has ${bytes.length} bytes; a calendar has at most ${maxCalendarBytes} (1 MiB)` };
  }
  const content = utf8(bytes);
  if (content === undefined) return { mistake: `${shown} is not a text; a calendar is UTF-8` };
  // Most playbooks name no calendar, and the library is not small.
  const { readCalendar } = await import('../calendar/icalendar/readCalendar.js');
  const answer = readCalendar(content);
  if (answer.kind === 'ok') return { calendar: { events: answer.events, bytes } };
  // What is wrong may quote what is written there.
  const reason = isSecret ? '' : `: ${answer.message}`;
  return { mistake: `${shown} is no calendar that can be read: line ${answer.line}${reason}` };
}

/** The text; undefined where the bytes are not UTF-8. A byte order mark stays, so that it is not sent unseen. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
