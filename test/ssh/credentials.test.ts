import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadCredentials, type IdentitySource } from '../../src/ssh/credentials.js';
import type { FileAccess } from '../../src/ssh/fileAccess.js';
import { loadPassphrase } from '../../src/ssh/passphrase.js';
import { TurnusError } from '../../src/turnusError.js';
import { containing } from '../host/matchers.js';
import { createKey } from './shellHost.js';

const secret = 'correct horse battery staple';
const plain = createKey();
const locked = createKey('ed25519', secret);
const lockedPem = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: secret },
}).privateKey;
const files: Readonly<Record<string, string>> = {
  '/plain': plain.private,
  '/plain.pub': plain.public,
  '/locked': locked.private,
  '/locked.pem': lockedPem,
  '/text': 'hello',
};
const closed: FileAccess = { mode: 0o600, isOwn: true };

const readFile = (path: string) => {
  const text = files[path];
  return text === undefined
    ? Promise.reject(Object.assign(new Error(path), { code: 'ENOENT' }))
    : Promise.resolve(text);
};
const identity = (path: string, replaceable = false): IdentitySource => ({ path, where: 'config:7', replaceable });

async function load(
  identities: readonly IdentitySource[],
  change: { passphrase?: string; agentSocket?: string; access?: FileAccess } = {},
) {
  const { passphrase, agentSocket, access = closed } = change;
  const accessTo = () => Promise.resolve(access);
  return await loadCredentials({ identities, passphrase, readFile, accessTo, agentSocket });
}
const failure = async (work: Promise<unknown>) =>
  await work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a private key with a passphrase', () => {
  test.each(['/locked', '/locked.pem'])('%s is opened by it', async (path) => {
    const { keys, description } = await load([identity(path)], { passphrase: secret });
    expect(keys.map((key) => key.isPrivateKey())).toEqual([true]);
    expect(description).toBe(`the key ${path}`);
  });

  test.each(['/locked', '/locked.pem'])('%s is not opened by another one, which nobody is shown', async (path) => {
    const wrong = `${secret}x`;
    const error = await failure(load([identity(path)], { passphrase: wrong, agentSocket: '/agent' }));
    expect(error).toMatchObject({
      code: 'identity-passphrase-wrong',
      message: `The passphrase in spec.host.ssh.identityPassphrase does not open the private key ${path}`,
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  });

  test('is left to the agent without one, and needs one of the two', async () => {
    expect(await load([identity('/locked')], { agentSocket: '/agent' })).toMatchObject({
      keys: [],
      description: 'the keys of the SSH agent (the private key /locked has a passphrase)',
    });
    expect(await failure(load([identity('/locked')]))).toMatchObject({ code: 'identity-encrypted' });
  });

  test('may stand beside one without', async () => {
    expect((await load([identity('/plain')], { passphrase: secret })).keys).toHaveLength(1);
  });
});

describe('keys that may replace each other', () => {
  test('are used in their order, and those that cannot be are told of', async () => {
    const answer = await load([identity('/none', true), identity('/plain', true), identity('/locked', true)], {
      passphrase: secret,
    });
    expect(answer.keys).toHaveLength(2);
    expect(answer.description).toBe('the keys /plain and /locked (the private key /none is not there)');
  });

  test('fail with the first of them where none is left', async () => {
    const error = await failure(load([identity('/none', true), identity('/plain.pub', true)]));
    expect(error).toMatchObject({ code: 'identity-missing', hint: containing('config:7') });
    expect(await failure(load([identity('/plain.pub', true)], { agentSocket: '/agent' }))).toBeUndefined();
  });
});

describe('a secret that others could read', () => {
  test.each([
    [0o644, true, true],
    [0o640, true, true],
    [0o610, true, true],
    [0o604, true, true],
    [0o600, true, false],
    [0o400, true, false],
    [0o644, false, false],
  ])('mode %o of an own file (%s) is refused: %s', async (mode, isOwn, isRefused) => {
    const access = { mode, isOwn };
    const error = await failure(load([identity('/plain')], { access }));
    if (isRefused) {
      const octal = `0${mode.toString(8)}`;
      const message = `The private key /plain is open to other users of this machine (mode ${octal})`;
      expect(error).toMatchObject({ code: 'secret-open-to-others', message });
    } else expect(error).toBeUndefined();
    const passphrase = loadPassphrase(
      '/pass',
      () => Promise.resolve('x'),
      () => Promise.resolve(access),
    );
    expect(await failure(passphrase)).toEqual(isRefused ? containingCode('secret-open-to-others') : undefined);
  });

  test('is no key that the agent takes the place of', async () => {
    const access = { mode: 0o644, isOwn: true };
    expect(await failure(load([identity('/plain')], { access, agentSocket: '/agent' }))).toBeInstanceOf(TurnusError);
  });
});

describe('a passphrase file', () => {
  const from = async (text: string) =>
    await loadPassphrase(
      '/pass',
      () => Promise.resolve(text),
      () => Promise.resolve(closed),
    );

  test.each([
    ['a b', 'a b'],
    ['a b\n', 'a b'],
    ['a b\r\n', 'a b'],
    [' a ', ' a '],
    ['a'.repeat(1024), 'a'.repeat(1024)],
  ])('%j holds %j', async (text, passphrase) => {
    expect(await from(text)).toBe(passphrase);
  });

  test.each(['', '\n', 'hunter2\nhunter3', 'hunter2\n\n', 'hunter2\0', 'hunter2'.repeat(200)])(
    '%j holds none',
    async (text) => {
      const error = await failure(from(text));
      expect(error).toMatchObject({ code: 'identity-passphrase-unusable' });
      expect(inspect(error)).not.toContain('hunter');
    },
  );

  test('that is missing is named', async () => {
    const error = await failure(loadPassphrase('/none', readFile, () => Promise.resolve(undefined)));
    expect(error).toMatchObject({ code: 'identity-passphrase-missing', message: containing('/none') });
  });
});

function containingCode(code: string): unknown {
  return expect.objectContaining({ code }) as unknown;
}
