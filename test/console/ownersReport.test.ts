import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { documentMarkdown, documentText, escapeMarkdown } from '../../src/console/document.js';
import { ownersReport } from '../../src/console/ownersReport.js';
import type { FindingsByOwner, GatheredFinding } from '../../src/run/ownersOfFindings.js';
import type { Plan } from '../../src/run/plan.js';

function gathered(changes: Partial<GatheredFinding> = {}): GatheredFinding {
  return {
    code: 'budget-never',
    severity: 'block',
    meaning: 'A budget can never allow this pod to be evicted.',
    nodes: ['n1'],
    objects: ['PodDisruptionBudget shop/cart'],
    pods: ['shop/cart-0'],
    messages: ['Budget shop/cart lets 0 of 2 pods be unavailable.'],
    hints: ['Set maxUnavailable: 1 on it.'],
    ...changes,
  };
}

const node = { zone: undefined, estimateMs: 0, lastTurn: undefined, evictions: 1, findings: [], overlaps: [] } as const;
const plan: Plan = {
  run: 'monthly (not started)',
  playbook: 'monthly',
  clusterUid: 'uid',
  target: { server: 'https://api.example', context: 'prod', user: 'anna' },
  hash: 'ab12',
  canaries: 1,
  order: ['n1', 'n2'],
  nodes: [
    { ...node, node: 'n1', verdict: 'blocked', expectedMs: 0 },
    { ...node, node: 'n2', verdict: 'goes', expectedMs: 720_000, basis: 'estimate' },
  ],
  expectedMs: 720_000,
  basis: 'estimate',
};
const now = Date.UTC(2026, 10, 3, 9, 30);

const findings: FindingsByOwner = {
  namespaces: [
    {
      namespace: 'shop',
      responsible: { team: 'payments' },
      owners: [
        { owner: 'Deployment shop/cart', responsible: { 'app.kubernetes.io/part-of': 'web' }, findings: [gathered()] },
      ],
    },
  ],
  platform: [
    gathered({
      code: 'host-unreachable',
      meaning: 'The host does not answer.',
      nodes: ['n1', 'n2'],
      pods: [],
      messages: ['Host 10.0.0.1: timed out.', 'Host 10.0.0.2: timed out.'],
      hints: ['Look at sshd.'],
    }),
  ],
};

describe('a plan for the owners of workloads', () => {
  it('is a document with a section for each namespace and owner, and one for the platform team', () => {
    expect(documentMarkdown(ownersReport(plan, findings, now))).toEqual([
      '# Planned maintenance of cluster prod',
      '',
      'Playbook monthly, as seen on 2026-11-03 09:30 UTC: 1 of 2 nodes can have its turn, in about 12 min (guess). 1 cannot: n1.',
      '',
      'Each node is emptied before it is updated: its pods are evicted, and their owners start them again on other nodes.',
      '',
      '## Namespace shop',
      '',
      'team: payments',
      '',
      '### Deployment shop/cart',
      '',
      'app.kubernetes.io/part-of: web',
      '',
      '- **Blocks the maintenance of n1: A budget can never allow this pod to be evicted. (budget-never)**',
      '  - Budget shop/cart lets 0 of 2 pods be unavailable.',
      '  - What it means: until it is changed, this node stays in service without the update.',
      '  - What to change: Set maxUnavailable: 1 on it.',
      '  - Pods: shop/cart-0.',
      '',
      '## For the platform team',
      '',
      '- **Blocks the maintenance of n1, n2: The host does not answer. (host-unreachable)**',
      '  - Host 10.0.0.1: timed out.',
      '  - Host 10.0.0.2: timed out.',
      '  - What it means: until it is changed, these nodes stay in service without the update.',
      '  - What to change: Look at sshd.',
    ]);
  });

  it('says the same as plain text', () => {
    const lines = documentText(ownersReport(plan, findings, now));
    expect(lines.slice(0, 2)).toEqual(['Planned maintenance of cluster prod', '===================================']);
    expect(lines).toContain('team: payments');
    expect(lines).toContain('    What to change: Set maxUnavailable: 1 on it.');
  });

  it('stays bounded, and says what it leaves out', () => {
    const many = (count: number, name: string) => Array.from({ length: count }, (_, place) => `${name}-${place}`);
    const large = gathered({ nodes: many(200, 'n'), pods: many(1000, 'shop/cart'), messages: many(80, 'sentence') });
    const text = documentText(ownersReport(plan, { namespaces: [], platform: [large] }, now)).join('\n');
    expect(text).toContain('n-9 and 190 more');
    expect(text).toContain('shop/cart-9 and 990 more');
    expect(text).toContain('And 77 more of the same kind.');
    expect(text.length).toBeLessThan(1500);
  });

  it('says that there is nothing to say', () => {
    expect(documentText(ownersReport(plan, { namespaces: [], platform: [] }, now)).at(-1)).toBe(
      'Nothing stands in the way, and there is nothing that a team must know.',
    );
  });
});

describe('text in Markdown', () => {
  it.each([
    ['**bold** _or_ `code`', '\\*\\*bold\\*\\* \\_or\\_ \\`code\\`'],
    ['<script>&amp;', '\\<script\\>\\&amp;'],
    ['[link](https://evil.example)', '\\[link\\](https://evil.example)'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['# heading\nnext line', '\\# heading next line'],
    ['a | b', 'a \\| b'],
    ['shop/cart-0, node-1.example', 'shop/cart-0, node-1.example'],
  ])('%j is written %j', (text, written) => {
    expect(escapeMarkdown(text)).toBe(written);
  });

  it('is one line, in which no character is left that could begin markup, a link or a tag', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const escaped = escapeMarkdown(text);
        expect(escaped).not.toMatch(/[\n\r]/);
        expect(escaped.replaceAll(/\\[!-/:-@[-`{-~]/g, '')).not.toMatch(/[`*_[\]<>#|~&!\\]/);
        expect(escaped).not.toMatch(/^([-+=]|\d+[.)])/);
      }),
    );
  });
});
