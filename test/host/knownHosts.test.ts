import { createHash, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fingerprintOf,
  keyTypeOf,
  knownHostsLine,
  knownKeyTypes,
  parseKnownHosts,
  verifyHostKey,
} from '../../src/host/knownHosts.js';
import { matchesPattern } from '../../src/host/knownHostsPattern.js';
import { containing } from './matchers.js';

/** A public key of a type: RFC 4253, 6.6. The bytes after the type do not matter here. */
function keyOf(type: string, seed: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(`key material ${String(seed)}`)]);
}
const ed25519 = keyOf('ssh-ed25519', 1);
const otherEd25519 = keyOf('ssh-ed25519', 2);
const rsa = keyOf('ssh-rsa', 3);
const line = (hosts: string, key: Buffer) => `${hosts} ${keyTypeOf(key) ?? ''} ${key.toString('base64')}`;
function hashed(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}
function verdict(
  lines: readonly string[],
  change: { key?: Buffer; names?: string[]; port?: number; pinned?: string } = {},
) {
  const { key = ed25519, names = ['10.0.0.1', 'node-1'], port = 22, pinned } = change;
  return verifyHostKey({
    files: [parseKnownHosts(lines.join('\n'), 'known_hosts')],
    host: { names, port },
    key,
    pinned,
  });
}

describe('verifyHostKey', () => {
  test.each([
    ['a plain line', [line('10.0.0.1', ed25519)]],
    ['a list', [line('other,10.0.0.1', ed25519)]],
    ['the name of the node', [line('node-1', ed25519)]],
    ['other letters in the name', [line('NODE-1', ed25519)]],
    ['a wildcard', [line('10.0.*', ed25519)]],
    ['a hashed line', [line(hashed('10.0.0.1'), ed25519)]],
    ['a second line of the same type', [line('10.0.0.1', otherEd25519), line('10.0.0.1', ed25519)]],
    ['a line of another type beside', [line('10.0.0.1', rsa), line('10.0.0.1', ed25519)]],
  ])('knows the key by %s', (_what, lines) => {
    expect(verdict(lines)).toMatchObject({ kind: 'known', fingerprint: fingerprintOf(ed25519) });
  });

  test.each([
    ['no line', []],
    ['a line for another host', [line('10.0.0.2', ed25519)]],
    ['a line for a port', [line('[10.0.0.1]:2222', ed25519)]],
    ['a negated pattern', [line('10.0.*,!10.0.0.1', ed25519)]],
    ['a hash of another name', [line(hashed('10.0.0.2'), ed25519)]],
    ['a comment', [`# ${line('10.0.0.1', ed25519)}`]],
  ])('does not know the key by %s', (_what, lines) => {
    expect(verdict(lines)).toMatchObject({ kind: 'unknown', fingerprint: fingerprintOf(ed25519) });
  });

  test('names the other types that are known for the host', () => {
    expect(verdict([line('10.0.0.1', rsa)])).toMatchObject({ kind: 'unknown', otherTypes: ['ssh-rsa'] });
  });

  test('names the line that expects another key of this type', () => {
    expect(verdict(['# comment', line('10.0.0.1', otherEd25519)])).toMatchObject({
      kind: 'mismatch',
      where: 'known_hosts:2',
      expected: fingerprintOf(otherEd25519),
      line: { path: 'known_hosts', name: '10.0.0.1', hasPattern: false },
    });
  });

  test.each([
    ['10.0.0.1', 22, '10.0.0.1', false],
    ['10.0.0.9,node-1', 22, 'node-1', false],
    ['[10.0.0.1]:2222', 2222, '[10.0.0.1]:2222', false],
    ['10.0.0.?', 22, '10.0.0.1', true],
    ['*', 2222, '[10.0.0.1]:2222', true],
    ['10.0.0.1,!10.0.0.2', 22, '10.0.0.1', true],
    [hashed('[node-1]:2222'), 2222, '[node-1]:2222', false],
  ])('says by what name ssh-keygen finds the outdated line "%s" at port %i', (hosts, port, name, hasPattern) => {
    const outdated = { path: 'known_hosts', name, hasPattern };
    expect(verdict([line(hosts, otherEd25519)], { port })).toMatchObject({ kind: 'mismatch', line: outdated });
  });

  test('takes one name that does not agree for a mismatch', () => {
    const lines = [line('10.0.0.1', otherEd25519), line('node-1', ed25519)];
    expect(verdict(lines)).toMatchObject({ kind: 'mismatch', where: 'known_hosts:1' });
  });

  test('asks for host and port at another port, and takes a line without port only when it has this key', () => {
    expect(verdict([line('[10.0.0.1]:2222', ed25519)], { port: 2222 }).kind).toBe('known');
    expect(verdict([line('10.0.0.1', ed25519)], { port: 2222 }).kind).toBe('known');
    expect(verdict([line('10.0.0.1', otherEd25519)], { port: 2222 }).kind).toBe('unknown');
    expect(verdict([line(hashed('[10.0.0.1]:2222'), ed25519)], { port: 2222 }).kind).toBe('known');
  });

  test('refuses a revoked key, whatever else names it', () => {
    const lines = [line('10.0.0.1', ed25519), `@revoked ${line('*', ed25519)}`];
    expect(verdict(lines)).toMatchObject({ kind: 'revoked', where: 'known_hosts:2' });
    expect(verdict(lines, { pinned: fingerprintOf(ed25519) }).kind).toBe('revoked');
    expect(verdict([line('10.0.0.1', ed25519), `@revoked ${line('*', otherEd25519)}`]).kind).toBe('known');
  });

  test('says that certificate authorities are not supported, where nothing else names the host', () => {
    expect(verdict([`@cert-authority ${line('*', ed25519)}`])).toMatchObject({
      kind: 'unsupported',
      message: containing('known_hosts:1'),
    });
    expect(verdict([`@cert-authority ${line('*', otherEd25519)}`, line('10.0.0.1', ed25519)]).kind).toBe('known');
  });

  test('lets a fingerprint of the playbook decide, over the files', () => {
    expect(verdict([line('10.0.0.1', otherEd25519)], { pinned: `${fingerprintOf(ed25519)}=` }).kind).toBe('known');
    expect(verdict([line('10.0.0.1', ed25519)], { pinned: fingerprintOf(otherEd25519) })).toMatchObject({
      kind: 'mismatch',
      where: containing('playbook'),
      expected: fingerprintOf(otherEd25519),
    });
  });

  test('knows a key by the line that it would have people add, at any port', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), fc.nat(), (name, port, seed) => {
        const key = keyOf('ecdsa-sha2-nistp256', seed);
        const host = { names: [name], port };
        expect(verdict([knownHostsLine(host, key)], { key, ...host }).kind).toBe('known');
        expect(verdict([knownHostsLine(host, key)], { key: ed25519, ...host }).kind).toBe('unknown');
      }),
    );
  });
});

describe('parseKnownHosts', () => {
  test.each([
    ['10.0.0.1 ssh-ed25519', 'needs host names'],
    ['10.0.0.1 ssh-rsa ' + ed25519.toString('base64'), 'not of type ssh-rsa'],
    ['10.0.0.1 ssh-ed25519 !!!!', 'damaged'],
    [`@maybe ${line('10.0.0.1', ed25519)}`, '@maybe'],
    [line('|1|x', ed25519), 'hashed'],
    [line('|2|YWJj|YWJj', ed25519), 'hashed'],
  ])('reports "%s" and does not use it', (broken, message) => {
    const file = parseKnownHosts(`\n${broken}\n${line('10.0.0.1', ed25519)} comment with spaces\r\n`, 'hosts');
    expect(file.problems).toEqual([{ where: 'hosts:2', message: containing(message) }]);
    expect(file.entries).toHaveLength(1);
  });

  test('never throws, and knows no host by garbage', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (garbage) => {
        expect(verdict([garbage]).kind).toBe('unknown');
      }),
    );
  });
});

describe('knownKeyTypes', () => {
  test('gives the types of the lines for the host, in their order', () => {
    const file = parseKnownHosts(
      [
        line('10.0.0.1', rsa),
        line('10.0.0.2', ed25519),
        line('10.0.0.1', ed25519),
        `@revoked ${line('*', keyOf('ssh-dss', 1))}`,
      ].join('\n'),
      'hosts',
    );
    expect(knownKeyTypes([file], { names: ['10.0.0.1'], port: 22 })).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(knownKeyTypes([file], { names: ['10.0.0.1'], port: 2222 })).toEqual(['ssh-rsa', 'ssh-ed25519']);
    expect(knownKeyTypes([file], { names: ['10.0.0.9'], port: 22 })).toEqual([]);
  });
});

describe('matchesPattern', () => {
  test('agrees with a regular expression of the same meaning', () => {
    const symbols = fc.constantFrom('a', 'b', '.', '[', ']', '*', '?');
    fc.assert(
      fc.property(
        fc.string({ unit: symbols, maxLength: 8 }),
        fc.string({ unit: symbols, maxLength: 8 }),
        (pattern, text) => {
          const escaped = pattern
            .split('')
            .map((each) => (each === '*' ? '.*' : each === '?' ? '.' : each.replace(/[.[\]]/, String.raw`\$&`)));
          expect(matchesPattern(pattern, text)).toBe(new RegExp(`^${escaped.join('')}$`, 's').test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('is quick on a pattern that is slow for others', () => {
    expect(matchesPattern(`${'*a'.repeat(30)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

test('fingerprintOf prints what ssh-keygen prints', () => {
  expect(fingerprintOf(ed25519)).toBe(
    `SHA256:${createHash('sha256').update(ed25519).digest('base64').replaceAll('=', '')}`,
  );
});
