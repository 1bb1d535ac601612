import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { findingCatalogue } from '../../src/gates/finding.js';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/findings.md', root), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, code = '', severity = '', meaning = '', whatToDo = '']) => ({
    code: code.replaceAll('`', ''),
    severities: severity.split(', '),
    meaning,
    whatToDo,
  }));

describe('docs/findings.md', () => {
  it('has each code of the catalogue once, and no other', () => {
    expect(rows.map(({ code }) => code).sort()).toEqual(Object.keys(findingCatalogue).sort());
  });

  it.each(rows)('says of $code what the catalogue says, and what to do', ({ code, severities, meaning, whatToDo }) => {
    expect(new Map<string, string>(Object.entries(findingCatalogue)).get(code)).toBe(meaning);
    for (const severity of severities) expect(['block', 'caution', 'info']).toContain(severity);
    expect(whatToDo).toMatch(/\S/);
  });

  it('names only severities with which the code gives the finding', async () => {
    const given = await severitiesInCode();
    for (const { code, severities } of rows) {
      const only = given.get(code);
      if (only !== undefined)
        expect({ code, severities: [...only].sort() }).toEqual({ code, severities: severities.sort() });
    }
    expect(given.size).toBeGreaterThan(10);
  });
});

/** Codes that the sources give literally next to their severity. Those of waits take it from the moment. */
async function severitiesInCode(): Promise<Map<string, Set<string>>> {
  const given = new Map<string, Set<string>>();
  for (const room of ['src/gates/', 'src/drain/']) {
    for (const file of await readdir(new URL(room, root))) {
      const source = await readFile(new URL(room + file, root), 'utf8');
      for (const [, code = '', severity = ''] of source.matchAll(/code: '([a-z-]+)',\s+severity: '([a-z]+)'/g)) {
        given.set(code, (given.get(code) ?? new Set()).add(severity));
      }
    }
  }
  return given;
}
