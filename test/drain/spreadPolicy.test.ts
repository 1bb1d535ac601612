import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NamespaceView } from '../../src/cluster/view.js';
import { nextEvictions } from '../../src/drain/next.js';
import { spreadPolicyFor, type SpreadPolicy } from '../../src/drain/spreadPolicy.js';
import { clusterView, drainPolicy, takenAt, workload } from './clusterFixtures.js';

function namespace(labels: Readonly<Record<string, string>>): NamespaceView {
  return { name: 'shop', labels, terminating: false };
}

const policy: SpreadPolicy = {
  minReadyElsewhere: '50%',
  singletons: 'allow',
  overrides: [
    { namespaces: { team: 'acme', tier: 'trial' }, singletons: 'allow' },
    { namespaces: { team: 'acme' }, singletons: 'block', minReadyElsewhere: '100%' },
    { namespaces: { tier: 'trial' }, singletons: 'block', minReadyElsewhere: 0 },
  ],
};
const general = 'spec.gates.replicaSpread';
const override = (index: number) => `spec.gates.overrides[${String(index)}]`;

describe('the spread of a namespace', () => {
  it.each([
    ['that no entry means', {}, '50%', 'allow', general, general],
    ['with one of two labels', { tier: 'trial' }, 0, 'block', override(2), override(2)],
    ['that one entry means', { team: 'acme' }, '100%', 'block', override(1), override(1)],
    ['with another value of the label', { team: 'acme2' }, '50%', 'allow', general, general],
    [
      'that several mean: each field of the first that gives it',
      { team: 'acme', tier: 'trial' },
      '100%',
      'allow',
      override(1),
      override(0),
    ],
  ])('%s', (_, labels, minReadyElsewhere, singletons, shareBy, singletonsBy) => {
    const view = clusterView({ namespaces: [namespace(labels)] });
    expect(spreadPolicyFor({ policy, view, namespace: 'shop' })).toEqual({
      minReadyElsewhere,
      singletons,
      saidBy: { minReadyElsewhere: `${shareBy}.minReadyElsewhere`, singletons: `${singletonsBy}.singletons` },
    });
  });

  it('that the view does not know is that of the playbook', () => {
    expect(spreadPolicyFor({ policy, view: clusterView({}), namespace: 'shop' })).toMatchObject({
      minReadyElsewhere: '50%',
      singletons: 'allow',
    });
  });

  it('is not changed by entries after one that gives both fields and means it', () => {
    const labels = fc.dictionary(fc.constantFrom('team', 'tier'), fc.constantFrom('a', 'b'));
    const entry = fc.record(
      {
        namespaces: labels,
        minReadyElsewhere: fc.constantFrom(0, 1, '50%' as const, '100%' as const),
        singletons: fc.constantFrom('allow' as const, 'block' as const),
      },
      { requiredKeys: ['namespaces'] },
    );
    fc.assert(
      fc.property(labels, fc.array(entry), fc.array(entry), (carried, before, after) => {
        const view = clusterView({ namespaces: [namespace(carried)] });
        const whole = { namespaces: carried, minReadyElsewhere: 1, singletons: 'block' as const };
        const asked = (overrides: SpreadPolicy['overrides']) =>
          spreadPolicyFor({ policy: { ...policy, overrides: overrides ?? [] }, view, namespace: 'shop' });
        expect(asked([...before, whole, ...after])).toEqual(asked([...before, whole]));
      }),
    );
  });
});

describe('the drain of a namespace with its own spread', () => {
  const here = { on: 'node-1' };
  const elsewhere = { on: 'node-2' };

  function steps(labels: Readonly<Record<string, string>>, workloads: Parameters<typeof workload>[0][]) {
    const view = clusterView({ workloads: workloads.map(workload), namespaces: [namespace(labels)] });
    return nextEvictions({
      view,
      node: 'node-1',
      policy: drainPolicy,
      spread: policy,
      managedBudgets: [],
      now: takenAt,
      inFlight: new Set(),
    }).steps;
  }

  it('keeps a singleton that another namespace lets go, and names the entry', () => {
    const single = { name: 'single', pods: [here] };
    expect(steps({}, [single])).toMatchObject([{ kind: 'evict' }]);
    expect(steps({ team: 'acme' }, [single])).toMatchObject([
      {
        kind: 'never',
        finding: {
          code: 'singleton-blocked',
          hint: expect.stringContaining(`${override(1)}.singletons to surge or allow`) as string,
        },
      },
    ]);
    expect(steps({ team: 'acme', tier: 'trial' }, [single])).toMatchObject([{ kind: 'evict' }]);
  });

  it('keeps more replicas than another namespace, and names the entry', () => {
    const web = { name: 'web', pods: [here, elsewhere, { ...elsewhere, ready: false }] };
    expect(steps({}, [{ name: 'web', pods: [here, elsewhere, elsewhere] }])).toMatchObject([{ kind: 'evict' }]);
    expect(steps({ team: 'acme' }, [web])).toMatchObject([
      {
        kind: 'wait',
        wait: { for: 'spread', hint: expect.stringContaining(`lower ${override(1)}.minReadyElsewhere`) as string },
      },
    ]);
    expect(steps({ tier: 'trial' }, [web])).toMatchObject([{ kind: 'evict' }]);
  });
});
