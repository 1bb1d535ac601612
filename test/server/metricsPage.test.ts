import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { metricsAt } from './fixtures.js';

const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const tables = page.split('\n').filter((line) => line.startsWith('| `'));
const cells = tables.map((line) => line.split('|').map((cell) => cell.trim()));
const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const rows = cells
  .filter((row) => row.length === 6)
  .map(([, name = '', type = '', labels = '', meaning = '']) => ({
    name: name.replaceAll('`', ''),
    type,
    labels: names(labels),
    meaning,
  }));
const labelRows = cells.filter((row) => row.length === 4);

const { metrics } = metricsAt();
metrics.observePlaybook({ playbook: 'monthly', isValid: true, isReady: true, windows: [], coverage: undefined });

describe('docs/metrics.md', () => {
  it('has each metric with its type and labels once, and no other', () => {
    const told = rows.map(({ name, type, labels }) => ({ name, type, labels }));
    const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);
    expect(told.sort(byName)).toEqual([...metrics.described()].sort(byName));
    for (const { meaning } of rows) expect(meaning).toMatch(/\S/);
  });

  it('names each value of the labels that are closed sets, and no other', async () => {
    const text = await metrics.text();
    const closed = labelRows.flatMap(([, label = '', values = '']) => {
      const [name = '', metric] = names(label);
      return metric?.startsWith('turnus_') !== true || name === 'method' ? [] : [{ name, metric, values }];
    });
    expect(closed.length).toBeGreaterThan(5);
    for (const { name, metric, values } of closed) {
      const series = text.split('\n').filter((line) => line.startsWith(metric));
      const given = series.map((line) => new RegExp(`${name}="([^"]+)"`).exec(line)?.[1]);
      expect({ metric, values: names(values).sort() }).toEqual({ metric, values: [...new Set(given)].sort() });
    }
  });

  it('names in its examples only metrics that there are', () => {
    const known = new Set(metrics.described().map(({ name }) => name));
    const used = [...page.matchAll(/\b(?:turnus|process)_[a-z_]+[a-z]/g)].map(([name]) => name);
    for (const name of used) expect(known).toContain(name);
  });

  it('says of names and units what Prometheus asks for', () => {
    for (const { name, type } of metrics.described()) {
      expect(name.endsWith('_total')).toBe(type === 'counter');
      if (/duration|_wait_|_age_|window_left|_lag|_limit/.test(name)) expect(name).toMatch(/_seconds(_total)?$/);
    }
  });
});
