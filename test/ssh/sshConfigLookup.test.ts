import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseProxyJump } from '../../src/ssh/proxyJump.js';
import { parseSshConfig } from '../../src/ssh/sshConfigFile.js';
import {
  ignoredKeywords,
  knownKeywords,
  refusedKeywords,
  treatmentOf,
  usedKeywords,
} from '../../src/ssh/sshConfigKeywords.js';
import { lookUpHost, type SaidElsewhere } from '../../src/ssh/sshConfigLookup.js';
import { containing } from '../host/matchers.js';

const nothingSaid: SaidElsewhere = { identity: false, way: false };
const lookUp = (lines: string | readonly string[], name = 'worker-1', said = nothingSaid) =>
  lookUpHost(parseSshConfig(typeof lines === 'string' ? lines : lines.join('\n'), 'config'), name, said);
const found = (lines: string | readonly string[], name?: string, said?: SaidElsewhere) => {
  const answer = lookUp(lines, name, said);
  if (answer.kind === 'refused') throw new Error(answer.message);
  const { hostName, user, port, identityFiles, jumps } = answer.config;
  return {
    hostName: hostName?.value,
    user: user?.value,
    port: port?.value,
    identityFiles: identityFiles.map(({ value }) => value),
    jumps: jumps?.value,
  };
};
const refusal = (lines: string | readonly string[], name?: string, said?: SaidElsewhere) => {
  const answer = lookUp(lines, name, said);
  return answer.kind === 'refused' ? answer.message : undefined;
};

describe('what a file says for a host', () => {
  test('is the first value of each keyword in the sections that mean it', () => {
    const lines = [
      'Host other',
      '  User other',
      'Host worker-?',
      '  hostname 10.0.0.7',
      '  Port 2222',
      'Host *',
      '  Port 22',
      '  User ops',
      '  User late',
    ];
    expect(found(lines)).toEqual({
      hostName: '10.0.0.7',
      user: 'ops',
      port: 2222,
      identityFiles: [],
      jumps: undefined,
    });
    expect(found(lines, 'worker-10')).toMatchObject({ hostName: undefined, user: 'ops', port: 22 });
  });

  test.each([
    ['Host worker-1', true],
    ['Host worker-*', true],
    ['Host worker-? other', true],
    ['Host a b worker-1', true],
    ['Host * !worker-1', false],
    ['Host !worker-1 *', false],
    ['Host !worker-2', false],
    ['Host worker-* !worker-2', true],
    ['Host worker', false],
    ['Host WORKER-1', false],
    ['Host worker-1,worker-2', false],
  ])('comes from "%s": %s', (host, isMeant) => {
    expect(found([host, 'User ops']).user).toBe(isMeant ? 'ops' : undefined);
  });

  test('is every IdentityFile, but none', () => {
    const lines = [
      'IdentityFile ~/.ssh/a',
      'Host worker-1',
      'IdentityFile "/keys/b c"',
      'IdentityFile none',
      'IdentityFile ~/.ssh/a',
    ];
    expect(found(lines).identityFiles).toEqual(['~/.ssh/a', '/keys/b c', '~/.ssh/a']);
    expect(found(lines, 'worker-1', { identity: true, way: false }).identityFiles).toEqual([]);
  });

  test('names the host with %h in HostName', () => {
    expect(found('HostName %h.nodes.example').hostName).toBe('worker-1.nodes.example');
  });

  test.each([
    [['ProxyJump a', 'ProxyCommand nc %h %p'], [{ host: 'a' }]],
    [['ProxyCommand none', 'ProxyJump a'], []],
    [['ProxyJump none', 'ProxyJump a', 'ProxyCommand nc'], []],
    [
      ['ProxyJump ops@a:2222,b', 'ProxyJump c'],
      [{ host: 'a', user: 'ops', port: 2222 }, { host: 'b' }],
    ],
  ])('goes with %j through %j', (lines, jumps) => {
    expect(found(lines).jumps).toMatchObject(jumps);
  });

  test('lets later lines pass where an earlier one has settled what they are about', () => {
    expect(refusal(['StrictHostKeyChecking yes', 'Host *', 'StrictHostKeyChecking no'])).toBeUndefined();
    expect(refusal(['StrictHostKeyChecking no', 'StrictHostKeyChecking yes'])).toContain('config:1');
  });

  test('passes over keywords that an IgnoreUnknown before them names', () => {
    expect(refusal(['IgnoreUnknown Fancy*,other', 'FancyKey yes', 'Other 1'])).toBeUndefined();
    expect(refusal(['FancyKey yes', 'IgnoreUnknown Fancy*'])).toContain('config:1');
  });
});

describe('a line that cannot be followed', () => {
  test.each([
    [
      'ProxyCommand nc %h %p',
      'config:2 has ProxyCommand "nc %h %p", which Turnus does not follow: use ProxyJump, or spec.host.ssh.bastion in the playbook',
    ],
    ['Include other.conf', 'config:2 has Include "other.conf", which Turnus does not follow: copy the lines'],
    ['StrictHostKeyChecking no', 'Turnus verifies every host key, and there is no switch'],
    ['StrictHostKeyChecking accept-new', 'Turnus verifies every host key'],
    ['UserKnownHostsFile /dev/null', 'name the known_hosts files in spec.host.ssh.knownHosts'],
    ['HostKeyAlias node', 'spec.host.ssh.fingerprints'],
    ['CertificateFile ~/.ssh/id-cert.pub', 'authorized_keys'],
    ['PKCS11Provider /usr/lib/opensc.so', 'SSH agent'],
    ['HostKeyAlgorithms +ssh-rsa', 'which algorithms Turnus offers is fixed'],
    ['IdentityAgent ~/.1password/agent.sock', 'SSH_AUTH_SOCK'],
    [
      'IdentiyFile ~/.ssh/id',
      'config:2 has the keyword "IdentiyFile", which Turnus does not know: did you mean IdentityFile?',
    ],
    ['Frobnicate yes', 'config:2 has the keyword "Frobnicate", which Turnus does not know: correct or remove it'],
    ['HostName %h.%r', 'only %h and %%'],
    ['HostName a b', 'config:2 (HostName) needs one value: correct the line'],
    ['HostName -oProxyCommand', 'no host name'],
    ['Port 0', 'no number from 1 to 65535'],
    ['Port ssh', 'no number from 1 to 65535'],
    ['User -l', 'not the name of a user'],
    ['User "ops', 'config:2 (User) has a quote that is not closed: correct the line'],
    ['ProxyJump ssh://a', 'expected is a list such as'],
    ['ProxyJump a:0', 'expected is a list such as'],
  ])('"%s" is named with its place and what to do', (line, message) => {
    expect(refusal(['Host worker-*', `  ${line}`])).toContain(message);
  });

  test('in a section for other hosts stops nobody', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...knownKeywords.filter((word) => word !== 'Host' && word !== 'Match')),
        fc.string(),
        (keyword, value) => {
          const lines = ['Host other', `${keyword} ${value.replaceAll('\n', ' ')}`, 'Host worker-1', 'User ops'];
          expect(found(lines).user).toBe('ops');
        },
      ),
    );
  });

  test('is not asked where the playbook says it', () => {
    expect(refusal('ProxyCommand nc', 'worker-1', { identity: false, way: true })).toBeUndefined();
    expect(refusal('ProxyJump ssh://a', 'worker-1', { identity: false, way: true })).toBeUndefined();
    expect(refusal('ProxyCommand nc', 'worker-1', { identity: true, way: false })).toContain('ProxyCommand');
  });

  test.each([
    ['Match all', true],
    ['Match exec "true"', true],
    ['Match host worker-*', true],
    ['Match host other', false],
    ['Match originalhost other,more', false],
    ['Match host *,!worker-1', false],
    ['Match user root host other', false],
    ['Match !host worker-1', true],
    ['Match', true],
  ])('in a section "%s" refuses the host: %s', (match, isRefused) => {
    expect(refusal([match, 'Port 1']) !== undefined).toBe(isRefused);
    if (match !== 'Match') expect(refusal([match, 'ForwardAgent yes', 'ServerAliveInterval 5'])).toBeUndefined();
  });

  test('in a Match knows the host by its HostName too', () => {
    expect(refusal(['HostName 10.0.0.7', 'Match host 10.0.0.7', 'Port 1'])).toContain(
      'config:2 has a Match that may apply',
    );
    expect(refusal(['HostName 10.0.0.7', 'Match host worker-1', 'Port 1'])).toBeUndefined();
  });

  test('never lets a value of a refused keyword through, but those that change nothing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(refusedKeywords).filter((word) => word !== 'Match')),
        fc.string({ minLength: 1 }),
        (keyword, value) => {
          const harmless = refusedKeywords[keyword]?.unless?.includes(value.trim().toLowerCase()) ?? false;
          fc.pre(!harmless && !/["'\\\n]/.test(value));
          expect(refusal(`${keyword} ${value}`)).toContain('config:1');
        },
      ),
    );
  });
});

describe('the keywords', () => {
  test('are each in one list alone', () => {
    const all = [...usedKeywords, ...ignoredKeywords, ...Object.keys(refusedKeywords)].map((word) =>
      word.toLowerCase(),
    );
    expect(new Set(all).size).toBe(all.length);
    expect(knownKeywords.filter((word) => treatmentOf(word.toUpperCase()) === undefined)).toEqual([]);
  });

  test('stand in docs/ssh.md with what becomes of them', async () => {
    const text = await readFile(new URL('../../docs/ssh.md', import.meta.url), 'utf8');
    const between = (from: string, to: string) => text.slice(text.indexOf(from), text.indexOf(to));
    const used = between('### Used', '### Ignored');
    const ignored = between('### Ignored', '### Refused');
    const refused = between('### Refused', '## Several bastions');
    expect(usedKeywords.filter((word) => !used.includes(`\`${word}\``))).toEqual([]);
    expect(ignoredKeywords.filter((word) => !ignored.includes(`\`${word}\``))).toEqual([]);
    for (const [word, { instead, unless = [] }] of Object.entries(refusedKeywords)) {
      const row = refused.split('\n').find((line) => line.includes(`\`${word}\``));
      expect(row, word).toEqual(containing(instead));
      for (const value of unless) expect(row?.toLowerCase(), word).toContain(`\`${value}\``);
    }
  });
});

describe('ProxyJump', () => {
  test.each([
    ['jump', [{ host: 'jump', user: undefined, port: undefined }]],
    ['ops@jump:2222', [{ host: 'jump', user: 'ops', port: 2222 }]],
    ['a,b@c,d:1', [{ host: 'a' }, { host: 'c', user: 'b' }, { host: 'd', port: 1 }]],
    ['[2001:db8::1]:22', [{ host: '2001:db8::1', port: 22 }]],
    ['2001:db8::1', [{ host: '2001:db8::1', port: undefined }]],
    ['a@b@jump', [{ host: 'jump', user: 'a@b' }]],
    ['', undefined],
    ['a,', undefined],
    ['a b', undefined],
    ['@a', undefined],
    ['-oX', undefined],
    ['a:', undefined],
    ['a:99999', undefined],
    ['[a', undefined],
    ['%h', undefined],
  ])('"%s" is %j', (text, jumps) => {
    if (jumps === undefined) expect(parseProxyJump(text)).toBeUndefined();
    else expect(parseProxyJump(text)).toMatchObject(jumps);
  });

  test('never gives a host or a user that a command line could take for an option', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '-', '@', ':', ',', '[', ']', '.', '1', '%', ' ') }),
        (text) => {
          for (const { host, user } of parseProxyJump(text) ?? []) {
            expect(host.startsWith('-')).toBe(false);
            expect(user?.startsWith('-') ?? false).toBe(false);
          }
        },
      ),
    );
  });
});
