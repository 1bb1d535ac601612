import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { fieldsOfSchema, playbookJsonSchema } from '../../src/playbook/jsonSchema.js';
import { load, loadGood, playbookWith } from './playbookFiles.js';

const content = {
  apiVersion: 'turnus.dev/v1alpha1',
  kind: 'Playbook',
  metadata: { name: 'monthly' },
  spec: {
    cluster: { uid: '6f1c0a52-1111-4222-8333-444455556666' },
    nodes: { selector: 'pool=workers', order: ['longestSinceTurn', 'name'], maxUnavailable: '10%' },
    gates: { replicaSpread: { minReadyElsewhere: 1, singletons: 'block' } },
    drain: { timeout: '20m', jobPods: 'evict', localData: 'block' },
    host: {
      ssh: {
        user: 'maintenance',
        knownHosts: [{ path: './known_hosts' }, { path: './more_hosts' }],
        fingerprints: { 'node-2': `SHA256:${'b'.repeat(43)}`, 'node-1': `SHA256:${'a'.repeat(43)}` },
        bastion: { host: 'jump.example', port: 2222 },
      },
      update: { timeout: '1h', script: { path: './update.sh' } },
    },
    health: { commands: ['systemctl is-active kubelet', 'true'], interval: '10s' },
    settle: { time: '0s' },
  },
};

describe('the normalised playbook', () => {
  it('is the same, to the byte, for every order of the keys', async () => {
    const expected = JSON.stringify((await loadGood(stringify(content))).normalised);
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(1000)), async (numbers: Iterator<number, undefined>) => {
        const shuffled = shuffledKeys(content, () => numbers.next().value ?? 0);
        expect(JSON.stringify((await loadGood(stringify(shuffled))).normalised)).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('does not change with comments, quotes and spelled-out defaults', async () => {
    const short = await loadGood(playbookWith());
    const long = await loadGood(
      [
        '# Our monthly round',
        'kind: "Playbook"',
        'apiVersion: turnus.dev/v1alpha1',
        'metadata:',
        '  name: monthly # the name',
        'spec:',
        '  runHistoryLimit: 13',
        '  settle: {time: 30s, timeout: "15m"}',
        '  health: {consecutive: 3, interval: 5s, timeout: 15m, daemonSets: true, commands: []}',
        '  drain: {timeout: 15m, attempts: 2, localData: delete, unmanagedPods: block, jobPods: wait, jobPodsLimit: 1h, waitForReplacements: true, overrides: []}',
        '  gates: {replicaSpread: {minReadyElsewhere: 50%, singletons: allow}, managedBudgets: [], clusterHealth: {conditions: [], wait: 30m}, overrides: []}',
        '  nodes: {selector: "", exclude: turnus.dev/exclude, order: [longestSinceTurn], canaries: 1, concurrency: 1, maxUnavailable: 1, stopAfterFailures: 1, steer: taint}',
        '  schedule: {timeZone: UTC, windows: [], freezes: []}',
        '  host:',
        '    reboot: {when: required, timeout: 30m}',
        '    update: {timeout: 30m, script: {path: ./update.sh}}',
        '    ssh: {sudo: true, address: InternalIP, port: 22, user: maintenance, knownHosts: [{path: known_hosts}], fingerprints: {}}',
        '  cluster: {uid: 6f1c0a52-1111-4222-8333-444455556666}',
      ].join('\n'),
    );
    expect(JSON.stringify(long.normalised)).toBe(JSON.stringify(short.normalised));
  });

  it('keeps durations and paths as written, and is a playbook itself', async () => {
    const { normalised } = await loadGood(stringify(content));
    expect(normalised).toMatchObject({
      spec: {
        drain: { timeout: '20m', jobPodsLimit: '1h' },
        host: { update: { script: { path: './update.sh' }, timeout: '1h' }, ssh: { bastion: { user: 'maintenance' } } },
      },
    });
    expect((await loadGood(stringify(normalised))).normalised).toEqual(normalised);
  });

  it('fills ports and users in where nothing else says them, and leaves them open where a config does', async () => {
    const sshOf = async (ssh: string) =>
      JSON.stringify((await loadGood(playbookWith().replace('user: maintenance', ssh))).normalised);
    expect(await sshOf('user: a, bastion: [{host: b, port: 22, user: a}]')).toBe(
      await sshOf('user: a, port: 22, bastion: {host: b}'),
    );
    expect(await sshOf('user: a, bastion: []')).toBe(await sshOf('user: a'));
    const config = 'config: {path: ~/.ssh/config}';
    const open = [`user: a, ${config}`, `user: a, port: 22, ${config}`, config, `user: a, bastion: [], ${config}`];
    expect(new Set(await Promise.all(open.map(sshOf))).size).toBe(open.length);
  });

  it('says of an ssh_config file where it is, and not what it holds', async () => {
    const text = playbookWith().replace('user: maintenance', 'user: a, config: {path: ~/.ssh/config}');
    const { normalised, files } = await loadGood(text);
    expect(normalised).toMatchObject({ spec: { host: { ssh: { config: { path: '~/.ssh/config' } } } } });
    expect(files.map(({ path }) => path)).toEqual(['./update.sh']);
    expect((await loadGood(stringify(normalised))).normalised).toEqual(normalised);
  });

  it.each([
    ['nodes: {canaries: 2}'],
    ['drain: {timeout: 16m}'],
    ['health: {commands: ["true"]}'],
    ['gates: {replicaSpread: {minReadyElsewhere: 51%}}'],
    ['gates: {clusterHealth: {wait: 31m}}'],
    ['gates: {clusterHealth: {conditions: [{apiVersion: v1, kind: Node, path: .status.phase, in: [a]}]}}'],
  ])('changes with %s', async (line) => {
    const changed = await loadGood(playbookWith(`  ${line}`));
    expect(changed.normalised).not.toEqual((await loadGood(playbookWith())).normalised);
  });
});

describe('whatever stands in a file', () => {
  const fieldNames = [...new Set(fieldsOfSchema(playbookJsonSchema()).flatMap(({ path }) => path.split('.')))];
  const junkText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(
        fc.constantFrom(
          ...Array.from(':-?[]{}&*!|>%@`"\'#, \n\t~<=0a\u0000\uFEFF'),
          '---',
          '...',
          '<<: ',
          '&a ',
          '*a',
          '!!map',
          'spec:\n  ',
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join('')),
  );
  const { junk } = fc.letrec((tie) => ({
    junk: fc.oneof(
      { maxDepth: 5, depthSize: 'large' },
      fc.oneof(
        fc.constantFrom(...fieldNames, '15m', '50%', 'required', './update.sh'),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.double(),
        fc.string(),
      ),
      fc.array(tie('junk'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...fieldNames), fc.string()), tie('junk'), { maxKeys: 6 }),
    ),
  }));

  it('the answer is a list of mistakes that say something, never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(junkText, async (text) => {
        await expectMistakes(text);
      }),
      { numRuns: 400 },
    );
  });

  it('in the fields of a playbook, the answer is a list of mistakes or a playbook', async () => {
    await fc.assert(
      fc.asyncProperty(junk, junk, async (spec, host) => {
        const text = stringify({ ...content, spec: isMapping(spec) ? { ...content.spec, ...spec, host } : spec });
        await expectMistakes(text);
      }),
      { numRuns: 400 },
    );
  });

  async function expectMistakes(text: string): Promise<void> {
    const answer = await load(text);
    if (answer.kind === 'ok') return;
    expect(answer.mistakes.length).toBeGreaterThan(0);
    const lines = text.split(/\r?\n/).length;
    for (const { line, column, message } of answer.mistakes) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(message).toMatch(/^\P{Cc}{5,}$/u);
      expect(message).not.toMatch(/undefined|\[object|Invalid input/);
    }
  }
});

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same content with the keys of every mapping in another order. */
function shuffledKeys(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffledKeys(item, next));
  if (!isMapping(value)) return value;
  const ranked = Object.entries(value).map(([key, inside]) => ({
    key,
    inside: shuffledKeys(inside, next),
    rank: next(),
  }));
  ranked.sort((left, right) => left.rank - right.rank);
  return Object.fromEntries(ranked.map(({ key, inside }) => [key, inside]));
}
