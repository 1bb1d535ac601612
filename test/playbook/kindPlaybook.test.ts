import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseJobAnswers } from '../../src/host/jobAnswers.js';
import { isInstalled, loadShipped, projectPath, shellcheckObjections } from './shippedFiles.js';

const scripts = ['playbooks/scripts/kind-update.sh', 'playbooks/kind/enable-ssh.sh', 'playbooks/kind/set-up-node.sh'];

describe('playbooks/kind.yaml', () => {
  it('is valid in a fresh clone, before SSH is set up', async () => {
    expect(await loadShipped('kind.yaml')).toMatchObject({
      kind: 'ok',
      playbook: {
        name: 'kind',
        host: { ssh: { user: 'maintenance', address: 'InternalIP', sudo: true }, reboot: { when: 'never' } },
      },
    });
  });

  it('trusts no host before SSH is set up', async () => {
    const text = await readFile(projectPath('playbooks/kind/known_hosts'), 'utf8');
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  it('tells editors where its schema is', async () => {
    const [first] = (await readFile(projectPath('playbooks/kind.yaml'), 'utf8')).split('\n');
    expect(first).toBe('# yaml-language-server: $schema=./playbook.schema.json');
  });
});

describe('kind-config.yaml', () => {
  it('has one control plane and four workers in three zones, under the name that the context kind-turnus comes from', async () => {
    const config: unknown = parse(await readFile(projectPath('kind-config.yaml'), 'utf8'));
    const worker = (zone: string) => ({ role: 'worker', labels: { 'topology.kubernetes.io/zone': zone } });
    expect(config).toEqual({
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      name: 'turnus',
      nodes: [{ role: 'control-plane' }, ...['zone-a', 'zone-b', 'zone-c', 'zone-a'].map(worker)],
    });
  });
});

describe('playbooks/kind/workload.yaml', () => {
  it('is a Deployment and a budget for the same pods that always lets one go', async () => {
    const documents = parseAllDocuments(await readFile(projectPath('playbooks/kind/workload.yaml'), 'utf8'));
    const [deployment, budget, ...others] = documents.map((document) => document.toJS() as unknown);
    const selector = { matchLabels: { app: 'web' } };
    expect(others).toEqual([]);
    expect(deployment).toMatchObject({
      kind: 'Deployment',
      spec: { replicas: 3, selector, template: { metadata: { labels: selector.matchLabels } } },
    });
    expect(budget).toMatchObject({ kind: 'PodDisruptionBudget', spec: { maxUnavailable: 1, selector } });
  });
});

describe('playbooks/scripts/kind-update.sh', () => {
  it('leaves one line an execution, and answers that something changed and no reboot is required', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'turnus-kind-'));
    try {
      const stamps = join(directory, 'stamps');
      const run = async (result: string) => {
        const env = { PATH: '/usr/bin:/bin', STAMP_FILE: stamps, TURNUS_RUN: 'kind-2026-11', TURNUS_NODE: 'node-1' };
        await promisify(execFile)(projectPath('playbooks/scripts/kind-update.sh'), {
          env: { ...env, TURNUS_RESULT: join(directory, result) },
        });
        return parseJobAnswers(await readFile(join(directory, result), 'utf8'));
      };
      const versions = (before: string, after: string) => ({
        'kind-update.before': before,
        'kind-update.after': after,
      });

      const first = await run('first');
      expect(first).toEqual({ changed: 'yes', reboot: 'no', versions: versions('0', '1'), unknownLines: [] });
      expect((await run('second')).versions).toEqual(versions('1', '2'));
      const lines = (await readFile(stamps, 'utf8')).trimEnd().split('\n');
      expect(lines.map((line) => line.replace(/^\S+Z /, ''))).toEqual(['kind-2026-11 node-1', 'kind-2026-11 node-1']);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe.each(scripts)('%s', (name) => {
  it.skipIf(!isInstalled('shellcheck'))('has nothing that shellcheck objects to', async () => {
    expect(await shellcheckObjections(projectPath(name))).toBe('');
  });

  it('is executable', async () => {
    expect((await stat(projectPath(name))).mode & 0o111).toBe(0o111);
  });
});
