import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { manifests } from '../../src/install/manifests.js';
import { runTurnus } from '../cli/runTurnus.js';

const checkedIn = new URL('../../deploy/turnus.yaml', import.meta.url);
const kinds = manifests('turnus-system').map(({ kind }) => kind);

describe('the manifests', () => {
  it('come in an order in which they can be applied', () => {
    expect(kinds[0]).toBe('Namespace');
    expect(kinds.lastIndexOf('CustomResourceDefinition')).toBeLessThan(kinds.indexOf('ValidatingAdmissionPolicy'));
    expect(kinds.indexOf('ServiceAccount')).toBeLessThan(kinds.indexOf('ClusterRoleBinding'));
    expect(kinds.indexOf('ValidatingAdmissionPolicy')).toBeLessThan(kinds.indexOf('ValidatingAdmissionPolicyBinding'));
  });

  it('name every object once', () => {
    const names = manifests('turnus-system').map(
      ({ kind, metadata }) => `${kind ?? ''} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('put nothing into the default namespace when another one is chosen', () => {
    expect(JSON.stringify(manifests('maintenance'))).not.toContain('turnus-system');
  });

  it('demand that a run names who really asked for it', () => {
    const policy = JSON.stringify(manifests('turnus-system').find(({ kind }) => kind === 'ValidatingAdmissionPolicy'));
    expect(policy).toContain('object.spec.requester == request.userInfo.username');
    expect(policy).toContain('"failurePolicy":"Fail"');
  });

  it('let the policy see what people ask of a run, but not the status that the actor writes', () => {
    const policy = manifests('turnus-system').find(({ kind }) => kind === 'ValidatingAdmissionPolicy');
    expect(policy?.['spec']).toMatchObject({
      matchConstraints: { resourceRules: [{ operations: ['CREATE', 'UPDATE'], resources: ['maintenanceruns'] }] },
    });
  });
});

describe('deploy/turnus.yaml', () => {
  it('is what `turnus install --print` prints; otherwise run `npm run manifests`', async () => {
    const { stdout } = await runTurnus(['install', '--print']);
    expect(await readFile(checkedIn, 'utf8')).toBe(stdout);
  });

  it('is YAML that holds every object', async () => {
    const documents = parseAllDocuments(await readFile(checkedIn, 'utf8'));
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(documents.map((document) => document.toJSON() as unknown)).toEqual(
      JSON.parse(JSON.stringify(manifests('turnus-system'))),
    );
  });
});
