import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, goodFiles, runTurnus } from './runTurnus.js';

const withJournal = `${goodFiles['monthly.yaml']}  journal: {stdout: true}\n`;

async function served(files: Readonly<Record<string, string>>) {
  const directory = await directoryWith({ ...goodFiles, ...files });
  const argv = Object.keys(files).flatMap((name) => ['-f', join(directory, name)]);
  return await runTurnus(['serve', ...argv]);
}

describe('turnus serve -f', () => {
  it('does not start where a file does not say where its journal goes', async () => {
    const end = await served({
      'other.yaml': withJournal.replace('monthly', 'other'),
      'monthly.yaml': goodFiles['monthly.yaml'],
    });
    expect(end.exitCode).toBe(2);
    expect(end.stderr).toMatch(/monthly\.yaml does not say where its journal goes \(spec\.journal\)\./);
    expect(end.stderr).toContain('Write journal: {file: ');
    expect(end.stdout).toBe('');
  });

  it('does not start with two playbooks of one name, whose runs nobody could tell apart', async () => {
    const end = await served({ 'monthly.yaml': withJournal, 'again.yaml': withJournal });
    expect(end.exitCode).toBe(2);
    expect(end.stderr).toMatch(/monthly\.yaml and .*again\.yaml are both named monthly/);
  });

  it('says each mistake of a file, and does not start', async () => {
    const end = await served({ 'monthly.yaml': withJournal.replace('user: maintenance', 'usr: maintenance') });
    expect(end.exitCode).toBe(2);
    expect(`${end.stdout}${end.stderr}`).toContain('spec.host.ssh.usr');
  });

  it('goes on to look for the cluster where the files are good', async () => {
    const end = await served({ 'monthly.yaml': withJournal });
    expect(end.stderr).toMatch(/kubeconfig/i);
  });
});
