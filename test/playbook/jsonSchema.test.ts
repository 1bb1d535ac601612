import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fieldsOfSchema, playbookJsonSchema } from '../../src/playbook/jsonSchema.js';
import { onlyInObjects } from '../../src/playbook/refusedReferences.js';
import { checkedInSchema, jsonSchemaText } from './jsonSchemaText.js';

const fields = fieldsOfSchema(playbookJsonSchema());
const documentation = new URL('../../docs/playbook.md', import.meta.url);

describe('the schema for editors', () => {
  it('is checked in as it is; otherwise run `npm run schema`', async () => {
    expect(await readFile(checkedInSchema, 'utf8')).toBe(await jsonSchemaText());
  });

  it('describes every field', () => {
    expect(fields.length).toBeGreaterThan(100);
    expect(fields.filter(({ schema }) => (schema.description ?? '').length < 4).map(({ path }) => path)).toEqual([]);
  });

  it('says of every field that a file may not have that it may not', () => {
    for (const { field, reason } of onlyInObjects) {
      const path = field.join('.').replaceAll('.*', '[]');
      const descriptions = fields.filter((each) => each.path === path).map(({ schema }) => schema.description ?? '');
      expect(descriptions.join('\n'), path).toContain(`Not in a file: ${reason}.`);
    }
  });
});

describe('docs/playbook.md', () => {
  const insideFile = /\.(path|configMapKeyRef|secretKeyRef)(\.(name|key))?$/;

  it('names every field with its default', async () => {
    const text = await readFile(documentation, 'utf8');
    const missing = fields
      .filter(({ path, schema }) => {
        const isFileReference = insideFile.test(path) && !path.includes('conditions[]');
        // A mapping is there through its fields.
        return !isFileReference && schema.additionalProperties !== false;
      })
      .filter(({ path, schema }) => {
        const row = text.split('\n').find((line) => line.startsWith(`| \`${path}\``));
        return row === undefined || !row.includes(shownDefault(schema.default, path));
      });
    expect(missing.map(({ path }) => path)).toEqual([]);
  });

  it('names every field that a file may not have with the reason', async () => {
    const section = (await readFile(documentation, 'utf8')).split('## As an object in the cluster')[1] ?? '';
    for (const { field, reason } of onlyInObjects) {
      expect(section).toContain(reason);
      expect(section).toContain(
        `\`${field.at(-1)?.endsWith('KeyRef') === true ? String(field.at(-1)) : field.join('.').replaceAll('.*', '[]')}\``,
      );
    }
  });

  function shownDefault(value: unknown, path: string): string {
    const notShown =
      value === undefined || path.includes('[]') || onlyInObjects.some((entry) => entry.field.join('.') === path);
    if (notShown) return '';
    if (value === '') return '`""`';
    return `\`${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '')}\``;
  }
});
