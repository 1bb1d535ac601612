import { describe, expect, it } from 'vitest';
import { resources } from '../../src/cluster/resources.js';
import { cordonMark, isSame, nameOf, zoneOfNode } from './invariants/truth.js';
import type { Night } from './night.js';
import { playNight } from './playNight.js';
import type { Witness } from './witness.js';

const zones = ['a', 'b'];

/** Eight nodes of two zones; Deployments with replicas on most of them, some with a budget. Without any trouble. */
function nightOf(seed: number, concurrency: number): Night {
  const apps = [1, 2, 3, 4, 5, 6];
  return {
    seed,
    nodes: Array.from({ length: 8 }, (_, number) => ({ name: `node-${number + 1}`, zone: zones[number % 2] ?? 'a' })),
    workloads: apps.map((number) => ({
      name: `w${number}`,
      namespace: 'shop',
      kind: number === 6 ? ('StatefulSet' as const) : ('Deployment' as const),
      replicas: [8, 6, 4, 3, 2, 3][number - 1] ?? 2,
      startMs: 1000 * (1 + ((seed + number) % 6)),
      stopMs: 1000,
      ...(number % 2 === 0 ? { budget: { maxUnavailable: 1 } } : {}),
    })),
    playbook: {
      maxUnavailable: concurrency,
      concurrency,
      stopAfterFailures: 1,
      reboot: 'always',
      stages: ['update'],
      drainTimeoutMs: 900_000,
      attempts: 1,
      jobMs: 20_000 + 1000 * (seed % 10),
      bootMs: 40_000,
      steer: seed % 2 === 0,
    },
    troubles: [],
  };
}

/** The most nodes that carried our cordon at one moment. */
function cordonCount(): { readonly witness: Witness; readonly most: () => number } {
  const out = new Map<string, string>();
  let most = 0;
  const witness: Witness = {
    changed({ resource, object, type }) {
      if (!isSame(resource, resources.nodes)) return;
      if (type !== 'deleted' && cordonMark(object) !== undefined) out.set(nameOf(object), zoneOfNode(object));
      else out.delete(nameOf(object));
      most = Math.max(most, out.size);
    },
  };
  return { witness, most: () => most };
}

describe('three turns at the same time', () => {
  it.each(Array.from({ length: 8 }, (_, seed) => seed + 1))(
    'overlap although their nodes share workloads, and end sooner than one after the other (seed %i)',
    async (seed) => {
      const seen = cordonCount();
      const three = await playNight(nightOf(seed, 3), { witnesses: [seen.witness] });
      const one = await playNight(nightOf(seed, 1));
      expect([...three.violations, ...one.violations]).toEqual([]);
      expect([three.phases, one.phases]).toEqual([{ Done: 8 }, { Done: 8 }]);
      expect(seen.most()).toBeGreaterThan(1);
      expect(three.lastedMs / one.lastedMs).toBeLessThan(0.8);
    },
    60_000,
  );
});
