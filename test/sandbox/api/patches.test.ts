import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ApiObject, JsonPatchOperation } from '../../../src/cluster/clusterPort.js';
import { applyJsonPatch } from '../../../src/sandbox/api/jsonPatch.js';
import { applyMergePatch, applyStrategicPatch } from '../../../src/sandbox/api/mergePatch.js';
import { asSent, sameJson } from '../../../src/sandbox/api/sameJson.js';

const object: ApiObject = {
  metadata: { name: 'n', annotations: { 'a/b': '1', 'c~d': '2' } },
  spec: { taints: [{ key: 'x' }, { key: 'y' }], unschedulable: true },
};

describe('a JSON patch', () => {
  it.each<[string, JsonPatchOperation, ApiObject | undefined]>([
    ['a test that holds', { op: 'test', path: '/metadata/name', value: 'n' }, object],
    ['a test that fails', { op: 'test', path: '/metadata/name', value: 'm' }, undefined],
    ['a test of a list', { op: 'test', path: '/spec/taints', value: [{ key: 'x' }, { key: 'y' }] }, object],
    ['a test for null of an absent member', { op: 'test', path: '/metadata/annotations/none', value: null }, object],
    ['a test for null of a member that is there', { op: 'test', path: '/spec/unschedulable', value: null }, undefined],
    ['a test for null below an absent parent', { op: 'test', path: '/status/phase', value: null }, undefined],
    ['a test for a value of an absent member', { op: 'test', path: '/metadata/labels', value: {} }, undefined],
    ['a test of an escaped key', { op: 'test', path: '/metadata/annotations/a~1b', value: '1' }, object],
    ['a test of a key with a tilde', { op: 'test', path: '/metadata/annotations/c~0d', value: '2' }, object],
    ['a test of an inherited member', { op: 'test', path: '/spec/constructor', value: null }, object],
    ['an add below an absent parent', { op: 'add', path: '/status/phase', value: 'x' }, undefined],
    [
      'a replace of an absent member',
      { op: 'replace', path: '/spec/none', value: 1 },
      { ...object, spec: { ...specOf(), none: 1 } },
    ],
    ['a replace below an absent parent', { op: 'replace', path: '/status/none', value: 1 }, undefined],
    ['a remove of an absent member', { op: 'remove', path: '/spec/none' }, undefined],
    ['a remove of an item that is not there', { op: 'remove', path: '/spec/taints/2' }, undefined],
    ['an add after the end of a list', { op: 'add', path: '/spec/taints/3', value: {} }, undefined],
    ['an add by no number', { op: 'add', path: '/spec/taints/01', value: {} }, undefined],
    ['an add', { op: 'add', path: '/spec/podCIDR', value: 'c' }, { ...object, spec: { ...specOf(), podCIDR: 'c' } }],
    [
      'a replace',
      { op: 'replace', path: '/spec/unschedulable', value: false },
      { ...object, spec: { ...specOf(), unschedulable: false } },
    ],
    ['a remove', { op: 'remove', path: '/spec/unschedulable' }, { ...object, spec: { taints: specOf().taints } }],
    [
      'an add at the end of a list',
      { op: 'add', path: '/spec/taints/-', value: { key: 'z' } },
      withTaints(['x', 'y', 'z']),
    ],
    ['an add into a list', { op: 'add', path: '/spec/taints/1', value: { key: 'z' } }, withTaints(['x', 'z', 'y'])],
    ['a remove from a list', { op: 'remove', path: '/spec/taints/0' }, withTaints(['y'])],
    ['a change inside of an item', { op: 'replace', path: '/spec/taints/0/key', value: 'q' }, withTaints(['q', 'y'])],
  ])('decides %s', (_what, operation, expected) => {
    const before = structuredClone(object);
    expect(applyJsonPatch(object, [operation])).toStrictEqual(expected);
    expect(object).toStrictEqual(before);
  });

  it('is void as a whole where one operation does not apply', () => {
    const operations = [
      { op: 'remove', path: '/spec/unschedulable' },
      { op: 'test', path: '/metadata/name', value: 'm' },
    ] as const;
    expect(applyJsonPatch(object, operations)).toBeUndefined();
  });
});

function specOf(): { taints: unknown; unschedulable: boolean } {
  return { taints: [{ key: 'x' }, { key: 'y' }], unschedulable: true };
}

function withTaints(keys: string[]): ApiObject {
  return { ...object, spec: { ...specOf(), taints: keys.map((key) => ({ key })) } };
}

describe('a merge patch', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('makes of %j by %j the %j of RFC 7386, appendix A', (target, patch, expected) => {
    expect(applyMergePatch(target, patch)).toStrictEqual(expected);
  });
});

describe('a strategic merge patch', () => {
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'a' },
    { type: 'DiskPressure', status: 'False' },
  ];
  it.each<[string, unknown, unknown, unknown]>([
    [
      'merges conditions by type',
      { status: { conditions } },
      { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
      { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'a' }, conditions[1]] } },
    ],
    [
      'adds a condition',
      { conditions },
      { conditions: [{ type: 'New', status: 'True' }] },
      { conditions: [...conditions, { type: 'New', status: 'True' }] },
    ],
    [
      'deletes a condition',
      { conditions },
      { conditions: [{ $patch: 'delete', type: 'Ready' }] },
      { conditions: [conditions[1]] },
    ],
    [
      'replaces taints, which are atomic',
      { taints: [{ key: 'a' }] },
      { taints: [{ key: 'b' }] },
      { taints: [{ key: 'b' }] },
    ],
    ['forgets about the order', { conditions }, { '$setElementOrder/conditions': [{ type: 'Ready' }] }, { conditions }],
    ['deletes from a list of texts', { f: ['a', 'b'] }, { '$deleteFromPrimitiveList/f': ['a'] }, { f: ['b'] }],
    ['replaces a map', { a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
    ['removes by null', { spec: { unschedulable: true } }, { spec: { unschedulable: null } }, { spec: {} }],
  ])('%s', (_what, target, patch, expected) => {
    expect(applyStrategicPatch(target, patch)).toStrictEqual(expected);
  });
});

describe('comparing JSON', () => {
  it('holds of a value and its copy, and of two values only where their texts are the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(sameJson(a, structuredClone(a))).toBe(true);
        const sorted = (value: unknown) => JSON.stringify(value, sortedKeys);
        expect(sameJson(a, b)).toBe(sorted(a) === sorted(b));
      }),
    );
  });

  it.each(['constructor', 'toString', '__proto__'])('knows a member %s from none', (name) => {
    const named: unknown = JSON.parse(`{"${name}": {}}`);
    expect([sameJson(named, {}), sameJson({}, named), sameJson(named, structuredClone(named))]).toStrictEqual([
      false,
      false,
      true,
    ]);
  });

  it('leaves out what is undefined, as JSON does, and shares the rest', () => {
    fc.assert(
      fc.property(
        fc.object({ withNullPrototype: false, values: [fc.string(), fc.constant(undefined), fc.integer()] }),
        (value) => {
          const holed = { value, hole: undefined };
          expect(asSent(holed)).toStrictEqual(JSON.parse(JSON.stringify(holed)));
          const sent = asSent(holed);
          expect(asSent(sent)).toBe(sent);
        },
      ),
    );
  });
});

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value === 'number' && Object.is(value, -0)) return 0;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
