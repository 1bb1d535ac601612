import { readFile as read } from 'node:fs/promises';

export type FileAnswer =
  | { readonly kind: 'ok'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Reads a whole file; a missing or unreadable one is an answer, not an exception. */
export async function readFile(path: string): Promise<FileAnswer> {
  try {
    return { kind: 'ok', bytes: await read(path) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', message: 'there is no such file' };
    if (code === 'EISDIR') return { kind: 'unreadable', message: 'it is a directory' };
    if (code === 'EACCES' || code === 'EPERM')
      return { kind: 'unreadable', message: 'it may not be read by this user' };
    return { kind: 'unreadable', message: error instanceof Error ? error.message : String(error) };
  }
}
