import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const metricsPage = project('docs/metrics.md');
const component = 'deploy/kustomize/components/monitoring';

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

interface Panel {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string }[];
}

async function rules(): Promise<Rule[]> {
  const text = await readFile(project(`${component}/alerts.yaml`), 'utf8');
  return (parse(text) as { spec: { groups: { rules: Rule[] }[] } }).spec.groups.flatMap((group) => group.rules);
}

async function panels(): Promise<Panel[]> {
  const text = await readFile(project(`${component}/dashboard.json`), 'utf8');
  return (JSON.parse(text) as { panels: Panel[] }).panels;
}

/** The metrics that expressions read; those of a histogram by the name that it is registered under. */
function metricsIn(expressions: string[]): string[] {
  const names = expressions.flatMap((expression) => expression.match(/\b(turnus|process)_\w+/g) ?? []);
  return [...new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')))].sort();
}

describe('the alerts', () => {
  it('each say what is wrong and what to do', async () => {
    const alerts = await rules();
    expect(alerts.length).toBeGreaterThan(5);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, expr, labels, annotations } of alerts) {
      expect(alert).toMatch(/^Turnus[A-Z]\w+$/);
      expect(expr).toContain('turnus_');
      expect(['critical', 'warning']).toContain(labels['severity']);
      expect(Object.keys(annotations), alert).toEqual(['summary', 'action']);
    }
  });

  it('use in their words only labels that their expression keeps', async () => {
    for (const { alert, expr, annotations } of await rules()) {
      const used = Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label),
      );
      const kept = [...expr.matchAll(/by \((\w+)\)/g)].map(([, label]) => label);
      for (const label of used) expect(kept, alert).toContain(label);
    }
  });

  it('stand in docs/deploying.md, each with its name', async () => {
    const page = await readFile(project('docs/deploying.md'), 'utf8');
    const named = [...page.matchAll(/`(Turnus[A-Z]\w+)`/g)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual((await rules()).map(({ alert }) => alert).sort());
  });
});

describe('the dashboard', () => {
  it('has panels that lie beside each other', async () => {
    const all = await panels();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const covered = new Set<string>();
    for (const { title, gridPos } of all) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        expect(x, title).toBeLessThan(24);
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          const place = `${String(x)}/${String(y)}`;
          expect(covered.has(place), title).toBe(false);
          covered.add(place);
        }
      }
    }
  });
});

describe.skipIf(!existsSync(metricsPage))('docs/metrics.md', () => {
  it('lists every metric that alerts and dashboard read', async () => {
    const page = await readFile(metricsPage, 'utf8');
    const expressions = [
      ...(await rules()).map(({ expr }) => expr),
      ...(await panels()).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ];
    const read = metricsIn(expressions);
    expect(read.length).toBeGreaterThan(15);
    expect(read.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    const values = expressions.flatMap((text) =>
      [...text.matchAll(/\w="([A-Za-z]+)"/g)].map(([, value]) => value ?? ''),
    );
    expect(values).toContain('AwaitingWindow');
    expect(values.filter((value) => !page.includes(`\`${value}\``))).toEqual([]);
  });
});
