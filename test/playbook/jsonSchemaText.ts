import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { playbookJsonSchema } from '../../src/playbook/jsonSchema.js';

/** Where the schema for editors is checked in. */
export const checkedInSchema = fileURLToPath(new URL('../../playbooks/playbook.schema.json', import.meta.url));

/** The playbook's page, whose tables of fields are written by `npm run schema`. */
export const playbookPage = fileURLToPath(new URL('../../docs/playbook.md', import.meta.url));

/** The schema as it is checked in, formatted like every other file. */
export async function jsonSchemaText(): Promise<string> {
  return await format(JSON.stringify(playbookJsonSchema()), { parser: 'json', printWidth: 120 });
}
