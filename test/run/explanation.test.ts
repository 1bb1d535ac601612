import { describe, expect, it } from 'vitest';
import { explainText } from '../../src/console/explainText.js';
import type { Finding } from '../../src/gates/finding.js';
import { explanation, momentOf, type NodeToExplain } from '../../src/run/explanation.js';
import { turnPhases, type RunState, type TurnStatus } from '../../src/run/state.js';
import { unknownNode } from '../../src/run/unknownNode.js';
import { clusterView, node, workload } from '../drain/clusterFixtures.js';
import { nodesPolicy, runSpec, runState } from './runFixtures.js';

const master = node('master-1', { labels: { 'node-role.kubernetes.io/control-plane': '' } });
const excluded = node('node-2', { labels: { 'turnus.dev/exclude': '' } });
const cart = workload({ name: 'cart', pods: [{ on: 'node-1' }, { on: 'node-1' }] });
const view = clusterView({ nodes: [node('node-1'), excluded, node('node-3'), master], workloads: [cart] });
const now = Date.UTC(2026, 10, 10, 22, 30);

const never: Finding = {
  code: 'budget-never',
  severity: 'block',
  node: 'node-1',
  objects: ['PodDisruptionBudget shop/cart', 'Deployment shop/cart'],
  message: 'Budget shop/cart never allows an eviction.',
  hint: 'Set maxUnavailable: 1.',
};

function explained(changes: Partial<NodeToExplain> = {}) {
  return explanation({
    node: 'node-1',
    view,
    playbook: { name: 'monthly', nodes: nodesPolicy },
    playbookOf: undefined,
    state: undefined,
    runsNotRead: undefined,
    findings: [],
    isHostAsked: false,
    ...changes,
  });
}

function wanted(state: RunState, desired: NonNullable<RunState['spec']['desired']>): RunState {
  return { ...state, spec: { ...runSpec, desired } };
}

describe('what stands in the way of a node', () => {
  it('is nothing where no gate blocks and no run is there', () => {
    expect(explained().inTheWay).toEqual([]);
    expect(explained({ findings: [{ ...never, severity: 'caution' }] })).toMatchObject({
      inTheWay: [],
      toKnow: [{ finding: { code: 'budget-never' } }],
    });
  });

  it('is what blocks, with the workloads that it concerns', () => {
    expect(explained({ findings: [never] }).inTheWay).toMatchObject([
      {
        kind: 'gate',
        finding: never,
        concerns: [{ owner: 'Deployment shop/cart', pods: ['shop/cart-0', 'shop/cart-1'] }],
      },
    ]);
  });

  it.each([
    { title: 'an excluded node', name: 'node-2', selector: '', selection: 'excluded', says: /turnus\.dev\/exclude/ },
    {
      title: 'another selector',
      name: 'node-1',
      selector: 'gpu',
      selection: 'not-matched',
      says: /its selector is "gpu"/,
    },
    {
      title: 'a node that is gone',
      name: 'node-9',
      selector: '',
      selection: 'not-in-the-cluster',
      says: /not in the cluster/,
    },
  ])('is that the playbook does not take it: $title', ({ name, selector, selection, says }) => {
    const nodes = { ...nodesPolicy, selector };
    const { inTheWay, selection: said } = explained({ node: name, playbook: { name: 'monthly', nodes } });
    expect(said).toBe(selection);
    expect(inTheWay).toMatchObject([{ message: expect.stringMatching(says) as string }]);
  });

  it('is for a control-plane node what its gate says', () => {
    const gate: Finding = { ...never, code: 'control-plane-node', objects: ['Node master-1'] };
    const { selection, inTheWay } = explained({ node: 'master-1', findings: [gate] });
    expect(selection).toBe('control-plane');
    expect(inTheWay).toMatchObject([{ kind: 'gate', concerns: [] }]);
  });

  it.each<{ title: string; state: RunState; says: RegExp[] }>([
    {
      title: 'a paused run',
      state: wanted(runState({ 'node-3': 'Done', 'node-1': 'Pending' }), {
        state: 'Pause',
        by: 'anna',
        reason: 'storm',
      }),
      says: [/^Run monthly-2026-11 is paused by anna \(storm\)/],
    },
    {
      title: 'an aborted run',
      state: wanted(runState({ 'node-1': 'Blocked' }), { state: 'Abort' }),
      says: [/was aborted; it begins no other turn/],
    },
    {
      title: 'a run that a failure has stopped',
      state: runState({ 'node-3': 'Failed', 'node-1': 'Pending' }, { phase: 'Failed' }),
      says: [/because the turn of node-3 failed/],
    },
    {
      title: 'its own failure',
      state: runState({ 'node-1': { phase: 'Failed', message: 'The script failed.' } }, { phase: 'Failed' }),
      says: [/^The script failed\.$/],
    },
    {
      title: 'a person who left it out',
      state: runState({ 'node-1': { phase: 'Skipped', skippedBy: 'anna', message: 'Skipped by anna.' } }),
      says: [/^Skipped by anna\.$/],
    },
    {
      title: 'not the pause of a run in which it is done',
      state: wanted(runState({ 'node-1': 'Done', 'node-3': 'Pending' }), { state: 'Pause' }),
      says: [],
    },
    {
      title: 'not the pause of a run whose turn of it goes on',
      state: wanted(runState({ 'node-1': 'Updating' }), { state: 'Pause' }),
      says: [],
    },
    {
      title: 'not a run that is over',
      state: runState({ 'node-1': { phase: 'Failed', message: 'Old.' } }, { phase: 'Superseded' }),
      says: [],
    },
    { title: 'not what blocked it before', state: runState({ 'node-1': 'Blocked' }), says: [] },
  ])('is, of a run: $title', ({ state, says }) => {
    const messages = explained({ state }).inTheWay.map((obstacle) => ('message' in obstacle ? obstacle.message : ''));
    expect(messages).toHaveLength(says.length);
    for (const [place, text] of says.entries()) expect(messages[place]).toMatch(text);
  });

  it('is judged as before the cordon, in the drain, or not at all, by where the turn stands', () => {
    const moments = turnPhases.map((phase) => {
      const turn = { node: 'node-1', nodeUid: 'uid', status: { phase } };
      return `${phase} ${momentOf(turn, node('node-1')) ?? 'not'}`;
    });
    expect(moments).toEqual([
      'Pending before-cordon',
      'Preparing before-cordon',
      'Checking before-cordon',
      'Cordoning after-cordon',
      'Draining after-cordon',
      'Updating not',
      'Rebooting not',
      'Verifying not',
      'Uncordoning not',
      'Settling not',
      'Done before-cordon',
      'Undoing not',
      'Deferred before-cordon',
      'Blocked before-cordon',
      'Skipped before-cordon',
      'Failed before-cordon',
    ]);
    expect(momentOf(undefined, undefined)).toBeUndefined();
  });
});

describe('an explanation as people read it', () => {
  it('begins with what to change and whose it is, and goes on with run and turn', () => {
    const draining: TurnStatus = {
      phase: 'Draining',
      steps: [{ phase: 'Draining', startedAt: '2026-11-10T22:00:00Z' }],
      waitingFor: {
        what: 'Budget shop/cart needs 2 healthy pods.',
        since: '2026-11-10T22:10:00Z',
        until: '2026-11-10T22:40:00Z',
      },
    };
    const state = runState({ 'node-3': 'Updating', 'node-1': draining });
    expect(explainText(explained({ state, findings: [never], playbookOf: state.name }), now)).toEqual([
      'One thing stands in the way of node node-1.',
      'The gates of its drain were asked at this moment (playbook monthly, as run monthly-2026-11 keeps it).',
      '',
      'block budget-never',
      '  Budget shop/cart never allows an eviction.',
      '  To change: Set maxUnavailable: 1.',
      '  Objects: PodDisruptionBudget shop/cart, Deployment shop/cart',
      '  Whose: Deployment shop/cart, namespace shop',
      '    Pods: shop/cart-0, shop/cart-1',
      '',
      'Run monthly-2026-11 is Running; node node-1 is number 2 of 2.',
      '  In work: node-3 (Updating)',
      'Its turn is Draining since 22:00:00Z.',
      '  waiting: Budget shop/cart needs 2 healthy pods. (until 22:40:00Z, 10 min left)',
    ]);
  });

  it('says that nothing is in the way, that the host was not asked, and why no run was looked at', () => {
    expect(explainText(explained({ runsNotRead: 'The CRD is not there.' }), now)).toEqual([
      'Nothing stands in the way of node node-1.',
      'Every gate was asked at this moment (playbook monthly); the host was not asked.',
      '',
      'No run was looked at: The CRD is not there.',
    ]);
  });

  it('ends with the report of a failed turn', () => {
    const state = runState({ 'node-1': { phase: 'Failed', message: 'The script failed.' } }, { phase: 'Failed' });
    const lines = explainText(explained({ state }), now);
    expect(lines.slice(0, 1)).toEqual(['One thing stands in the way of node node-1.']);
    expect(lines).toContain('  What happened: The script failed.');
  });

  it('lets nothing act on the terminal, whoever has written it', () => {
    const escape = '\u001b[2J';
    const evil = { ...never, message: `a${escape}b`, hint: `c${escape}d`, objects: [`Pod ${escape}x/y`] };
    expect(explainText(explained({ findings: [evil] }), now).join('')).not.toContain('\u001b');
  });
});

describe('a node that the cluster does not have', () => {
  it.each([
    { written: 'nod-1', hint: 'Did you mean node-1?' },
    { written: 'node-11', hint: 'Did you mean node-1, node-2, node-3?' },
    { written: 'worker', hint: 'Did you mean worker.example.com?' },
    { written: 'worker.example.com.local', hint: 'Did you mean worker.example.com?' },
    { written: 'nothing-like-it', hint: 'kubectl get nodes lists them.' },
    { written: '', hint: 'kubectl get nodes lists them.' },
    { written: 'n'.repeat(100_000), hint: 'kubectl get nodes lists them.' },
  ])('is answered by the names that come close', ({ written, hint }) => {
    const error = unknownNode(written, ['node-1', 'node-2', 'node-3', 'node-4', 'worker.example.com']);
    expect(error).toMatchObject({ exitCode: 2, hint });
  });
});
