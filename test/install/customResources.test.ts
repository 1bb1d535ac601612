import { describe, expect, it } from 'vitest';
import { customResourceDefinitions, schemaVersion } from '../../src/install/customResources.js';
import { canonicalDigest } from '../../src/journal/canonicalJson.js';
import { fieldsOfSchema, playbookJsonSchema } from '../../src/playbook/jsonSchema.js';
import { playbookStatusSchema } from '../../src/playbook/playbookStatus.js';
import { playbookResource, runResource, turnResource } from '../../src/run/objects.js';
import { runSpecSchema, runStatusSchema, turnSpecSchema, turnStatusSchema } from '../../src/run/state.js';
import { definitionOf, pathsInZod, schemasIn, type CheckedSchema } from './schemaOf.js';

const definitions = customResourceDefinitions('turnus-system').map(definitionOf);
const byKind = new Map(definitions.map((definition) => [definition.names.kind, definition]));

function definition(kind: string) {
  const found = byKind.get(kind);
  if (found === undefined) throw new Error(`there is no CRD of kind ${kind}`);
  return found;
}

/** The keywords that we use, all of which a structural schema knows (apiextensions/v1, JSONSchemaProps). */
const knownKeywords = new Set([
  'type',
  'description',
  'properties',
  'required',
  'items',
  'additionalProperties',
  'maxItems',
  'maxLength',
  'x-kubernetes-validations',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
]);

describe.each(definitions)('the CRD of $names.kind', ({ metadata, group, scope, names, version, schema }) => {
  it('is named by plural and group and found by `kubectl get turnus`', () => {
    expect(metadata.name).toBe(`${names.plural}.turnus.dev`);
    expect(group).toBe('turnus.dev');
    expect(scope).toBe('Namespaced');
    expect(names).toMatchObject({
      listKind: `${names.kind}List`,
      singular: names.kind.toLowerCase(),
      categories: ['turnus'],
    });
    expect(version).toMatchObject({ name: 'v1alpha1', served: true, storage: true, subresources: { status: {} } });
  });

  it('records the namespace of our objects and the version of its schema', () => {
    expect(metadata.annotations).toEqual({
      'turnus.dev/namespace': 'turnus-system',
      'turnus.dev/schema': String(schemaVersion),
    });
  });

  it('has a structural schema: a type everywhere and no keyword that the API server refuses', () => {
    for (const { path, schema: inner } of schemasIn(schema)) {
      if (!isUnion(inner)) expect(inner.type, path).toMatch(/^(object|array|string|integer|number|boolean)$/);
      expect(
        Object.keys(inner).filter((keyword) => !knownKeywords.has(keyword)),
        path,
      ).toEqual([]);
      expect(typeof inner.additionalProperties, path).not.toBe('boolean');
      expect(inner.properties !== undefined && inner.additionalProperties !== undefined, path).toBe(false);
      expect(inner.type === 'array', path).toBe(inner.items !== undefined);
      for (const name of inner.required ?? []) expect(inner.properties, path).toHaveProperty(name);
    }
  });

  it('lets an object be created without a status', () => {
    expect(schema.required ?? ['spec']).toEqual(['spec']);
  });

  it('has no enum on phases and verbs, so that an older server takes those of a newer Turnus', () => {
    const open = schemasIn(schema).filter(({ path }) => /\.(phase|verb|state|undoTo|status)$/.test(path));
    expect(open.length).toBeGreaterThan(0);
    for (const { path, schema: inner } of open) expect(inner, path).not.toHaveProperty('enum');
  });

  it('has columns that show fields of its schema in their type', () => {
    const types = new Map(schemasIn(schema).map(({ path, schema: inner }) => [path, inner.type]));
    for (const { name, type, jsonPath } of version.additionalPrinterColumns) {
      const path = jsonPath.replaceAll(/\[\?[^\]]*\]/g, '[]');
      const expected = jsonPath === '.metadata.creationTimestamp' ? 'string' : types.get(path);
      expect(expected, `${name} shows ${jsonPath}`).toBe(type === 'date' ? 'string' : type);
    }
  });
});

/** A value of more than one type, which a structural schema can only let through. */
function isUnion(schema: CheckedSchema): boolean {
  const isOpen =
    schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isOpen && schema.type === undefined && schema.properties === undefined;
}

describe('the schema of what a playbook says', () => {
  const { schema } = definition('Playbook');
  const spec = schemasIn(schema).filter(({ path }) => path === '' || path.startsWith('.spec'));

  it('describes every field that people may write, for `kubectl explain`', () => {
    const union = /\.(knownHosts|bastion)(?=[.[])/;
    const wanted = fieldsOfSchema(playbookJsonSchema())
      .map(({ path }) => `.${path}`)
      .filter((path) => path.startsWith('.spec') && !union.test(path));
    const described = spec.filter(
      ({ schema: { description } }) => typeof description === 'string' && description.length > 3,
    );
    expect(described.map(({ path }) => path)).toEqual(expect.arrayContaining([...new Set(wanted)]));
    expect(wanted.length).toBeGreaterThan(80);
  });

  it('keeps what it does not know at every level, and judges nothing but types', () => {
    for (const { path, schema: inner } of spec) {
      if (inner.properties !== undefined) expect(inner['x-kubernetes-preserve-unknown-fields'], path).toBe(true);
      const judging = ['required', 'maxItems', 'maxLength', 'x-kubernetes-validations', 'default'];
      expect(
        Object.keys(inner).filter((keyword) => judging.includes(keyword)),
        path,
      ).toEqual([]);
    }
  });

  it('takes no unknown field into the status that the actor writes', () => {
    const status = schemasIn(schema).filter(({ path }) => path.startsWith('.status'));
    expect(status.filter(({ schema: inner }) => 'x-kubernetes-preserve-unknown-fields' in inner)).toEqual([]);
  });

  it('leaves `kubectl apply` room to remember what it applied', () => {
    // An annotation holds at most 256 KiB (apimachinery, TotalAnnotationSizeLimitB).
    for (const each of customResourceDefinitions('turnus-system')) {
      expect(JSON.stringify(each).length).toBeLessThan(128 * 1024);
    }
  });
});

describe('the schemas', () => {
  it.each([
    { kind: 'MaintenanceRun', part: 'spec', zod: runSpecSchema },
    { kind: 'MaintenanceRun', part: 'status', zod: runStatusSchema },
    { kind: 'NodeTurn', part: 'spec', zod: turnSpecSchema },
    { kind: 'NodeTurn', part: 'status', zod: turnStatusSchema },
    { kind: 'Playbook', part: 'status', zod: playbookStatusSchema },
  ])(
    'hold every field of the $part of a $kind that we write: what they lack would be pruned',
    ({ kind, part, zod }) => {
      const root = definition(kind).schema.properties?.[part] ?? {};
      const wanted = pathsInZod(zod);
      expect(wanted.length).toBeGreaterThan(4);
      expect(
        schemasIn(root)
          .map(({ path }) => path)
          .sort(),
      ).toEqual(wanted.sort());
    },
  );

  it('let nothing of a run change but what is desired', () => {
    const spec = definition('MaintenanceRun').schema.properties?.['spec'] ?? {};
    const rules = JSON.stringify(spec['x-kubernetes-validations']);
    const fixed = Object.keys(spec.properties ?? {}).filter((field) => field !== 'desired');
    expect(fixed.filter((field) => !rules.includes(`self.${field} == oldSelf.${field}`))).toEqual([]);
    const optional = fixed.filter((field) => !spec.required?.includes(field));
    expect(optional.length).toBeGreaterThan(0);
    expect(optional.filter((field) => !rules.includes(`has(self.${field}) == has(oldSelf.${field})`))).toEqual([]);
  });

  it('are served where our objects are looked for', () => {
    for (const { kind, resource } of [
      { kind: 'MaintenanceRun', resource: runResource },
      { kind: 'NodeTurn', resource: turnResource },
      { kind: 'Playbook', resource: playbookResource },
    ]) {
      const { group, names, version } = definition(kind);
      expect({ group, plural: names.plural, version: version.name, namespaced: true }).toEqual(resource);
    }
  });

  it('have not changed without counting up schemaVersion', () => {
    const fields = Object.fromEntries(
      definitions.map(({ names, schema }) => [names.kind, withoutDescriptions(schema)]),
    );
    expect(
      { schemaVersion, digest: canonicalDigest(fields) },
      'The schemas of the CRDs have changed. Count schemaVersion in src/install/customResources.ts up by one, so that ' +
        'clusters with the older schema are told to run `turnus install` before a field is lost; then write the new ' +
        'version and digest here, and run `npm run manifests`.',
    ).toEqual(pinned);
  });
});

/** The schemas of the version that clusters have installed. */
const pinned = {
  schemaVersion: 7,
  digest: '1341366a1d5e666ae4c77d240e60831e0e7501af3df32da824f728fca9adb7e9',
};

/** Words and the order of fields may change without a new version: nothing is pruned by them. */
function withoutDescriptions(schema: CheckedSchema): CheckedSchema {
  const { description: _, properties, required, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(required === undefined ? {} : { required: [...required].sort() }),
    ...(items === undefined ? {} : { items: withoutDescriptions(items) }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: withoutDescriptions(additionalProperties) }
      : {}),
  };
}

function mapped(properties: Readonly<Record<string, CheckedSchema>>): Record<string, CheckedSchema> {
  return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, withoutDescriptions(inner)]));
}
