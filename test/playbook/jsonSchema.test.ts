import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { fieldsOfSchema, playbookJsonSchema } from '../../src/playbook/jsonSchema.js';
import { onlyInObjects } from '../../src/playbook/refusedReferences.js';
import { withFieldTables } from './fieldTables.js';
import { checkedInSchema, jsonSchemaText, playbookPage } from './jsonSchemaText.js';

const fields = fieldsOfSchema(playbookJsonSchema());

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
  it('has its tables of fields as the schema says; otherwise run `npm run schema`', async () => {
    const page = await readFile(playbookPage, 'utf8');
    expect(page).toBe(withFieldTables(page));
    expect(page.match(/^\| `spec\./gm)?.length).toBeGreaterThan(90);
  });

  it('has a table for every field', async () => {
    const page = await readFile(playbookPage, 'utf8');
    expect(() => withFieldTables(page.replace('<!-- fields: spec.drain -->', ''))).toThrow(
      /^No table is for spec\.drain, spec\.drain\.timeout, /,
    );
  });

  it('loses and gains nothing but rows', () => {
    const page = 'before\n\n<!-- fields: apiVersion kind metadata spec -->\n| an old row |\n\nafter\n';
    const written = withFieldTables(page).split('\n');
    expect(written.slice(0, 6)).toEqual([
      'before',
      '',
      '<!-- fields: apiVersion kind metadata spec -->',
      '| field | kind | default | meaning |',
      '| --- | --- | --- | --- |',
      '| `apiVersion` | `turnus.dev/v1alpha1` |  | Version of the format. |',
    ]);
    expect(written.slice(-3)).toEqual(['', 'after', '']);
    expect(written).toContain(
      '| `spec.notify.before` | duration, at most `14d` |  | How long before a window opens its plan is made and sent with its findings. Without it not at all. |',
    );
    expect(written.filter((line) => line.includes('old row') || line.includes('.configMapKeyRef'))).toEqual([]);
  });

  it('names every field that a file may not have with the reason', async () => {
    const section = (await readFile(playbookPage, 'utf8')).split('## As an object in the cluster')[1] ?? '';
    for (const { field, reason } of onlyInObjects) {
      expect(section).toContain(reason);
      expect(section).toContain(
        `\`${field.at(-1)?.endsWith('KeyRef') === true ? String(field.at(-1)) : field.join('.').replaceAll('.*', '[]')}\``,
      );
    }
  });
});
