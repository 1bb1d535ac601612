import { describe, expect, it } from 'vitest';
import { findingsText, planText } from '../../src/console/planText.js';
import type { Finding } from '../../src/gates/finding.js';
import type { Plan, PlannedNode } from '../../src/run/plan.js';

function finding(changes: Partial<Finding>): Finding {
  return {
    code: 'budget-never',
    severity: 'block',
    objects: ['PodDisruptionBudget shop/cart'],
    message: 'Budget shop/cart never allows an eviction.',
    hint: 'Set maxUnavailable to 1.',
    ...changes,
  };
}

function planned(node: string, changes: Partial<PlannedNode> = {}): PlannedNode {
  return {
    node,
    zone: 'zone-a',
    lastTurn: undefined,
    estimateMs: 0,
    verdict: 'goes',
    evictions: 4,
    findings: [],
    overlaps: [],
    expectedMs: 0,
    ...changes,
  };
}

function plan(nodes: readonly PlannedNode[], changes: Partial<Plan> = {}): Plan {
  return {
    run: 'monthly-2026-11',
    playbook: 'monthly',
    clusterUid: '6f1c0a52-1111-4222-8333-444455556666',
    target: { server: 'https://api.example:6443', context: 'prod', user: 'anna' },
    hash: 'ab12cd34ef56'.repeat(6).slice(0, 64),
    canaries: 1,
    order: nodes.map(({ node }) => node),
    nodes,
    expectedMs: 0,
    ...changes,
  };
}

describe('a plan as people read it', () => {
  it('shows which turns may overlap', () => {
    const nodes = [
      planned('n1'),
      planned('n2', { overlaps: ['n3'] }),
      planned('n3', { overlaps: ['n2'] }),
      planned('n4', { zone: 'zone-b' }),
    ];
    expect(planText(plan(nodes)).slice(3)).toEqual([
      '#         GROUP  NODE  ZONE    LAST TURN  PODS TO MOVE  EXPECTED  VERDICT',
      '1 canary  -      n1    zone-a  never      4             -         goes',
      '2         1      n2    zone-a  never      4             -         goes',
      '3         1      n3    zone-a  never      4             -         goes',
      '4         -      n4    zone-b  never      4             -         goes',
      '',
      'The turns of one group may overlap; whether they do is decided when it is time, as the cluster stands then. The time expected is that of turns one after the other.',
    ]);
  });

  it('says on which cluster, then the order and what becomes of each node', () => {
    const nodes = [
      planned('n1', { lastTurn: '2026-10-13T21:00:00.000Z', expectedMs: 431_000, basis: 'history' }),
      planned('n2', { zone: undefined, estimateMs: 0, evictions: 12, expectedMs: 480_000, basis: 'estimate' }),
    ];
    expect(planText(plan(nodes, { expectedMs: 911_000, basis: 'estimate' }))).toEqual([
      'Run monthly-2026-11 of playbook monthly on https://api.example:6443 (context prod, cluster 6f1c0a52-1111-4222-8333-444455556666)',
      'Plan ab12cd34ef56: 2 nodes, 2 can have their turn now',
      'Expected: about 15 min for 2 nodes (1 as former turns took, the others a guess)',
      '',
      '#         NODE  ZONE    LAST TURN                 PODS TO MOVE  EXPECTED             VERDICT',
      '1 canary  n1    zone-a  2026-10-13T21:00:00.000Z  4             about 7 min          goes',
      '2         n2    -       never                     12            about 8 min (guess)  goes',
    ]);
  });

  it.each<{ title: string; node: PlannedNode; verdict: string }>([
    { title: 'goes', node: planned('n1'), verdict: 'goes' },
    {
      title: 'goes with one caution',
      node: planned('n1', { findings: [finding({ severity: 'caution' })] }),
      verdict: 'goes, 1 caution',
    },
    {
      title: 'goes with several cautions, among them no information',
      node: planned('n1', {
        findings: [finding({ severity: 'caution' }), finding({ severity: 'caution' }), finding({ severity: 'info' })],
      }),
      verdict: 'goes, 2 cautions',
    },
    {
      title: 'is blocked, with each code once',
      node: planned('n1', {
        verdict: 'blocked',
        findings: [
          finding({}),
          finding({ message: 'Another.' }),
          finding({ code: 'unmanaged-pod' }),
          finding({ code: 'local-data-lost', severity: 'caution' }),
        ],
      }),
      verdict: 'blocked: budget-never, unmanaged-pod',
    },
    { title: 'is done', node: planned('n1', { verdict: 'done' }), verdict: 'done in this run' },
  ])('says that a node $title', ({ node, verdict }) => {
    const row = planText(plan([node])).find((line) => line.startsWith('1 canary'));
    expect(row?.split(/ {2,}/).at(-1)).toBe(verdict);
  });

  it('counts only the nodes that can have their turn now', () => {
    const nodes = [planned('n1', { verdict: 'done' }), planned('n2'), planned('n3', { verdict: 'blocked' })];
    expect(planText(plan(nodes))[1]).toBe('Plan ab12cd34ef56: 3 nodes, 1 can have their turn now');
  });

  it('numbers nodes and names canaries by the order of the whole run, whatever the call is narrowed to', () => {
    const lines = planText(plan([planned('n3')], { order: ['n1', 'n2', 'n3'], canaries: 2 }));
    expect(lines.filter((line) => line.includes('n3'))).toEqual([
      '3  n3    zone-a  never      4             -         goes',
    ]);
    expect(lines.join('\n')).not.toContain('canary');
  });

  it('names as many canaries as the playbook wants', () => {
    const lines = planText(plan([planned('n1'), planned('n2'), planned('n3')], { canaries: 2 }));
    expect(lines.filter((line) => line.includes('canary'))).toHaveLength(2);
  });
});

describe('findings as people read them', () => {
  it('begin with what blocks and end with what is for the record', () => {
    const lines = findingsText([
      finding({ severity: 'info', message: 'For the record.' }),
      finding({ severity: 'caution', message: 'Careful.' }),
      finding({ severity: 'block', message: 'No.' }),
    ]);
    expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split(' ')[0])).toEqual([
      'block',
      'caution',
      'info',
    ]);
  });

  it('tell the same sentence about several nodes once, with the nodes', () => {
    expect(findingsText([finding({ node: 'n1' }), finding({ node: 'n2' }), finding({ node: 'n1' })])).toEqual([
      '',
      'block budget-never (n1, n2)',
      '  Budget shop/cart never allows an eviction.',
      '  Set maxUnavailable to 1.',
    ]);
  });

  it('tell different sentences of the same code one by one', () => {
    const lines = findingsText([finding({ node: 'n1' }), finding({ node: 'n2', message: 'Budget shop/pay is full.' })]);
    expect(lines.filter((line) => line.startsWith('block'))).toEqual([
      'block budget-never (n1)',
      'block budget-never (n2)',
    ]);
  });

  it('name no node where the whole cluster is meant', () => {
    expect(findingsText([finding({})])[1]).toBe('block budget-never');
  });

  it('are no lines where there are none', () => {
    expect(findingsText([])).toEqual([]);
  });
});
