import { readFile, writeFile } from 'node:fs/promises';
import { withFieldTables } from './fieldTables.js';
import { checkedInSchema, jsonSchemaText, playbookPage } from './jsonSchemaText.js';

// `npm run schema`: writes the schema that editors read, and the tables of docs/playbook.md.
await writeFile(checkedInSchema, await jsonSchemaText());
await writeFile(playbookPage, withFieldTables(await readFile(playbookPage, 'utf8')));
