import { execFile, execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import type { PlaybookAnswer } from '../../src/playbook/loadPlaybook.js';

/** The path of a file of the project, named from its root. */
export function projectPath(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}

/** Reads a playbook of `playbooks/` with the real files beside it; the home directory holds just these, empty. */
export async function loadShipped(name: string, home: readonly string[] = []): Promise<PlaybookAnswer> {
  return await loadPlaybook({
    now: 0,
    file: projectPath(`playbooks/${name}`),
    homeDirectory: '/home/ops',
    readFile: async (path) => {
      if (!path.startsWith('/home/ops/')) return { kind: 'ok', bytes: await readFile(path) };
      return home.includes(path)
        ? { kind: 'ok', bytes: new Uint8Array() }
        : { kind: 'missing', message: 'no such file' };
    },
  });
}

/** What shellcheck says about a shell script; nothing where it is content. */
export async function shellcheckObjections(path: string): Promise<string> {
  const options = ['--shell=sh', '--enable=all', '--exclude=SC2250,SC2310,SC2311,SC2312'];
  const result = await promisify(execFile)('shellcheck', [...options, path]).catch((error: unknown) => error);
  return typeof result === 'object' && result !== null && 'stdout' in result ? String(result.stdout) : String(result);
}

/** Whether a program can be run here. */
export function isInstalled(program: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
