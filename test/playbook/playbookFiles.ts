import { posix } from 'node:path';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import type { PlaybookAnswer } from '../../src/playbook/loadPlaybook.js';
import { formatMistake } from '../../src/playbook/mistake.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import type { FileAnswer, ReadFile } from '../../src/playbook/referencedFiles.js';

/** A directory in memory: the playbook and what it names. */
export const teamFiles: Readonly<Record<string, string | Uint8Array>> = {
  '/team/known_hosts': 'node-1 ssh-ed25519 AAAA\n',
  '/team/more_hosts': 'node-2 ssh-ed25519 AAAA\n',
  '/home/ops/.ssh/id_ed25519': 'key\n',
  '/home/ops/.ssh/known_hosts': '',
  '/home/ops/.ssh/config': 'Host *\n',
  '/team/passphrase': 'open sesame\n',
  '/team/update.sh': '#!/bin/sh\necho reboot=no >>"$TURNUS_RESULT"\n',
  '/team/get packages.sh': '#!/bin/sh\ntrue\n',
  '/team/no-shebang.sh': 'echo hello\n',
  '/team/windows.sh': '#!/bin/sh\r\necho hello\r\n',
  '/team/binary': new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe]),
  '/team/huge.sh': `#!/bin/sh\n${'#'.repeat(256 * 1024)}`,
  '/team/empty.sh': '',
};

/** Reads from memory. `/team/scripts` is a directory. */
export function filesInMemory(files: Readonly<Record<string, string | Uint8Array>>): ReadFile {
  return (path) => Promise.resolve(answerOf(files, path));
}

function answerOf(files: Readonly<Record<string, string | Uint8Array>>, path: string): FileAnswer {
  const content = files[posix.normalize(path)];
  if (path === '/team/scripts') return { kind: 'unreadable', message: 'it is a directory' };
  if (content === undefined) return { kind: 'missing', message: 'no such file' };
  return { kind: 'ok', bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content };
}

/** The time of all playbooks of these tests: 1 November 2026, noon. */
export const testNow = Date.parse('2026-11-01T12:00:00Z');

/** Loads `/team/monthly.yaml` with this text. */
export async function load(text: string | Uint8Array): Promise<PlaybookAnswer> {
  const readFile = filesInMemory({ ...teamFiles, '/team/monthly.yaml': text });
  return await loadPlaybook({ file: '/team/monthly.yaml', readFile, homeDirectory: '/home/ops', now: testNow });
}

/** The playbook, or an error that shows its mistakes. */
export async function loadGood(text: string): Promise<Playbook> {
  const answer = await load(text);
  if (answer.kind === 'invalid') throw new Error(answer.mistakes.map(formatMistake).join('\n'));
  return answer.playbook;
}

/** What `turnus validate` would print, without the directory. */
export async function mistakesOf(text: string | Uint8Array): Promise<string[]> {
  const answer = await load(text);
  if (answer.kind === 'ok') return [];
  return answer.mistakes.map((mistake) => formatMistake({ ...mistake, file: 'monthly.yaml' }));
}

/** The shortest playbook there is, with the given lines inside `spec`. The first of them is line 9. */
export function playbookWith(...lines: string[]): string {
  return [...smallestPlaybook, ...lines, ''].join('\n');
}

const smallestPlaybook = [
  'apiVersion: turnus.dev/v1alpha1',
  'kind: Playbook',
  'metadata: {name: monthly}',
  'spec:',
  '  cluster: {uid: 6f1c0a52-1111-4222-8333-444455556666}',
  '  host:',
  '    ssh: {user: maintenance, knownHosts: {path: known_hosts}}',
  '    update: {script: {path: ./update.sh}}',
];
