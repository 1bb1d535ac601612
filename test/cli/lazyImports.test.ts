import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const source = new URL('../../src/', import.meta.url);
const heavy = /^src\/(kubernetes|ssh|sandbox)\/|^(@kubernetes\/client-node|ssh2)(\/|$)/;

/** Everything that a module loads before its first line runs: type imports and dynamic imports are none of it. */
function staticImports(file: URL): string[] {
  const text = readFileSync(file, 'utf8');
  return ts.createSourceFile(file.pathname, text, ts.ScriptTarget.ES2023).statements.flatMap((statement) => {
    const isImport =
      ts.isImportDeclaration(statement) && statement.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword;
    const isExport = ts.isExportDeclaration(statement) && !statement.isTypeOnly;
    if (!isImport && !isExport) return [];
    const { moduleSpecifier } = statement;
    return moduleSpecifier !== undefined && ts.isStringLiteral(moduleSpecifier) ? [moduleSpecifier.text] : [];
  });
}

/** The modules and packages that are loaded with `entry`, each with the path of imports that leads there. */
function loadedWith(entry: string): Map<string, readonly string[]> {
  const loaded = new Map<string, readonly string[]>();
  const waiting: { file: URL; path: readonly string[] }[] = [{ file: new URL(entry, source), path: [] }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const name = `src/${relative(fileURLToPath(source), fileURLToPath(next.file))}`;
    if (loaded.has(name)) continue;
    const path = [...next.path, name];
    loaded.set(name, path);
    for (const specifier of staticImports(next.file)) {
      if (specifier.startsWith('.')) {
        waiting.push({ file: new URL(specifier.replace(/\.js$/, '.ts'), next.file), path });
      } else loaded.set(specifier, [...path, specifier]);
    }
  }
  return loaded;
}

function heavyPaths(entry: string): string[] {
  return [...loadedWith(entry)].filter(([name]) => heavy.test(name)).map(([, path]) => path.join(' > '));
}

describe('the client of the API server and the SSH client', () => {
  it.each([
    'main.ts',
    'cli/commandLine.ts',
    'cli/validate.ts',
    'cli/schedule.ts',
    'cli/install.ts',
    'cli/journalVerify.ts',
    'cli/control.ts',
    'cli/trigger.ts',
    'cli/drain.ts',
    'cli/doctor.ts',
    'cli/status.ts',
    'cli/coverage.ts',
    'cli/sandbox.ts',
    'cli/sandboxBreak.ts',
    'cli/demo.ts',
  ])('are not loaded with %s', (entry) => {
    expect(heavyPaths(entry)).toEqual([]);
  });

  it('are loaded with their adapters, so that this test would see them', () => {
    expect(heavyPaths('kubernetes/connect.ts').join('\n')).toContain('> @kubernetes/client-node');
    expect(heavyPaths('ssh/sshHosts.ts').join('\n')).toContain('> ssh2');
  });
});

describe('turnus --help', () => {
  it('loads no command', () => {
    expect([...loadedWith('main.ts').keys()].filter((name) => name.startsWith('src/')).sort()).toEqual([
      'src/cli/commandLine.ts',
      'src/cli/commandOptions.ts',
      'src/cli/controlCommandLine.ts',
      'src/cli/faultWords.ts',
      'src/cli/io.ts',
      'src/cli/sandboxCommandLine.ts',
      'src/cli/version.ts',
      'src/console/plainText.ts',
      'src/main.ts',
      'src/systemClock.ts',
      'src/time/clock.ts',
      'src/time/duration.ts',
      'src/turnusError.ts',
    ]);
  });
});
