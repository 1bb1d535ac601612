import { describe, expect, it } from 'vitest';
import type { AcceptedFindings } from '../../src/drain/acceptedFindings.js';
import { nextEvictions } from '../../src/drain/next.js';
import { acceptableCode } from '../../src/gates/acceptance.js';
import { evaluateNode } from '../../src/gates/evaluateNode.js';
import { findingCatalogue, type FindingCode } from '../../src/gates/finding.js';
import type { ClusterView } from '../../src/cluster/view.js';
import type { DrainPolicy } from '../../src/playbook/playbook.js';
import { acceptedFindings } from '../../src/run/acceptedFindings.js';
import {
  budget,
  clusterView,
  drainPolicy,
  node,
  pod,
  spreadPolicy,
  takenAt,
  workload,
} from '../drain/clusterFixtures.js';

const nodes = [node('node-1'), node('node-2'), node('node-3')];
const here = { on: 'node-1' };
const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'import', uid: 'uid-of-import' };

function accepting(...codes: FindingCode[]): AcceptedFindings {
  return new Map(codes.map((code) => [code, { by: 'anna', reason: 'its team is told' }]));
}

interface Case {
  readonly code: FindingCode;
  readonly view: ClusterView;
  readonly policy?: Partial<DrainPolicy>;
  readonly singletons?: 'block';
}

const gathered = workload({
  name: 'web',
  pods: [
    { ...here, ready: true },
    { on: 'node-2', ready: false },
  ],
});
const cases: readonly Case[] = [
  { code: 'replica-spread', view: clusterView({ nodes, workloads: [gathered] }) },
  {
    code: 'singleton-blocked',
    view: clusterView({ nodes, workloads: [workload({ name: 'web', pods: [here] })] }),
    singletons: 'block',
  },
  { code: 'unmanaged-pod', view: clusterView({ nodes, pods: [pod('bare-0')] }) },
  {
    code: 'local-data-blocked',
    view: clusterView({
      nodes,
      workloads: [workload({ name: 'web', pods: [{ ...here, emptyDirs: ['data'] }, { on: 'node-2' }] })],
    }),
    policy: { localData: 'block' },
  },
  {
    code: 'job-running',
    view: clusterView({ nodes, pods: [pod('import-0', { controller: job })] }),
    policy: { jobPods: 'block' },
  },
  {
    code: 'pod-objects',
    view: clusterView({
      nodes,
      workloads: [
        workload({
          name: 'web',
          pods: [{ ...here, annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }, { on: 'node-2' }],
        }),
      ],
    }),
  },
];

function evaluated({ view, policy, singletons }: Case, accepted: AcceptedFindings) {
  return evaluateNode({
    view,
    node: node('node-1'),
    moment: 'before-cordon',
    run: undefined,
    selection: nodes,
    nodes: { maxUnavailable: 1 },
    gates: {
      replicaSpread: { ...spreadPolicy, singletons: singletons ?? 'allow' },
      managedBudgets: [],
      capacity: { mode: 'warn' },
    },
    drain: { ...drainPolicy, ...policy },
    api: { ready: true, message: '' },
    accepted,
  }).findings;
}

function steps({ view, policy, singletons }: Case, accepted: AcceptedFindings): string[] {
  return nextEvictions({
    view,
    node: 'node-1',
    policy: { ...drainPolicy, ...policy },
    spread: { ...spreadPolicy, singletons: singletons ?? 'allow' },
    managedBudgets: [],
    now: takenAt,
    inFlight: new Set(),
    accepted,
  }).steps.map(({ kind }) => kind);
}

describe('a finding that a person has taken on', () => {
  it.each(cases)('$code holds up neither gate nor drain, and is said with who lets it stand', (given) => {
    const { code } = given;
    expect(evaluated(given, accepting()).find((finding) => finding.code === code)?.severity).toBe('block');
    expect(steps(given, accepting())).not.toEqual(['evict']);

    const findings = evaluated(given, accepting(code));
    expect(findings.filter(({ severity }) => severity === 'block')).toEqual([]);
    expect(findings).toContainEqual(
      expect.objectContaining({
        code,
        severity: 'caution',
        message: expect.stringContaining('Accepted by anna: its team is told') as string,
      }),
    );
    expect(steps(given, accepting(code))).toEqual(['evict']);
  });

  it.each(cases)('$code is not taken on with another one', (given) => {
    const others = cases.map(({ code }) => code).filter((code) => code !== given.code);
    expect(evaluated(given, accepting(...others)).find(({ code }) => code === given.code)?.severity).toBe('block');
    expect(steps(given, accepting(...others))).not.toEqual(['evict']);
  });

  it('never takes a pod past its budget', () => {
    const codes = Object.keys(findingCatalogue).filter((code) => acceptableCode(code).kind === 'acceptable');
    const status = { expectedPods: 2, currentHealthy: 1, desiredHealthy: 1 };
    const given: Case = {
      code: 'replica-spread',
      view: clusterView({
        nodes,
        workloads: [gathered],
        budgets: [budget('web', { minAvailable: 1, status: { ...status, disruptionsAllowed: 0 } })],
      }),
    };
    const accepted = accepting(...(codes as FindingCode[]));
    expect(steps(given, accepted)).toEqual(['wait']);
    expect(evaluated(given, accepted).filter(({ severity }) => severity === 'block')).toMatchObject([
      { code: 'budget-not-now' },
    ]);
  });
});

describe('what stands in a status as accepted', () => {
  const record = { by: 'anna', reason: 'r', time: '2026-11-10T22:00:00Z' };

  it('counts only where it may be accepted, whoever wrote it there', () => {
    const accepted = [
      { code: 'replica-spread', ...record },
      { code: 'budget-never', ...record },
      { code: 'host-is-not-node', ...record },
      { code: 'nonsense', ...record },
    ];
    expect([...acceptedFindings({ accepted })]).toEqual([['replica-spread', { by: 'anna', reason: 'r' }]]);
    expect(acceptedFindings({}).size).toBe(0);
  });
});
