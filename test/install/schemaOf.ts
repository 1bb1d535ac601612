import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { z } from 'zod';

/** A structural schema, as far as the tests look into it. */
export interface CheckedSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, CheckedSchema>>;
  readonly required?: readonly string[];
  readonly items?: CheckedSchema;
  readonly additionalProperties?: CheckedSchema | boolean;
  readonly [keyword: string]: unknown;
}

const checkedSchema: z.ZodType<CheckedSchema> = z.lazy(() =>
  z.looseObject({
    type: z.string().exactOptional(),
    properties: z.record(z.string(), checkedSchema).exactOptional(),
    required: z.array(z.string()).exactOptional(),
    items: checkedSchema.exactOptional(),
    additionalProperties: z.union([z.boolean(), checkedSchema]).exactOptional(),
  }),
);

const definitionShape = z.object({
  metadata: z.object({ name: z.string(), annotations: z.record(z.string(), z.string()) }),
  spec: z.object({
    group: z.string(),
    scope: z.string(),
    names: z.object({
      kind: z.string(),
      listKind: z.string(),
      plural: z.string(),
      singular: z.string(),
      shortNames: z.array(z.string()),
      categories: z.array(z.string()),
    }),
    versions: z.tuple([
      z.object({
        name: z.string(),
        served: z.boolean(),
        storage: z.boolean(),
        subresources: z.looseObject({}),
        additionalPrinterColumns: z.array(z.object({ name: z.string(), type: z.string(), jsonPath: z.string() })),
        schema: z.object({ openAPIV3Schema: checkedSchema }),
      }),
    ]),
  }),
});

/** What a CustomResourceDefinition says, as it reaches the API server. */
export function definitionOf(object: ApiObject) {
  const { metadata, spec } = definitionShape.parse(JSON.parse(JSON.stringify(object)));
  const [version] = spec.versions;
  return { metadata, ...spec, version, schema: version.schema.openAPIV3Schema };
}

/** Every schema inside of this one with its path: `.name` for a field, `[]` for an item, `.*` for any key. */
export function schemasIn(schema: CheckedSchema, path = ''): { path: string; schema: CheckedSchema }[] {
  const { properties = {}, items, additionalProperties } = schema;
  return [
    { path, schema },
    ...Object.entries(properties).flatMap(([name, inner]) => schemasIn(inner, `${path}.${name}`)),
    ...(items === undefined ? [] : schemasIn(items, `${path}[]`)),
    ...(typeof additionalProperties === 'object' ? schemasIn(additionalProperties, `${path}.*`) : []),
  ];
}

/** The same paths of a zod schema, read from zod's own objects. */
export function pathsInZod(schema: unknown, path = ''): string[] {
  if (schema instanceof z.ZodOptional) return pathsInZod(schema.unwrap(), path);
  if (schema instanceof z.ZodObject) {
    return [path, ...Object.entries(schema.shape).flatMap(([name, inner]) => pathsInZod(inner, `${path}.${name}`))];
  }
  if (schema instanceof z.ZodArray) return [path, ...pathsInZod(schema.element, `${path}[]`)];
  if (schema instanceof z.ZodRecord) return [path, ...pathsInZod(schema.valueType, `${path}.*`)];
  return [path];
}
