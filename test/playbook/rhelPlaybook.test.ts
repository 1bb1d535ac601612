import { readFile, stat } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { isInstalled, loadShipped, projectPath, shellcheckObjections } from './shippedFiles.js';

const script = projectPath('playbooks/scripts/rhel-upgrade.sh');

describe('playbooks/rhel.yaml', () => {
  it('is valid as it is where known_hosts and the key are at their usual places', async () => {
    const answer = await loadShipped('rhel.yaml', ['/home/ops/.ssh/known_hosts', '/home/ops/.ssh/id_ed25519']);

    expect(answer).toMatchObject({ kind: 'ok', playbook: { name: 'rhel', host: { reboot: { when: 'required' } } } });
    const content = answer.kind === 'ok' ? answer.playbook.host.scripts.update?.content : undefined;
    expect(content).toBe(await readFile(script, 'utf8'));
  });

  it('names just those two files where they are missing', async () => {
    const answer = await loadShipped('rhel.yaml');

    expect(answer.kind === 'invalid' && answer.mistakes.map(({ path }) => path)).toEqual([
      'spec.host.ssh.knownHosts.path',
      'spec.host.ssh.identity.path',
    ]);
  });

  it('differs from the playbook for Debian in its names and its script only', async () => {
    const fieldsOf = async (name: string) => {
      const text = await readFile(projectPath(`playbooks/${name}.yaml`), 'utf8');
      const fields = text.split('\n').map((line) => line.replace(/\s*#.*/, '').replaceAll(name, 'NAME'));
      return fields.filter((line) => line.trim() !== '');
    };
    expect(await fieldsOf('rhel')).toEqual(await fieldsOf('debian'));
  });
});

describe('playbooks/scripts/rhel-upgrade.sh', () => {
  it.skipIf(!isInstalled('shellcheck'))('has nothing that shellcheck objects to', async () => {
    expect(await shellcheckObjections(script)).toBe('');
  });

  it('is executable', async () => {
    expect((await stat(script)).mode & 0o111).toBe(0o111);
  });
});
