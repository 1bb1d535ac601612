import type { z } from 'zod';
import { fieldsOfSchema, playbookJsonSchema } from '../../src/playbook/jsonSchema.js';

type JsonSchema = z.core.JSONSchema.JSONSchema;
type Field = ReturnType<typeof fieldsOfSchema>[number];

const head = ['| field | kind | default | meaning |', '| --- | --- | --- | --- |'];
const marker = /^<!-- fields: (.+) -->$/;
/** The fields of a reference to a file, which the page describes once. */
const insideFile = /\.(path|configMapKeyRef|secretKeyRef)(\.(name|key))?$/;

/**
 * docs/playbook.md with its tables of fields as the schema has them. A table follows a line `<!-- fields: PATH PATH -->`
 * and goes to the next empty line; a field stands in the table that names most of its path. Throws where a field has none.
 */
export function withFieldTables(page: string): string {
  const lines = page.split('\n');
  const prefixes = lines.flatMap((line) => marker.exec(line)?.[1]?.split(' ') ?? []);
  const fields = documentedFields();
  const homeless = fields.filter(({ path }) => homeOf(path, prefixes) === undefined);
  if (homeless.length > 0) throw new Error(`No table is for ${homeless.map(({ path }) => path).join(', ')}`);

  const written: string[] = [];
  let isInTable = false;
  for (const line of lines) {
    if (line === '') isInTable = false;
    if (!isInTable) written.push(line);
    const own = marker.exec(line)?.[1]?.split(' ');
    if (own === undefined) continue;
    isInTable = true;
    const rows = fields.filter(({ path }) => own.includes(homeOf(path, prefixes) ?? '')).map(rowOf);
    written.push(...head, ...rows);
  }
  return written.join('\n');
}

/** All but `spec`, which the whole page is about, and what is inside of references to files. */
function documentedFields(): Field[] {
  const fields = fieldsOfSchema(playbookJsonSchema());
  const files = new Set(
    fields.flatMap(({ path, schema }) =>
      [schema, ...(schema.anyOf ?? []).filter(isSchema)].flatMap((form) => [
        ...(isFile(form) ? [path] : []),
        ...(isSchema(form.items) && isFile(form.items) ? [`${path}[]`] : []),
      ]),
    ),
  );
  return fields
    .filter(({ path }) => path !== 'spec')
    .filter(({ path }) => !insideFile.test(path) || !files.has(path.replace(insideFile, '')));
}

function homeOf(path: string, prefixes: readonly string[]): string | undefined {
  return prefixes
    .filter((prefix) => path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`))
    .sort((one, other) => other.length - one.length)[0];
}

function rowOf({ path, schema }: Field): string {
  const { meaning, standard } = inWords(schema.description ?? '');
  const cells = [`\`${path}\``, kindOf(schema), standard ?? defaultOf(schema), linked(meaning)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function kindOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``).join(', ');
  const forms = (schema.anyOf ?? []).filter(isSchema);
  if (forms.some(({ type }) => type === 'integer')) return 'count';
  if (forms.length > 0) return forms.map(kindOf).join(' or ');
  switch (schema.type) {
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
      return `number, ${String(schema.minimum)} to ${String(schema.maximum)}`;
    case 'array':
      return `list of ${pluralOf(schema.items)}${lengthOf(schema)}`;
    case 'object':
      if (isFile(schema)) return 'file';
      return isSchema(schema.additionalProperties) ? 'mapping of texts' : 'mapping';
    default:
      return 'text';
  }
}

function pluralOf(items: JsonSchema['items']): string {
  if (!isSchema(items)) return 'values';
  if (items.enum !== undefined) return kindOf(items);
  return `${kindOf(items)}s`;
}

function lengthOf({ minItems, maxItems }: JsonSchema): string {
  if (maxItems === undefined) return '';
  return minItems === undefined ? `, at most ${maxItems}` : `, ${minItems} to ${maxItems}`;
}

/** A default that depends on something is said at the end of the description. */
function inWords(description: string): { readonly meaning: string; readonly standard: string | undefined } {
  const [meaning = '', standard] = description.split(' Default: ');
  return { meaning, standard: standard?.replace(/\.$/, '') };
}

/** A mapping's default is that of its fields. */
function defaultOf(schema: JsonSchema): string {
  const { default: value } = schema;
  if (value === undefined || (schema.type === 'object' && isSchema(schema.properties))) return '';
  if (value === '') return '`""`';
  return `\`${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '')}\``;
}

/** Other pages are named from the root, for readers of the schema. */
function linked(description: string): string {
  return description.replaceAll(/\bdocs\/([a-z-]+\.md)\b/g, '[$1]($1)');
}

function isFile({ properties }: JsonSchema): boolean {
  return properties !== undefined && 'configMapKeyRef' in properties;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
