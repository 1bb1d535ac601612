import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SshPolicy } from '../../src/playbook/playbook.js';
import { routeTo } from '../../src/ssh/route.js';
import { parseSshConfig } from '../../src/ssh/sshConfigFile.js';

const leftOpen: SshPolicy = {
  user: undefined,
  port: undefined,
  address: 'InternalIP',
  knownHosts: [],
  fingerprints: {},
  identity: undefined,
  identityPassphrase: undefined,
  config: '/home/ops/.ssh/config',
  bastion: undefined,
  restricted: false,
  sudo: true,
};

function route(lines: readonly string[] | undefined, policy: Partial<SshPolicy> = {}) {
  const config = lines === undefined ? undefined : parseSshConfig(lines.join('\n'), 'config');
  return routeTo(
    { name: 'worker-1', address: '10.0.0.1' },
    { policy: { ...leftOpen, ...policy }, config, homeDirectory: '/home/ops' },
  );
}
/** `user@host:port` of every machine on the way, the target last. */
function way(lines: readonly string[] | undefined, policy: Partial<SshPolicy> = {}): string {
  const found = route(lines, policy);
  if (found.kind === 'refused') return found.message;
  return [...found.bastions, found.target].map(({ user, host, port }) => `${user}@${host}:${String(port)}`).join(' ');
}
function identities(lines: readonly string[], policy: Partial<SshPolicy> = {}) {
  const found = route(lines, policy);
  return found.kind === 'ok' ? found.target.identities.map(({ path, where }) => `${path} ${where}`) : found.message;
}

describe('the way to a host', () => {
  test('leads to the address of the node, with port and user of the playbook', () => {
    expect(way(undefined, { user: 'ops', port: 2222 })).toBe('ops@10.0.0.1:2222');
    expect(way(undefined, { user: 'ops' })).toBe('ops@10.0.0.1:22');
  });

  test('is what the file says for the name of the node, where the playbook says nothing', () => {
    const lines = ['Host worker-1', 'HostName %h.example', 'User maintenance', 'Port 2022', 'Host 10.0.0.1', 'User no'];
    expect(way(lines)).toBe('maintenance@worker-1.example:2022');
    expect(way(lines, { user: 'ops', port: 22 })).toBe('ops@worker-1.example:22');
  });

  test('needs a user that somebody names', () => {
    expect(way(['Port 22'])).toBe(
      'neither spec.host.ssh.user nor User in config says as whom to log in to worker-1: give one of them',
    );
  });

  test('goes through the bastions of ProxyJump, each looked up by its own name', () => {
    const lines = [
      'Host inner',
      'HostName 192.0.2.2',
      'User jump',
      'Host outer',
      'HostName 192.0.2.1',
      'Port 2200',
      'Host worker-1',
      'ProxyJump outer,ops@inner:2022',
    ];
    expect(way(lines, { user: 'maintenance' })).toBe(
      'maintenance@192.0.2.1:2200 ops@192.0.2.2:2022 maintenance@10.0.0.1:22',
    );
  });

  test('lets the first bastion of a ProxyJump have one of its own, and the others none', () => {
    const lines = [
      'User u',
      'Host worker-1',
      'ProxyJump b,c',
      'Host b',
      'ProxyJump a',
      'Host c',
      'ProxyJump no',
      'Host a',
      'HostName first',
    ];
    expect(way(lines)).toBe('u@first:22 u@b:22 u@c:22 u@10.0.0.1:22');
    const command = (name: string) =>
      way(['User u', 'Host worker-1', 'ProxyJump b,c', `Host ${name}`, 'ProxyCommand nc']);
    expect(command('c')).toBe('u@b:22 u@c:22 u@10.0.0.1:22');
    expect(command('b')).toContain('for the bastion b, config:5 has ProxyCommand');
  });

  test.each([
    [['Host *', 'ProxyJump jump'], 'jump a second time'],
    [['Host worker-1', 'ProxyJump a', 'Host a', 'ProxyJump b', 'Host b', 'ProxyJump a'], 'a a second time'],
    [['Host worker-1', 'ProxyJump a,b,a'], 'a a second time'],
    [['Host worker-1', 'ProxyJump worker-1'], 'worker-1 a second time'],
    [['Host worker-1', 'ProxyJump a,b,c,d,e,f,g,h,i'], 'more than 8 bastions'],
  ])('does not go in a circle: %j', (lines, why) => {
    expect(way(['User u', ...lines])).toContain(`has a ProxyJump that leads through ${why}: write "ProxyJump none"`);
  });

  test('is direct for a bastion that a pattern would send through itself, where the file says none above it', () => {
    expect(way(['User u', 'Host jump', 'ProxyJump none', 'Host *', 'ProxyJump jump'])).toBe('u@jump:22 u@10.0.0.1:22');
  });

  test('is the one that the playbook says, whatever the file does', () => {
    const lines = [
      'User u',
      'Host jump',
      'HostName 192.0.2.9',
      'User j',
      'Port 2200',
      'Host *',
      'ProxyJump other',
      'ProxyCommand nc',
    ];
    const bastion = [{ host: 'jump', port: undefined, user: undefined }];
    expect(way(lines, { bastion })).toBe('u@192.0.2.9:2200 u@10.0.0.1:22');
    expect(way(lines.slice(1), { bastion, user: 'ops' })).toBe('j@192.0.2.9:2200 ops@10.0.0.1:22');
    expect(way(lines, { bastion: [{ host: 'jump', port: 22, user: 'me' }] })).toBe('me@192.0.2.9:22 u@10.0.0.1:22');
    expect(way(lines, { bastion: [] })).toBe('u@10.0.0.1:22');
    expect(
      way(undefined, {
        user: 'ops',
        bastion: [
          { host: 'a', port: 1, user: 'x' },
          { host: 'b', port: undefined, user: undefined },
        ],
      }),
    ).toBe('x@a:1 ops@b:22 ops@10.0.0.1:22');
  });

  test('says for which bastion a line is refused', () => {
    expect(way(['User u', 'Host worker-1', 'ProxyJump jump', 'Host jump', 'ProxyCommand nc'])).toMatch(
      /^for the bastion jump, config:5 has ProxyCommand "nc"/,
    );
  });

  test('ends, and passes each name once, whatever the file says', () => {
    const name = fc.constantFrom('worker-1', 'a', 'b', 'c');
    const jump = fc.tuple(name, fc.array(name, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 5 }), (jumps) => {
        const lines = jumps.flatMap(([host, through]) => [`Host ${host}`, `ProxyJump ${through.join(',')}`]);
        const found = route(['User u', ...lines]);
        if (found.kind === 'refused') return;
        const names = [...found.bastions, found.target].map((machine) => machine.name);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });
});

describe('the keys for a host', () => {
  test('are those of the file with its tokens replaced, and none where the playbook names one', () => {
    const lines = [
      'User ops',
      'HostName 192.0.2.7',
      'IdentityFile ~/.ssh/id_%r@%n',
      'IdentityFile %d/%h_%p%%',
      'IdentityFile /keys/a',
    ];
    expect(identities(lines)).toEqual([
      '/home/ops/.ssh/id_ops@worker-1 IdentityFile in config:3',
      '/home/ops/192.0.2.7_22% IdentityFile in config:4',
      '/keys/a IdentityFile in config:5',
    ]);
    expect(identities(lines, { identity: '/key' })).toEqual([]);
  });

  test.each(['id_rsa', './id', '~ops/id', '~/.ssh/%u', '~/%C', '~/%', '${HOME}/id'])(
    'cannot be %s, which is refused with its place',
    (path) => {
      expect(identities(['User ops', `IdentityFile ${path}`])).toContain(
        `config:2 has IdentityFile "${path}": write an absolute path`,
      );
    },
  );
});
