import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadGood, mistakesOf, playbookWith } from './playbookFiles.js';

const ceph = {
  apiVersion: 'ceph.rook.io/v1',
  kind: 'CephCluster',
  namespace: 'rook-ceph',
  name: 'main',
  path: '.status.ceph.health',
  in: ['HEALTH_OK', 'HEALTH_WARN'],
};

/** A playbook with this one condition, a field a line: `gates` is line 9, `apiVersion` line 12. */
function withCondition(condition: Readonly<Record<string, unknown>>): string {
  const fields = stringify(condition).trimEnd().split('\n');
  const [first = '', ...rest] = fields;
  return playbookWith(
    '  gates:',
    '    clusterHealth:',
    '      conditions:',
    `        - ${first}`,
    ...rest.map((line) => `          ${line}`),
  );
}

describe('a condition of the cluster', () => {
  it('is read with its path, and its wait in milliseconds', async () => {
    const text = withCondition(ceph).concat('      wait: 45m\n');
    const { clusterHealth } = (await loadGood(text)).gates;
    expect(clusterHealth.waitMs).toBe(2_700_000);
    expect(clusterHealth.conditions).toMatchObject([
      {
        ...ceph,
        path: { text: '.status.ceph.health', steps: [{ key: 'status' }, { key: 'ceph' }, { key: 'health' }] },
      },
    ]);
  });

  it('may be about all objects of a kind, wherever they are', async () => {
    const { namespace: _namespace, name: _name, ...all } = ceph;
    const { clusterHealth } = (await loadGood(withCondition(all))).gates;
    expect(clusterHealth.conditions).toMatchObject([{ namespace: undefined, name: undefined }]);
  });

  it('keeps its path as written in the normalised playbook, which loads again', async () => {
    const path = '{.status.conditions[?(@.type=="Ready")].status}';
    const { normalised } = await loadGood(withCondition({ ...ceph, path }));
    expect(normalised).toMatchObject({ spec: { gates: { clusterHealth: { conditions: [{ path }], wait: '30m' } } } });
    const again = await loadGood(stringify(normalised));
    expect(again.normalised).toEqual(normalised);
    expect(again.gates.clusterHealth.conditions[0]?.path.text).toBe(path.slice(1, -1));
  });

  it('may be given without a wait', async () => {
    const text = withCondition(ceph).concat('      wait: 0s\n');
    expect((await loadGood(text)).gates.clusterHealth.waitMs).toBe(0);
  });

  it('may be written as in the example of docs/playbook.md', async () => {
    const page = await readFile(new URL('../../docs/playbook.md', import.meta.url), 'utf8');
    const example = /```yaml\n(gates:\n {2}clusterHealth:\n[^`]*)```/.exec(page)?.[1] ?? '';
    const indented = example.split('\n').map((line) => `  ${line}`);
    const { clusterHealth } = (await loadGood(playbookWith(...indented))).gates;
    expect(clusterHealth.conditions.map(({ kind }) => kind)).toEqual([
      'CephCluster',
      'Volume',
      'StatefulSet',
      'Cluster',
    ]);
  });
});

describe('a mistake in a condition', () => {
  const path = 'expected a path such as .status.ceph.health or .status.conditions[?(@.type=="Ready")].status';
  it.each<[string, Record<string, unknown>, string]>([
    [
      'path without a dot',
      { path: 'status' },
      `16:17 path: ${path}, not "status"; character 1: begin with a dot and a field, such as .status`,
    ],
    [
      'path with a range',
      { path: '.status.disks[0:2].state' },
      `16:17 path: ${path}, not ".status.disks[0:2].state"; character 16: ranges and several members at once are not supported: name one member, or write [*]`,
    ],
    [
      'comparison as in kubectl wait',
      { path: '.status.phase=Ready' },
      `16:17 path: ${path}, not ".status.phase=Ready"; character 14: a comparison has no place here: what is wanted stands in the field in`,
    ],
    ['path in braces without quotes', { path: { '.status': null } }, `17:13 path: ${path}, not a mapping`],
    [
      'path that is too long',
      { path: `.${'a'.repeat(1024)}` },
      '16:17 path: expected a path of at most 1024 characters',
    ],
    ['path that is missing', { path: undefined }, `12:11 path: is missing; ${path}`],
    ['list of no value', { in: [] }, '17:15 in: expected at least one value'],
    [
      'value that YAML takes for a boolean',
      { in: ['Unknown', true] },
      '19:15 in[1]: expected a text, not true; put it in quotes, such as "True"',
    ],
    ['value that is a number', { in: [3] }, '18:15 in[0]: expected a text, not 3; put it in quotes, such as "True"'],
    ['plural instead of the kind', { kind: 'cephclusters' }, '13:17 kind: expected a kind such as CephCluster, not'],
    [
      'group without a version',
      { apiVersion: 'ceph.rook.io/' },
      '12:23 apiVersion: expected a group and version such as ceph.rook.io/v1, not "ceph.rook.io/"',
    ],
    [
      'namespace that cannot be',
      { namespace: 'Rook' },
      '14:22 namespace: expected the name of a namespace, not "Rook"',
    ],
    ['name that is a path', { name: '../x' }, '15:17 name: expected the name of an object, not "../x"'],
    [
      'Secret',
      { apiVersion: 'v1', kind: 'Secret' },
      '13:17 kind: Secrets cannot be read: what a condition reads is shown in plans and in the journal; name another kind',
    ],
    ['misspelt key', { nmae: 'main' }, '20:11 nmae: unknown field; did you mean name?'],
  ])('is named with its place: a %s', async (_, changes, expected) => {
    const [mistake = '', ...others] = await mistakesOf(withCondition({ ...ceph, ...changes }));
    expect(others).toEqual([]);
    const [place = '', field = ''] = expected.split(' ', 2);
    const said = `monthly.yaml:${place} spec.gates.clusterHealth.conditions[0].${field} ${expected.slice(place.length + field.length + 2)}`;
    expect(mistake.slice(0, said.length)).toBe(said);
  });
});
