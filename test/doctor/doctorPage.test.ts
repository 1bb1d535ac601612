import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { checkCatalogue } from '../../src/doctor/check.js';
import { permissionsFor } from '../../src/install/accessRules.js';

const page = await readFile(new URL('../../docs/doctor.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, check = '', meaning = '']): [string, string] => [check.replaceAll('`', ''), meaning]);

describe('docs/doctor.md', () => {
  it('says of each check of the catalogue, and of no other, what the catalogue says', () => {
    expect(Object.fromEntries(rows)).toEqual(checkCatalogue);
    expect(rows).toHaveLength(Object.keys(checkCatalogue).length);
  });

  it('shows as many permissions as a run asks for', () => {
    const count = String(permissionsFor('run', 'turnus-system').length);
    expect(page).toContain(`has ${count} of the ${count} permissions that a run needs.`);
  });
});
