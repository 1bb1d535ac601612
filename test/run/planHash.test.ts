import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/playbook/playbook.js';
import { planHash } from '../../src/run/planHash.js';
import { loadGood, playbookWith } from '../playbook/playbookFiles.js';

const clusterUid = '6f1c0a52-1111-4222-8333-444455556666';
const playbook = await loadGood(playbookWith('  drain: {timeout: 20m}', '  settle: {time: 10s}'));
const hash = planHash({ clusterUid, playbook });

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same value with the keys of every mapping the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

function recordFrom(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new Error('not a mapping');
  return value;
}

function withNormalised(normalised: Record<string, unknown>): Playbook {
  return { ...playbook, normalised };
}

/** The path of every value that holds no other: strings, numbers, flags. */
function leavesOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key]));
}

function changedAt(value: unknown, path: readonly string[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return typeof value === 'number' ? value + 1 : `${String(value)} changed`;
  if (Array.isArray(value)) {
    return value.map((item: unknown, place) => (String(place) === key ? changedAt(item, rest) : item));
  }
  const record = recordFrom(value);
  return { ...record, [key]: changedAt(record[key], rest) };
}

describe('the plan hash', () => {
  it('is a SHA-256', () => {
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('does not depend on the order of keys', () => {
    const other = withNormalised(recordFrom(reversed(playbook.normalised)));
    expect(Object.keys(other.normalised)).not.toEqual(Object.keys(playbook.normalised));
    expect(planHash({ clusterUid, playbook: other })).toBe(hash);
  });

  it('does not depend on the order in which files are named', () => {
    const files = ['./a.sh', './b.sh', './c.sh'].map((path) => ({ path, digest: path }));
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: 3 }), (shuffled) => {
        const hashes = [files, shuffled].map((some) =>
          planHash({ clusterUid, playbook: { ...playbook, files: some } }),
        );
        expect(hashes[0]).toBe(hashes[1]);
      }),
    );
  });

  it('is another one in another cluster', () => {
    expect(planHash({ clusterUid: clusterUid.replace('6f', '7f'), playbook })).not.toBe(hash);
  });

  it('is another one where a script has another content or another name', () => {
    expect(playbook.files).toHaveLength(1);
    const changes = playbook.files.flatMap((file) => [
      { ...file, digest: '0'.repeat(64) },
      { ...file, path: './other.sh' },
    ]);
    for (const file of changes) {
      expect(planHash({ clusterUid, playbook: { ...playbook, files: [file] } })).not.toBe(hash);
    }
    expect(planHash({ clusterUid, playbook: { ...playbook, files: [] } })).not.toBe(hash);
  });

  it('is another one where any field of the playbook has another value', () => {
    const leaves = leavesOf(playbook.normalised);
    expect(leaves.length).toBeGreaterThan(30);
    const hashes = leaves.map((path) =>
      planHash({ clusterUid, playbook: withNormalised(recordFrom(changedAt(playbook.normalised, path))) }),
    );
    expect(new Set([...hashes, hash]).size).toBe(leaves.length + 1);
  });

  it('is the same for a default that is written out', async () => {
    const implicit = await loadGood(playbookWith());
    const explicit = await loadGood(playbookWith('  drain: {timeout: 15m}'));
    expect(planHash({ clusterUid, playbook: explicit })).toBe(planHash({ clusterUid, playbook: implicit }));
  });
});
