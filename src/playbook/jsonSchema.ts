import { z } from 'zod';
import { onlyInObjects, type OnlyInObjects } from './refusedReferences.js';
import { playbookSchema } from './schema.js';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * The playbook's schema for editors (JSON Schema draft 7, which all of them read). Fields that a file may not have say so;
 * `deprecationMessage` is what editors built on the VS Code language servers underline.
 */
export function playbookJsonSchema(): JsonSchema {
  const schema: JsonSchema = z.toJSONSchema(playbookSchema, { io: 'input', target: 'draft-7' });
  schema.title = 'Playbook of Turnus';
  for (const entry of onlyInObjects) for (const field of schemasAt(schema, entry.field)) mark(field, entry);
  return schema;
}

/** Every field of the schema with its path, such as `spec.gates.overrides[].singletons`. */
export function fieldsOfSchema(
  schema: JsonSchema,
  path = '',
): { readonly path: string; readonly schema: JsonSchema }[] {
  return formsOf(schema).flatMap((form) => [
    ...Object.entries(form.properties ?? {}).flatMap(([key, inside]) => {
      if (typeof inside === 'boolean') return [];
      const insidePath = path === '' ? key : `${path}.${key}`;
      return [{ path: insidePath, schema: inside }, ...fieldsOfSchema(inside, insidePath)];
    }),
    ...(isSchema(form.items) ? fieldsOfSchema(form.items, `${path}[]`) : []),
  ]);
}

function schemasAt(schema: JsonSchema, field: readonly string[]): JsonSchema[] {
  let found = [schema];
  for (const segment of field) {
    found = found.flatMap(formsOf).flatMap((form) => {
      const inside = segment === '*' ? form.items : form.properties?.[segment];
      return isSchema(inside) ? [inside] : [];
    });
  }
  return found;
}

function formsOf(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).filter(isSchema)];
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mark(schema: JsonSchema, entry: OnlyInObjects): void {
  const note = `Not in a file: ${entry.reason}.`;
  if ((schema.description ?? '').includes(note)) return;
  schema.description = `${schema.description ?? ''} ${note}`.trim();
  schema['deprecationMessage'] = note;
}
