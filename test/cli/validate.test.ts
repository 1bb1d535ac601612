import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoryWith, goodFiles, runTurnus } from './runTurnus.js';

describe('turnus validate', () => {
  it('ends with 0 and prints no data for a valid playbook', async () => {
    const directory = await directoryWith(goodFiles);
    const file = join(directory, 'monthly.yaml');
    const end = await runTurnus(['validate', '-f', file]);
    expect(end.exitCode, end.stdout).toBe(0);
    expect(end.stdout).toBe('');
    expect(end.stderr).toContain(`${file}: playbook monthly is valid.\n`);
  });

  it('finds files below ~ in the home directory of the environment', async () => {
    const playbook = goodFiles['monthly.yaml'].replace('./known_hosts', '~/.ssh/known_hosts');
    const directory = await directoryWith({ ...goodFiles, 'monthly.yaml': playbook, '.ssh/known_hosts': '' });
    const argv = ['validate', '-f', join(directory, 'monthly.yaml')];
    expect(await runTurnus(argv, { env: { HOME: directory } })).toMatchObject({ exitCode: 0 });
    expect(await runTurnus(argv, { env: { HOME: join(directory, 'empty') } })).toMatchObject({ exitCode: 2 });
  });

  it('ends with 2 and prints every mistake with file, line and column', async () => {
    const playbook = goodFiles['monthly.yaml']
      .replace('metadata: {name: monthly}', 'metadata: {name: Monthly}')
      .replace('user: maintenance', 'usr: maintenance');
    const directory = await directoryWith({ ...goodFiles, 'monthly.yaml': playbook });
    const file = join(directory, 'monthly.yaml');
    const end = await runTurnus(['validate', '-f', file]);
    expect(end.exitCode).toBe(2);
    expect(end.stderr).toBe('');
    const lines = end.stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(file, '').replace(/^(:\d+:\d+ [^:]+): \S.*$/, '$1'))).toEqual([
      ':3:18 metadata.name',
      ':7:5 spec.host.ssh.user',
      ':7:11 spec.host.ssh.usr',
    ]);
  });

  it('ends with 2 where there is no such file, and names it', async () => {
    const end = await runTurnus(['validate', '-f', '/nonexistent/monthly.yaml']);
    expect(end.exitCode).toBe(2);
    expect(end.stdout).toContain('/nonexistent/monthly.yaml');
  });
});
