import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterFilePath, parseClusterFilePath, shownFile } from '../../src/cluster/clusterFile.js';
import { readClusterFile } from '../../src/cluster/readClusterFile.js';
import { resources } from '../../src/cluster/resources.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { apiWith, create } from '../sandbox/api/apiFixture.js';

const namespace = 'turnus-system';
const { signal } = new AbortController();

describe('the path of a file in the cluster', () => {
  it('leads back to it, and ends in a file name', () => {
    const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?$/);
    const key = fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/);
    fc.assert(
      fc.property(fc.constantFrom('ConfigMap' as const, 'Secret' as const), name, key, (kind, ofObject, ofFile) => {
        const file = { kind, name: ofObject, key: ofFile };
        expect(parseClusterFilePath(clusterFilePath(file))).toEqual(file);
        expect(clusterFilePath(file).split('/').at(-1)).toBe(ofFile);
      }),
    );
  });

  it.each([
    '/configmap:a/b',
    'configmap:a',
    'configmap:/b',
    'secret:a/',
    'secret:a/b/c',
    'volume:a/b',
    '',
    'a/secret:b/c',
  ])('is not %j', (path) => {
    expect(parseClusterFilePath(path)).toBeUndefined();
    expect(shownFile(path)).toBe(path);
  });

  it('is shown as people call it', () => {
    expect(shownFile('secret:login/id_ed25519')).toBe('key id_ed25519 of Secret login');
  });
});

describe('a file in the cluster', () => {
  const { api } = apiWith();
  create(api, resources.namespaces, { metadata: { name: namespace } });
  const cluster = simulatedPort({ api, caller: 'turnus' });
  create(api, resources.configMaps, {
    metadata: { name: 'scripts', namespace },
    data: { 'a.sh': '#!/bin/sh\necho ä\n', empty: '' },
    binaryData: { bytes: Buffer.from([0, 255, 10]).toString('base64') },
  });
  create(api, resources.secrets, {
    metadata: { name: 'login', namespace },
    data: { id: Buffer.from('hush\n').toString('base64') },
  });
  const read = async (kind: 'ConfigMap' | 'Secret', name: string, key: string) =>
    await readClusterFile({ cluster, namespace, file: { kind, name, key } }, signal);

  it.each([
    ['ConfigMap', 'scripts', 'a.sh', Buffer.from('#!/bin/sh\necho ä\n')],
    ['ConfigMap', 'scripts', 'empty', Buffer.from('')],
    ['ConfigMap', 'scripts', 'bytes', Buffer.from([0, 255, 10])],
    ['Secret', 'login', 'id', Buffer.from('hush\n')],
  ] as const)('of a %s is what stands under its key: %s %s', async (kind, name, key, bytes) => {
    const answer = await read(kind, name, key);
    expect(answer.kind === 'ok' ? Buffer.from(answer.bytes).toString('hex') : answer).toBe(bytes.toString('hex'));
  });

  it.each([
    ['ConfigMap', 'none', 'a.sh', 'no-object', 'there is no ConfigMap none in namespace turnus-system'],
    ['Secret', 'scripts', 'a.sh', 'no-object', 'there is no Secret scripts in namespace turnus-system'],
    [
      'ConfigMap',
      'scripts',
      'b.sh',
      'no-key',
      'ConfigMap scripts in namespace turnus-system has no key b.sh; it has a.sh, bytes, empty',
    ],
    // Not which keys there are: that is part of the Secret.
    ['Secret', 'login', 'toString', 'no-key', 'Secret login in namespace turnus-system has no key toString'],
  ] as const)('is missing where there is none: %s %s %s', async (kind, name, key, code, message) => {
    expect(await read(kind, name, key)).toEqual({ kind: 'missing', code, message });
  });
});
