import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../src/kubernetes/connect.js';
import { readKubeconfig } from '../../src/kubernetes/kubeconfig.js';
import { systemClock } from '../../src/systemClock.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'turnus-kubeconfig-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function write(name: string, content: unknown): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function config(name: string, fields: Record<string, unknown> = {}) {
  return {
    'current-context': name,
    clusters: [{ name, cluster: { server: `https://${name}.example:6443` } }],
    users: [{ name, user: { token: `token-${name}` } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    ...fields,
  };
}

describe('a kubeconfig', () => {
  it('is merged from several files as kubectl does: the first that names something wins', async () => {
    const a = await write('a', config('a'));
    const b = await write('b', {
      ...config('b'),
      clusters: [
        { name: 'a', cluster: { server: 'https://evil' } },
        { name: 'b', cluster: { server: 'https://b/' } },
      ],
    });
    const path = `${join(directory, 'missing')}:${a}:${b}`;
    expect(await readKubeconfig({ path })).toMatchObject({ context: 'a', server: 'https://a.example:6443' });
    expect(await readKubeconfig({ path, context: 'b' })).toMatchObject({
      server: 'https://b',
      user: { token: 'token-b' },
    });
  });

  it('has paths relative to itself', async () => {
    await mkdir(join(directory, 'pki'));
    await write('pki/ca.crt', 'ca');
    const path = await write(
      'a',
      config('a', {
        clusters: [{ name: 'a', cluster: { server: 'https://a', 'certificate-authority': 'pki/ca.crt' } }],
        users: [{ name: 'a', user: { exec: { command: './bin/login' } } }],
      }),
    );
    expect(await readKubeconfig({ path })).toMatchObject({
      cluster: { 'certificate-authority': join(directory, 'pki/ca.crt') },
      user: { exec: { command: join(directory, 'bin/login') } },
    });
  });

  it.each([
    ['kubeconfig-missing', undefined, undefined, 'does not exist'],
    ['kubeconfig-broken', 'clusters:\n  - name: a\n bad', undefined, ':3:'],
    ['kubeconfig-broken', 'just text', undefined, 'is not a kubeconfig'],
    ['context-missing', { ...config('a'), 'current-context': '' }, undefined, 'no current-context'],
    ['context-unknown', config('a'), 'b', 'no context "b"'],
    ['cluster-unknown', config('a', { clusters: [] }), undefined, 'names the cluster "a"'],
    ['cluster-without-server', config('a', { clusters: [{ name: 'a', cluster: {} }] }), undefined, 'has no server'],
    [
      'cluster-without-server',
      config('a', { clusters: [{ name: 'a', cluster: { server: 'a:6443' } }] }),
      undefined,
      'no http(s) URL',
    ],
    ['user-unknown', config('a', { users: null }), undefined, 'names the user "a"'],
    [
      'credential-unreadable',
      config('a', { users: [{ name: 'a', user: { 'client-key': 'no.key' } }] }),
      undefined,
      'client-key of user "a"',
    ],
  ])('is refused with %s', async (code, content, context, text) => {
    const path = content === undefined ? join(directory, 'missing') : await write('config', content);
    const reading = readKubeconfig({ path, ...(context === undefined ? {} : { context }) });
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringContaining(text) as string });
  });

  it('that lacks the context tells which contexts there are', async () => {
    const path = await write('config', config('a'));
    await expect(readKubeconfig({ path, context: 'b' })).rejects.toMatchObject({
      hint: expect.stringContaining('Its contexts: a.') as string,
    });
  });
});

describe('connecting', () => {
  const options = { inCluster: false, userAgent: 'turnus/test', clock: systemClock, requestTimeoutMs: 2000 };

  it('needs a kubeconfig or a pod', async () => {
    await expect(connect(options)).rejects.toMatchObject({ code: 'no-kubeconfig' });
    await expect(connect({ ...options, inCluster: true })).rejects.toMatchObject({ code: 'not-in-cluster' });
  });

  it('fails with what a credential plugin said last', async () => {
    const plugin = await write('login', '#!/bin/sh\necho first >&2; echo "please log in" >&2; exit 3\n');
    await chmod(plugin, 0o700);
    const path = await write(
      'config',
      config('a', {
        users: [{ name: 'a', user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: './login' } } }],
      }),
    );
    await expect(connect({ ...options, kubeconfigPath: path })).rejects.toMatchObject({
      code: 'exec-plugin-failed',
      message: expect.stringMatching(/login" of user "a" failed: please log in$/) as string,
    });
  });

  it('fails where a credential plugin cannot be started or says nothing in time', async () => {
    const userWith = (exec: unknown) => config('a', { users: [{ name: 'a', user: { exec } }] });
    const missing = await write('missing', userWith({ command: './none' }));
    await expect(connect({ ...options, kubeconfigPath: missing })).rejects.toMatchObject({
      code: 'exec-plugin-failed',
    });
    const silent = await write('silent', userWith({ command: 'sleep', args: ['2'] }));
    await expect(connect({ ...options, requestTimeoutMs: 100, kubeconfigPath: silent })).rejects.toMatchObject({
      code: 'exec-plugin-failed',
      message: expect.stringContaining('no answer') as string,
    });
  });
});
