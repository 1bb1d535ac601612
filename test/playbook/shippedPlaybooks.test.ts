import { execFile, execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import { formatMistake } from '../../src/playbook/mistake.js';
import type { FileAnswer } from '../../src/playbook/referencedFiles.js';

const debian = fileURLToPath(new URL('../../playbooks/debian.yaml', import.meta.url));
const script = fileURLToPath(new URL('../../playbooks/scripts/debian-upgrade.sh', import.meta.url));

/** The real files of the project, and a home directory in memory. */
async function read(path: string, home: readonly string[]): Promise<FileAnswer> {
  if (path.startsWith('/home/ops/')) {
    return home.includes(path) ? { kind: 'ok', bytes: new Uint8Array() } : { kind: 'missing', message: 'no such file' };
  }
  return { kind: 'ok', bytes: await readFile(path) };
}

async function mistakesWith(...home: string[]): Promise<string[]> {
  const answer = await loadPlaybook({
    now: 0,
    file: debian,
    homeDirectory: '/home/ops',
    readFile: async (path) => await read(path, home),
  });
  return answer.kind === 'ok'
    ? []
    : answer.mistakes.map((mistake) => formatMistake({ ...mistake, file: 'debian.yaml' }));
}

describe('playbooks/debian.yaml', () => {
  it('is valid as it is where known_hosts and the key are at their usual places', async () => {
    expect(await mistakesWith('/home/ops/.ssh/known_hosts', '/home/ops/.ssh/id_ed25519')).toEqual([]);
  });

  it('names just those two files where they are missing', async () => {
    const mistakes = await mistakesWith();
    expect(mistakes.map((line) => line.replace(/^\S+ (\S+): there is no file (\S+);.*/, '$1 $2'))).toEqual([
      'spec.host.ssh.knownHosts.path /home/ops/.ssh/known_hosts',
      'spec.host.ssh.identity.path /home/ops/.ssh/id_ed25519',
    ]);
  });

  it('tells editors where its schema is', async () => {
    expect((await readFile(debian, 'utf8')).split('\n')[0]).toBe(
      '# yaml-language-server: $schema=./playbook.schema.json',
    );
    await expect(
      stat(new URL('playbook.schema.json', new URL('../../playbooks/', import.meta.url))),
    ).resolves.toBeDefined();
  });
});

describe('playbooks/scripts/debian-upgrade.sh', () => {
  it.skipIf(!isInstalled('shellcheck'))('has nothing that shellcheck objects to', async () => {
    await expect(
      promisify(execFile)('shellcheck', [
        '--shell=sh',
        '--enable=all',
        '--exclude=SC2250,SC2310,SC2311,SC2312',
        script,
      ]),
    ).resolves.toMatchObject({ stdout: '' });
  });

  it('is executable', async () => {
    expect((await stat(script)).mode & 0o111).toBe(0o111);
  });
});

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
