import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAtPath, type PathReading } from '../../src/cluster/objectPath.js';
import { parseObjectPath } from '../../src/cluster/parseObjectPath.js';

const object = {
  metadata: {
    name: 'main',
    labels: { app: 'ceph', 'sim.test/tier': 'gold', 'it\'s "odd"': 'yes' },
    annotations: { 'back\\slash': '1' },
  },
  spec: { replicas: 3, paused: false, pools: [] },
  status: {
    phase: 'Ready',
    nothing: null,
    empty: '',
    ceph: { health: 'HEALTH_WARN' },
    ratio: 0.5,
    conditions: [
      { type: 'Progressing', status: 'False', observed: 7 },
      { type: 'Ready', status: 'True', observed: 8 },
      { status: 'Unknown' },
    ],
    disks: [{ state: 'ok' }, { state: 'worn' }],
    names: ['a', 'b', 'c'],
    byZone: { a: 'up', b: 'down' },
  },
};

function read(text: string, from: unknown = object): PathReading {
  const parsed = parseObjectPath(text);
  if (parsed.kind === 'invalid') throw new Error(`${text}: ${parsed.message}`);
  return readAtPath(from, parsed.path);
}

describe('a path', () => {
  it.each<[string, string[]]>([
    ['.status.ceph.health', ['HEALTH_WARN']],
    ['{.status.ceph.health}', ['HEALTH_WARN']],
    ["['status']['ceph']['health']", ['HEALTH_WARN']],
    ['.spec.replicas', ['3']],
    ['.spec.paused', ['false']],
    ['.status.ratio', ['0.5']],
    ['.status.empty', ['']],
    ['.metadata.labels.app', ['ceph']],
    ["['metadata'].labels['sim.test/tier']", ['gold']],
    ['.metadata.labels["sim.test/tier"]', ['gold']],
    ['.metadata.labels.sim\\.test/tier', ['gold']],
    ["['metadata'].labels['sim\\.test/tier']", ['gold']],
    [`.metadata.labels['it\\'s "odd"']`, ['yes']],
    ['.metadata.annotations.back\\\\slash', ['1']],
    ['.status.names[0]', ['a']],
    ['.status.names[-1]', ['c']],
    ['.status.names[*]', ['a', 'b', 'c']],
    ['.status.byZone[*]', ['up', 'down']],
    ['.status.disks[*].state', ['ok', 'worn']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?( @.type == 'Ready' )].status", ['True']],
    ['.status.conditions[?(@.type!="Ready")].status', ['False']],
    ['.status.conditions[?(@.observed==8)].type', ['Ready']],
    ['.status.names[?(@=="b")]', ['b']],
    ['.status.disks[?(@[\'state\']=="worn")].state', ['worn']],
  ])('%s reads %j', (path, values) => {
    expect(read(path)).toEqual({ kind: 'values', values });
  });

  it.each<[string, string]>([
    ['.status.cheph.health', '.status.cheph'],
    ['.status.ceph.details.reason', '.status.ceph.details'],
    ['.status.nothing', '.status.nothing'],
    ['.status.nothing.more', '.status.nothing'],
    ['.status.phase.length', '.status.phase.length'],
    ['.status.names[3]', '.status.names[3]'],
    ['.status.names.length', '.status.names.length'],
    ['.spec.pools[*]', '.spec.pools[*]'],
    ['.status.conditions[?(@.type=="Upgradeable")].status', '.status.conditions[?(@.type=="Upgradeable")]'],
    ['.status.phase[0]', '.status.phase[0]'],
    ['.constructor.name', '.constructor'],
    ['.status.__proto__', '.status.__proto__'],
  ])('%s leads to nothing from %s on', (path, upTo) => {
    expect(read(path)).toEqual({ kind: 'absent', upTo });
  });

  it.each<[string, string]>([
    ['.status.names', 'a list'],
    ['.status.ceph', 'a mapping'],
    ['.status.disks[*]', 'a mapping'],
  ])('%s leads to no text but %s', (path, found) => {
    expect(read(path)).toEqual({ kind: 'not-a-text', found });
  });

  it('reads any key of any object, given in quotes or with its dots escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
        const from: unknown = JSON.parse(`{${JSON.stringify(key)}:"found"}`);
        const quoted = `['${key.replaceAll(/[\\']/g, '\\$&')}']`;
        const escaped = `.${key.replaceAll(/[^]/gu, '\\$&')}`;
        for (const path of [quoted, escaped]) expect(read(path, from)).toEqual({ kind: 'values', values: ['found'] });
      }),
    );
  });

  it('is read or refused with a sentence, whatever stands there', () => {
    const parts = ['.', '..', '[', ']', '{', '}', '?(', '@', ')', '==', '"', "'", '\\', '*', '-1', ':', ',', 'a', ' '];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...parts), fc.string()), { maxLength: 30 }), (written) => {
        const parsed = parseObjectPath(written.join(''));
        if (parsed.kind === 'ok') readAtPath(object, parsed.path);
        else expect(parsed.message).toMatch(/^character \d+: \S.{10}/su);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('what is no path', () => {
  it.each([
    ['', 'character 1: begin with a dot and a field, such as .status'],
    ['status.phase', 'character 1: begin with a dot and a field, such as .status'],
    ['$.status.phase', 'character 1: begin with a dot and a field, such as .status'],
    ['{status}', 'character 2: begin with a dot and a field, such as .status'],
    ['{.status', 'character 9: the closing } is missing'],
    ['.status}', 'character 8: "}" cannot be read'],
    ['.', 'character 1: a field is missing after the dot'],
    ['.status.', 'character 8: a field is missing after the dot'],
    ['.status..phase', 'character 8: ".." (search at any depth) is not supported: name each field'],
    ['..phase', 'character 1: ".." (search at any depth) is not supported: name each field'],
    ['.status.*', 'character 8: write [*] for every member'],
    ['.status phase', 'character 8: " phase" cannot be read'],
    ['.status.phase=Ready', 'character 14: a comparison has no place here: what is wanted stands in the field in'],
    ['.status.phase()', 'character 14: "()" cannot be read'],
    ['.names[0:2]', 'character 9: ranges and several members at once are not supported: name one member, or write [*]'],
    ['.names[0,1]', 'character 9: ranges and several members at once are not supported: name one member, or write [*]'],
    ['.names[0', 'character 9: a closing ] is missing'],
    [
      '.names[first]',
      'character 8: in brackets stands a key in quotes, a number, * or a filter such as ?(@.type=="Ready")',
    ],
    [
      ".names['first]",
      'character 8: in brackets stands a key in quotes, a number, * or a filter such as ?(@.type=="Ready")',
    ],
    ['.c[?(.type=="Ready")]', 'character 6: a filter begins with @, as in ?(@.type=="Ready")'],
    ['.c[?(@.type=~"Re.*")]', 'character 12: a filter compares by == or !=, as in ?(@.type=="Ready")'],
    ['.c[?(@.type)]', 'character 12: a filter compares by == or !=, as in ?(@.type=="Ready")'],
    ['.c[?(@.type==Ready)]', 'character 14: a filter compares with a text in quotes, a number, true or false'],
    ['.c[?(@.a=="b" && @.c=="d")]', 'character 15: a filter is one comparison and ends with )'],
    ['.c[?(@.a=="b")', 'character 15: a closing ] is missing'],
    ['.c[?(process.exit())]', 'character 6: a filter begins with @, as in ?(@.type=="Ready")'],
  ])('%j is refused: %s', (path, message) => {
    expect(parseObjectPath(path)).toEqual({ kind: 'invalid', message });
  });
});
