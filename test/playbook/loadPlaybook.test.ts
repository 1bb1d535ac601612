import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import { formatMistake } from '../../src/playbook/mistake.js';
import { filesInMemory, load, loadGood, mistakesOf, playbookWith, teamFiles } from './playbookFiles.js';

describe('a playbook without mistakes', () => {
  it('has every default filled in when it says only what it must', async () => {
    const playbook = await loadGood(playbookWith());

    expect(playbook).toMatchObject({
      name: 'monthly',
      clusterUid: '6f1c0a52-1111-4222-8333-444455556666',
      schedule: { timeZone: 'UTC' },
      nodes: {
        selector: '',
        exclude: 'turnus.dev/exclude',
        order: ['longestSinceTurn'],
        canaries: 1,
        maxUnavailable: 1,
        stopAfterFailures: 1,
      },
      gates: {
        replicaSpread: { minReadyElsewhere: '50%', singletons: 'allow' },
        managedBudgets: [],
        clusterHealth: { conditions: [], waitMs: 1_800_000 },
      },
      drain: {
        timeoutMs: 900_000,
        attempts: 2,
        localData: 'delete',
        unmanagedPods: 'block',
        jobPods: 'wait',
        jobPodsLimitMs: 3_600_000,
        waitForReplacements: true,
      },
      health: { consecutive: 3, intervalMs: 5000, timeoutMs: 900_000, daemonSets: true, commands: [] },
      settle: { timeMs: 30_000, timeoutMs: 900_000 },
      runHistoryLimit: 13,
    });
    expect(playbook.host.reboot).toEqual({ when: 'required', timeoutMs: 1_800_000 });
    expect(playbook.host.ssh).toEqual({
      user: 'maintenance',
      port: 22,
      address: 'InternalIP',
      knownHosts: ['/team/known_hosts'],
      fingerprints: {},
      identity: undefined,
      identityPassphrase: undefined,
      config: undefined,
      bastion: undefined,
      restricted: false,
      sudo: true,
    });
  });

  it('resolves paths against its own directory and the home directory, and keeps scripts with their digests', async () => {
    const text = playbookWith()
      .replace(
        '{path: known_hosts}',
        '[{path: ./known_hosts}, {path: ~/.ssh/known_hosts}], identity: {path: ~/.ssh/id_ed25519}',
      )
      .concat('    prepare: {script: {path: /team/update.sh}, timeout: 1h30m}\n');
    const playbook = await loadGood(text);

    expect(playbook.host.ssh.knownHosts).toEqual(['/team/known_hosts', '/home/ops/.ssh/known_hosts']);
    expect(playbook.host.ssh.identity).toBe('/home/ops/.ssh/id_ed25519');
    const content = String(teamFiles['/team/update.sh']);
    expect(playbook.host.scripts).toEqual({
      update: { path: '/team/update.sh', content, timeoutMs: 1_800_000 },
      prepare: { path: '/team/update.sh', content, timeoutMs: 5_400_000 },
    });
    const digest = createHash('sha256').update(content).digest('hex');
    expect(playbook.files).toEqual([
      { path: './update.sh', digest },
      { path: '/team/update.sh', digest },
    ]);
  });

  it('lets the bastion take the user of the hosts', async () => {
    const text = playbookWith().replace('user: maintenance', 'user: maintenance, bastion: {host: jump.example}');
    expect((await loadGood(text)).host.ssh.bastion).toEqual([{ host: 'jump.example', port: 22, user: 'maintenance' }]);
  });

  it('takes one bastion, or several in their order', async () => {
    const text = playbookWith().replace(
      'user: maintenance',
      'user: maintenance, bastion: [{host: outer.example, user: jump}, {host: inner.example, port: 2222}]',
    );
    expect((await loadGood(text)).host.ssh.bastion).toEqual([
      { host: 'outer.example', port: 22, user: 'jump' },
      { host: 'inner.example', port: 2222, user: 'maintenance' },
    ]);
    const none = playbookWith().replace('user: maintenance', 'user: maintenance, bastion: []');
    expect((await loadGood(none)).host.ssh.bastion).toBeUndefined();
  });

  it('leaves to an ssh_config file what it does not say itself', async () => {
    const config = 'config: {path: ~/.ssh/config}, identityPassphrase: {path: ./passphrase}';
    const text = playbookWith().replace('user: maintenance', config);
    expect((await loadGood(text)).host.ssh).toMatchObject({
      user: undefined,
      port: undefined,
      config: '/home/ops/.ssh/config',
      identityPassphrase: '/team/passphrase',
      bastion: undefined,
    });
    const written = `user: ops, port: 22, bastion: [{host: jump}], ${config}`;
    expect((await loadGood(playbookWith().replace('user: maintenance', written))).host.ssh).toMatchObject({
      user: 'ops',
      port: 22,
      bastion: [{ host: 'jump', port: undefined, user: undefined }],
    });
    const direct = `bastion: [], ${config}`;
    expect((await loadGood(playbookWith().replace('user: maintenance', direct))).host.ssh.bastion).toEqual([]);
  });

  it('may pin fingerprints instead of naming a known_hosts file', async () => {
    const fingerprint = `SHA256:${'a'.repeat(43)}`;
    const text = playbookWith().replace('knownHosts: {path: known_hosts}', `fingerprints: {node-1: "${fingerprint}"}`);
    expect((await loadGood(text)).host.ssh).toMatchObject({ knownHosts: [], fingerprints: { 'node-1': fingerprint } });
  });

  it('may spell out fields with the value that changes nothing', async () => {
    const text = playbookWith(
      '  schedule: {windows: [], freezes: []}',
      '  nodes: {concurrency: 1}',
      '  gates: {managedBudgets: [], overrides: [], clusterHealth: {conditions: []}, replicaSpread: {singletons: block}}',
      '  drain: {overrides: []}',
    );
    expect((await loadGood(text)).gates.replicaSpread.singletons).toBe('block');
  });

  it('may say where it is recorded and who is told, which is no part of what is done', async () => {
    const text = playbookWith(
      '  journal: {file: ./journal.ndjson}',
      '  notify:',
      '    webhooks:',
      '      - {url: "https://a.example/", secret: {path: ./passphrase}, events: [turn.failed]}',
      '      - {url: "http://127.0.0.1:8080/", secret: {path: /team/passphrase}}',
      '    before: 72h',
    );
    const playbook = await loadGood(text);
    expect(playbook.journal).toEqual({ kind: 'file', path: '/team/journal.ndjson' });
    expect(playbook.notify).toEqual({
      webhooks: [
        { url: 'https://a.example/', secretPath: '/team/passphrase', events: ['turn.failed'] },
        { url: 'http://127.0.0.1:8080/', secretPath: '/team/passphrase', events: undefined },
      ],
      beforeMs: 72 * 3_600_000,
    });
    const plain = await loadGood(playbookWith());
    expect(plain).toMatchObject({ journal: undefined, notify: { webhooks: [], beforeMs: undefined } });
    expect(playbook.normalised).toEqual(plain.normalised);
    expect(playbook.files).toEqual(plain.files);
    expect((await loadGood(playbookWith('  journal: {stdout: true}'))).journal).toEqual({ kind: 'stdout' });
  });

  it('may say otherwise for some namespaces and pods', async () => {
    const text = playbookWith(
      '  gates: {overrides: [{namespaces: {team: acme}, singletons: block}, {namespaces: {tier: gold}, minReadyElsewhere: 100%}]}',
      '  drain: {overrides: [{namespaces: {team: acme}, do: leave}, {selector: "app in (a,b)", do: wait}]}',
    );
    const { gates, drain } = await loadGood(text);
    expect(gates.replicaSpread).toEqual({
      minReadyElsewhere: '50%',
      singletons: 'allow',
      overrides: [
        { namespaces: { team: 'acme' }, singletons: 'block' },
        { namespaces: { tier: 'gold' }, minReadyElsewhere: '100%' },
      ],
    });
    expect(drain.overrides).toEqual([
      { namespaces: { team: 'acme' }, selector: '', do: 'leave' },
      { namespaces: {}, selector: 'app in (a,b)', do: 'wait' },
    ]);
  });

  it('may use an alias for a value', async () => {
    const text = playbookWith('  settle: {timeout: &long 20m}', '  health: {timeout: *long}');
    expect((await loadGood(text)).health.timeoutMs).toBe(1_200_000);
  });

  it('begins with a byte order mark and has Windows line ends without harm', async () => {
    expect((await load(`\uFEFF${playbookWith().replaceAll('\n', '\r\n')}`)).kind).toBe('ok');
  });

  it.each([
    [
      'without the uid of its cluster',
      playbookWith().replace(/ {2}cluster:.*\n/, ''),
      '4:1 spec.cluster.uid: is not given',
    ],
    [
      'that does nothing on the hosts',
      playbookWith().replace('update: {script: {path: ./update.sh}}', 'reboot: {when: never}'),
      '6:3 spec.host: has no script and never reboots',
    ],
    [
      'that wants more turns at the same time than nodes may be out of service',
      playbookWith('  nodes: {concurrency: 3, maxUnavailable: 2}'),
      '9:24 spec.nodes.concurrency: 3 is never reached: spec.nodes.maxUnavailable is 2; raise it to 3, or write 2',
    ],
    [
      'that says nothing of how many nodes may be out of service',
      playbookWith('  nodes: {concurrency: 3}'),
      '9:24 spec.nodes.concurrency: 3 is never reached: spec.nodes.maxUnavailable is 1; raise it to 3, or write 1',
    ],
  ])('warns of a playbook %s', async (_, text, expected) => {
    const answer = await load(text);
    if (answer.kind === 'invalid') throw new Error(answer.mistakes.map(formatMistake).join('\n'));
    expect(answer.warnings.map(formatMistake).join('\n')).toContain(`/team/monthly.yaml:${expected}`);
  });
});

describe('files that a playbook names', () => {
  it.each([
    [
      './nope.sh',
      'there is no file /team/nope.sh; paths are relative to the playbook, or below the home directory as ~/',
    ],
    ['./scripts', '/team/scripts cannot be read: it is a directory'],
    ['no-shebang.sh', '/team/no-shebang.sh does not begin with a #! line; begin it with one such as #!/bin/sh'],
    ['empty.sh', '/team/empty.sh does not begin with a #! line; begin it with one such as #!/bin/sh'],
    ['windows.sh', '/team/windows.sh has Windows line ends, with which no host runs it; save it with Unix line ends'],
    ['binary', '/team/binary is not a text; a script is UTF-8 and no program'],
    ['huge.sh', '/team/huge.sh has 262154 bytes; a script has at most 262144 (256 KiB)'],
  ])('refuses %s as a script', async (path, message) => {
    const text = playbookWith().replace('./update.sh', path);
    expect(await mistakesOf(text)).toEqual([`monthly.yaml:8:29 spec.host.update.script.path: ${message}`]);
  });

  it('names a missing known_hosts and a missing key at the place of their paths', async () => {
    const text = playbookWith().replace(
      '{path: known_hosts}',
      '[{path: known_hosts}, {path: none}], identity: {path: ~/.ssh/none}',
    );
    expect(await mistakesOf(text)).toEqual([
      'monthly.yaml:7:71 spec.host.ssh.knownHosts[1].path: there is no file /team/none; paths are relative to the playbook, or below the home directory as ~/',
      'monthly.yaml:7:96 spec.host.ssh.identity.path: there is no file /home/ops/.ssh/none; paths are relative to the playbook, or below the home directory as ~/',
    ]);
  });

  it('are looked at although other fields are wrong', async () => {
    const mistakes = await mistakesOf(playbookWith('  drain: {timeout: 5}').replace('./update.sh', './nope.sh'));
    expect(mistakes.map((line) => line.slice(0, 40))).toEqual([
      'monthly.yaml:8:29 spec.host.update.scrip',
      'monthly.yaml:9:20 spec.drain.timeout: ex',
    ]);
  });

  it('are read once each', async () => {
    const read: string[] = [];
    const inMemory = filesInMemory({
      ...teamFiles,
      '/team/monthly.yaml': playbookWith('    join: {script: {path: update.sh}}'),
    });
    await loadPlaybook({
      now: 0,
      file: '/team/monthly.yaml',
      homeDirectory: '/home/ops',
      readFile: async (path) => {
        read.push(path);
        return await inMemory(path);
      },
    });
    expect(read.sort()).toEqual(['/team/known_hosts', '/team/monthly.yaml', '/team/update.sh']);
  });
});

describe('a file that is no playbook', () => {
  it.each([
    [
      'an empty file',
      '',
      'monthly.yaml:1:1: is empty; a playbook begins with apiVersion: turnus.dev/v1alpha1 and kind: Playbook',
    ],
    [
      'only a comment',
      '# later\n',
      'monthly.yaml:1:1: is empty; a playbook begins with apiVersion: turnus.dev/v1alpha1 and kind: Playbook',
    ],
    ['a list', '- a\n', 'monthly.yaml:1:1: expected a mapping with apiVersion, kind, metadata, spec, not a list'],
    ['a word', 'hello\n', 'monthly.yaml:1:1: expected a mapping with apiVersion, kind, metadata, spec, not "hello"'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00]), 'monthly.yaml:1:1: is not UTF-8 text'],
    [
      'more than 1 MiB',
      '#'.repeat(1024 * 1024 + 1),
      'monthly.yaml:1:1: has 1048577 bytes; a playbook has at most 1048576 (1 MiB)',
    ],
    ['thousands of open brackets', '\n['.repeat(200_000), 'monthly.yaml:102:1: nests deeper than any playbook does'],
    [
      'thousands of lists in lists',
      `a: 1\n${'- '.repeat(200_000)}`,
      'monthly.yaml:2:1: nests deeper than any playbook does',
    ],
  ])('is named as such: %s', async (_, text, expected) => {
    expect(await mistakesOf(text)).toEqual([expected]);
  });

  it('is named when it is missing', async () => {
    const answer = await loadPlaybook({
      file: 'none.yaml',
      readFile: filesInMemory({}),
      homeDirectory: '/home/ops',
      now: 0,
    });
    expect(answer).toEqual({
      kind: 'invalid',
      mistakes: [{ file: 'none.yaml', line: 1, column: 1, path: '', message: 'there is no such file' }],
    });
  });

  it('is told of the first hundred faults when its YAML is broken throughout', async () => {
    expect(await mistakesOf('"'.repeat(20_000))).toHaveLength(100);
  });

  it('is refused quickly when its aliases grow beyond measure', async () => {
    const levels = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 9; level++) {
      levels.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(',')}]`);
    }
    const [first] = await mistakesOf(levels.join('\n'));
    expect(first).toContain(
      'uses more than 100 aliases, or aliases of aliases that grow beyond measure; write the values out',
    );
  });
});
