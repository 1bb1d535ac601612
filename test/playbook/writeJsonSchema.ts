import { writeFile } from 'node:fs/promises';
import { checkedInSchema, jsonSchemaText } from './jsonSchemaText.js';

// `npm run schema`: writes the schema that editors read.
await writeFile(checkedInSchema, await jsonSchemaText());
