import { dirname, resolve } from 'node:path';
import { fileFields, scriptFields, writtenPath } from './fileFields.js';
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

const maxScriptBytes = 256 * 1024;

/** Absolute path of a file that the playbook names: `~/` is the home directory, anything else is relative to the playbook. */
export function absolutePath(written: string, origin: PathOrigin): string {
  if (written.startsWith('~/')) return resolve(origin.homeDirectory, written.slice(2));
  return resolve(dirname(origin.file), written);
}

/**
 * Reads every file that the playbook names and looks whether it can be what it should be. `scripts` holds the good
 * ones by their absolute path. Works on the file as parsed, so that it also speaks where other fields are wrong.
 */
export async function readReferencedFiles(
  content: unknown,
  origin: PathOrigin,
  readFile: ReadFile,
): Promise<{ readonly problems: readonly Problem[]; readonly scripts: ReadonlyMap<string, Script> }> {
  const named = fileFields.flatMap((field) =>
    valuesAt(content, [...field, 'path']).flatMap((place) => namedFile(place, origin, scriptFields.includes(field))),
  );
  const answers = new Map<string, Promise<FileAnswer>>();
  for (const { path } of named) if (!answers.has(path)) answers.set(path, readFile(path));
  const problems: Problem[] = [];
  const scripts = new Map<string, Script>();
  for (const { place, path, isScript } of named) {
    const read = understood(path, await answers.get(path), isScript);
    if ('mistake' in read) problems.push({ path: place.path, at: 'value', message: read.mistake });
    else if (read.script !== undefined) scripts.set(path, read.script);
  }
  return { problems, scripts };
}

interface NamedFile {
  readonly place: WrittenValue;
  /** Absolute. */
  readonly path: string;
  readonly isScript: boolean;
}

/** Nothing where the path is not one; the schema says so. */
function namedFile(place: WrittenValue, origin: PathOrigin, isScript: boolean): NamedFile[] {
  const written = place.value;
  if (typeof written !== 'string' || !writtenPath.test(written) || written.includes('\0')) return [];
  return [{ place, path: absolutePath(written, origin), isScript }];
}

type Understood = { readonly mistake: string } | { readonly script: Script | undefined };

function understood(path: string, answer: FileAnswer | undefined, isScript: boolean): Understood {
  switch (answer?.kind) {
    case undefined:
    case 'missing':
      return {
        mistake: `there is no file ${path}; paths are relative to the playbook, or below the home directory as ~/`,
      };
    case 'unreadable':
      return { mistake: `${path} cannot be read: ${answer.message}` };
    case 'ok':
      return isScript ? scriptOf(path, answer.bytes) : { script: undefined };
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

/** The text; undefined where the bytes are not UTF-8. A byte order mark stays, so that it is not sent unseen. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
