import { describe, expect, it } from 'vitest';
import { coverageWarning } from '../../src/console/coverageWarning.js';
import type { PlannedNode } from '../../src/run/plan.js';
import { nodesPolicy } from '../run/runFixtures.js';

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const now = Date.parse('2026-12-01T00:00:00Z');

function node(name: string, changes: Partial<PlannedNode> = {}): PlannedNode {
  return {
    node: name,
    zone: undefined,
    lastTurn: undefined,
    verdict: 'goes',
    estimateMs: hourMs,
    expectedMs: hourMs,
    evictions: 0,
    findings: [],
    overlaps: [],
    ...changes,
  };
}

function warned(nodes: readonly PlannedNode[], coverageMs: number | undefined): string {
  const windows = [{ kind: 'cron', expression: '0 22 * * 2#2', durationMs: 4 * hourMs }] as const;
  const schedule = { timeZone: 'UTC', windows, freezes: [], coverageMs, expectedTurnMs: undefined };
  return coverageWarning({ playbook: { schedule, nodes: nodesPolicy }, plan: { nodes }, now }).join('\n');
}

describe('what a plan says of the coverage', () => {
  const four = ['n1', 'n2', 'n3', 'n4'].map((name) => node(name));
  const six = [...four, node('n5'), node('n6')];

  it('is nothing where none is promised, or the windows have room for all', () => {
    expect(warned(six, undefined)).toBe('');
    expect(warned(four, 40 * dayMs)).toBe('');
  });

  it('is that six turns of an hour do not fit into four hours a month', () => {
    expect(warned(six, 40 * dayMs)).toMatch(
      /^\ncaution coverage-unattainable\n {2}A node that is first on 2026-12-08 22:00 and last on .* waits .*, longer than the coverage of 40 d/,
    );
  });

  it('counts blocked nodes by their estimate, and done ones not at all', () => {
    const blocked = six.map((each) => ({ ...each, verdict: 'blocked', expectedMs: 0 }) as const);
    expect(warned(blocked, 40 * dayMs)).toContain('coverage-unattainable');
    const done = six.map((each) => ({ ...each, verdict: 'done', expectedMs: 0, estimateMs: 0 }) as const);
    expect(warned(done, 40 * dayMs)).toBe('');
  });
});
