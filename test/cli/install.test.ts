import { join } from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { manifests } from '../../src/install/manifests.js';
import { directoryWith, goodFiles, runTurnus } from './runTurnus.js';

function objectsIn(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJSON() as unknown;
  });
}

describe('turnus install --print', () => {
  it('prints every object as YAML and needs no kubeconfig', async () => {
    const end = await runTurnus(['install', '--print']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(objectsIn(end.stdout)).toEqual(JSON.parse(JSON.stringify(manifests('turnus-system'))));
  });

  it('prints them for the namespace that is asked for', async () => {
    const { stdout } = await runTurnus(['install', '--print', '--system-namespace', 'maintenance']);
    expect(objectsIn(stdout)).toEqual(JSON.parse(JSON.stringify(manifests('maintenance'))));
    expect(stdout).not.toContain('turnus-system');
  });

  it('prints the permission to restart Deployments with --with surge alone', async () => {
    const { stdout } = await runTurnus(['install', '--print', '--with', 'surge']);
    expect(objectsIn(stdout)).toEqual(JSON.parse(JSON.stringify(manifests('turnus-system', ['surge']))));
    expect(stdout).not.toBe((await runTurnus(['install', '--print'])).stdout);
    const end = await runTurnus(['install', '--print', '--with', 'everything']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('Allowed choices are surge');
  });

  it('prints no aliases, which not every reader of manifests knows', async () => {
    const { stdout } = await runTurnus(['install', '--print']);
    expect(stdout).not.toMatch(/[&*]a\d/);
  });
});

describe('turnus install --print -f', () => {
  const withConditions = goodFiles['monthly.yaml'].concat(
    '  gates: {clusterHealth: {conditions: [{apiVersion: v1, kind: Node, path: .status.phase, in: [a]}]}}\n',
  );

  it('prints the same for a playbook without conditions, and needs no kubeconfig', async () => {
    const directory = await directoryWith(goodFiles);
    const end = await runTurnus(['install', '--print', '-f', join(directory, 'monthly.yaml')]);
    expect(end).toEqual({ ...(await runTurnus(['install', '--print'])), stderr: end.stderr });
    expect(end.exitCode).toBe(0);
  });

  it('says what is missing for a playbook that surges singletons', async () => {
    const surges = goodFiles['monthly.yaml'].concat('  gates: {replicaSpread: {singletons: surge}}\n');
    const directory = await directoryWith({ ...goodFiles, 'monthly.yaml': surges });
    const args = ['install', '--print', '-f', join(directory, 'monthly.yaml')];
    expect((await runTurnus(args)).stderr).toContain('needs `--with surge` as well');
    expect((await runTurnus([...args, '--with', 'surge'])).stderr).not.toContain('--with surge');
  });

  it('prints nothing without a cluster where the playbook has conditions, and says why it asks', async () => {
    const directory = await directoryWith({ ...goodFiles, 'monthly.yaml': withConditions });
    const end = await runTurnus(['install', '--print', '-f', join(directory, 'monthly.yaml')]);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('Asking the API server where the kinds of the conditions of the playbook are served.');
    expect(end.stderr).toContain('There is no kubeconfig');
  });

  it('names the mistakes of the playbook', async () => {
    const directory = await directoryWith({
      ...goodFiles,
      'monthly.yaml': withConditions.replace('.status', 'status'),
    });
    const end = await runTurnus(['install', '--print', '-f', join(directory, 'monthly.yaml')]);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('monthly.yaml:9:75 spec.gates.clusterHealth.conditions[0].path: expected a path');
  });
});

describe('standard output whose reader has gone', () => {
  function failing(code: string): Writable {
    return new Writable({
      write: (_chunk, _encoding, callback) => {
        callback(Object.assign(new Error(`write ${code}`), { code }));
      },
    });
  }

  it.each([['install', '--print'], ['--help']])('is no error of %s %s', async (...argv) => {
    expect(await runTurnus(argv, { stdout: failing('EPIPE') })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('is told apart from one that cannot be written', async () => {
    const end = await runTurnus(['install', '--print'], { stdout: failing('ENOSPC') });
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('write ENOSPC');
  });
});

describe('turnus install', () => {
  it('ends with 2 without a kubeconfig', async () => {
    const end = await runTurnus(['install']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain('There is no kubeconfig');
  });
});
