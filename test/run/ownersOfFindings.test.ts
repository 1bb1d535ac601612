import { describe, expect, it } from 'vitest';
import type { NamespaceView } from '../../src/cluster/view.js';
import { findingCatalogue, type Finding, type FindingCode } from '../../src/gates/finding.js';
import { concernsOn } from '../../src/run/concerns.js';
import { ownersOfFindings } from '../../src/run/ownersOfFindings.js';
import { budget, clusterView, node, pod, workload } from '../drain/clusterFixtures.js';

function finding(changes: Partial<Finding>): Finding {
  return { code: 'budget-never', severity: 'block', objects: [], message: 'No.', hint: 'Change it.', ...changes };
}

function namespace(name: string, responsible: Record<string, string>): NamespaceView {
  return { name, labels: {}, terminating: false, responsible };
}

const cart = workload({ name: 'cart', pods: [{ on: 'node-1' }, { on: 'node-1' }, { on: 'node-2' }] });
const stock = workload({ name: 'stock', pods: [{ on: 'node-2' }] });
const night = workload({ name: 'night', kind: 'Job', apiVersion: 'batch/v1', desired: null, pods: [{ on: 'node-1' }] });
const agent = workload({ name: 'agent', kind: 'DaemonSet', desired: null, pods: [{ on: 'node-1' }] });
const labelled = {
  ...cart,
  owner: { ...cart.owner, responsible: { team: 'payments', 'app.kubernetes.io/part-of': 'web-shop' } },
};
const bare = pod('loner', { labels: { team: 'labs', password: 'hunter2' }, claims: ['data'] });
const dns = pod('dns-0', { namespace: 'kube-system', uid: 'uid-of-dns' });
const view = clusterView({
  nodes: [node('node-1'), node('node-2')],
  workloads: [labelled, stock, night, agent],
  pods: [bare, dns],
  budgets: [budget('cart', { maxUnavailable: 0 }), budget('empty', { maxUnavailable: 0 })],
  namespaces: [namespace('shop', { team: 'payments' })],
});

describe('whom a finding concerns', () => {
  it.each<{ title: string; objects: string[]; at?: string; owners: string[]; pods?: string[] }>([
    { title: 'a node concerns no workload', objects: ['Node node-1'], owners: [] },
    { title: 'the cluster concerns none', objects: ['API server'], owners: [] },
    { title: 'an object of another kind concerns none', objects: ['CephCluster rook-ceph/main'], owners: [] },
    { title: 'a DaemonSet belongs to the node', objects: ['DaemonSet shop/agent'], owners: [] },
    { title: 'so does its pod', objects: ['Pod shop/agent-0'], owners: [] },
    { title: 'what is in kube-system is the platform', objects: ['Pod kube-system/dns-0'], owners: [] },
    {
      title: 'a budget concerns the owners of its pods on the node',
      objects: ['PodDisruptionBudget shop/cart'],
      owners: ['Deployment shop/cart'],
      pods: ['shop/cart-0', 'shop/cart-1'],
    },
    {
      title: 'or those of its pods elsewhere',
      objects: ['PodDisruptionBudget shop/cart'],
      at: 'node-3',
      owners: ['Deployment shop/cart'],
      pods: [],
    },
    {
      title: 'or only itself',
      objects: ['PodDisruptionBudget shop/empty'],
      owners: ['PodDisruptionBudget shop/empty'],
      pods: [],
    },
    {
      title: 'a pod concerns its owner, and is named',
      objects: ['Pod shop/cart-1'],
      owners: ['Deployment shop/cart'],
      pods: ['shop/cart-1'],
    },
    {
      title: 'an unready pod elsewhere is named with those on the node',
      objects: ['PodDisruptionBudget shop/cart', 'Pod shop/cart-2'],
      owners: ['Deployment shop/cart'],
      pods: ['shop/cart-0', 'shop/cart-1', 'shop/cart-2'],
    },
    {
      title: 'a pod without a controller is its own owner',
      objects: ['Pod shop/loner'],
      owners: ['Pod shop/loner'],
      pods: ['shop/loner'],
    },
    {
      title: 'a Job pod is its Job',
      objects: ['Pod shop/night-0'],
      owners: ['Job shop/night'],
      pods: ['shop/night-0'],
    },
    {
      title: 'a claim concerns the owner of the pods that use it',
      objects: ['PersistentVolumeClaim shop/data'],
      owners: ['Pod shop/loner'],
      pods: ['shop/loner'],
    },
    {
      title: 'a pod that is gone is named all the same',
      objects: ['Pod shop/former'],
      owners: ['Pod shop/former'],
      pods: ['shop/former'],
    },
    {
      title: 'several owners are concerned',
      objects: ['Pod shop/cart-0', 'Pod shop/loner'],
      owners: ['Deployment shop/cart', 'Pod shop/loner'],
      pods: ['shop/cart-0', 'shop/loner'],
    },
  ])('$title', ({ objects, at = 'node-1', owners, pods = [] }) => {
    const concerns = concernsOn(view)({ node: at, finding: finding({ objects }) });
    expect(concerns.map(({ owner }) => owner)).toEqual(owners);
    expect(concerns.flatMap((concern) => concern.pods)).toEqual(pods);
  });

  it('says who answers for the owner: by its labels, else by those of its pods, and by nothing else', () => {
    const concernsOf = concernsOn(view);
    const said = (object: string) =>
      concernsOf({ node: 'node-1', finding: finding({ objects: [object] }) }).map(
        ({ ownerResponsible, namespaceResponsible }) => [ownerResponsible, namespaceResponsible],
      );
    expect(said('Deployment shop/cart')).toEqual([
      [{ team: 'payments', 'app.kubernetes.io/part-of': 'web-shop' }, { team: 'payments' }],
    ]);
    expect(said('Pod shop/loner')).toEqual([[{ team: 'labs' }, { team: 'payments' }]]);
  });
});

describe('findings by owner', () => {
  const never = finding({ objects: ['PodDisruptionBudget shop/cart', 'Deployment shop/cart'], message: 'Never.' });

  it('say the same about several nodes once, with the pods of all of them', () => {
    const nodes = ['node-1', 'node-2'].map((name) => ({ node: name, findings: [never] }));
    const { namespaces, platform } = ownersOfFindings(view, nodes);
    expect(platform).toEqual([]);
    expect(namespaces).toMatchObject([
      {
        namespace: 'shop',
        responsible: { team: 'payments' },
        owners: [
          {
            owner: 'Deployment shop/cart',
            // The team is said with the namespace already.
            responsible: { 'app.kubernetes.io/part-of': 'web-shop' },
            findings: [
              {
                code: 'budget-never',
                meaning: findingCatalogue['budget-never'],
                nodes: ['node-1', 'node-2'],
                pods: ['shop/cart-0', 'shop/cart-1', 'shop/cart-2'],
                messages: ['Never.'],
                hints: ['Change it.'],
              },
            ],
          },
        ],
      },
    ]);
  });

  it('put what blocks before what is to know: findings, owners and namespaces', () => {
    const ledger = pod('ledger', { namespace: 'bank', uid: 'uid-of-ledger' });
    const both = clusterView({ workloads: [cart, stock], pods: [ledger] });
    const caution = (object: string, code: FindingCode = 'singleton-outage') =>
      finding({ code, severity: 'caution', objects: [object] });
    const { namespaces } = ownersOfFindings(both, [
      {
        node: 'node-1',
        findings: [
          caution('Pod bank/ledger'),
          caution('Deployment shop/cart'),
          caution('Deployment shop/stock', 'job-running'),
          finding({ objects: ['Deployment shop/stock'] }),
        ],
      },
    ]);
    expect(namespaces.map((one) => one.namespace)).toEqual(['shop', 'bank']);
    expect(namespaces[0]?.owners.map(({ owner }) => owner)).toEqual(['Deployment shop/stock', 'Deployment shop/cart']);
    expect(namespaces[0]?.owners[0]?.findings.map(({ code }) => code)).toEqual(['budget-never', 'job-running']);
  });

  it('tell a team nothing of other namespaces where one finding is about several', () => {
    const ledger = pod('ledger', { namespace: 'bank', uid: 'uid-of-ledger' });
    const both = clusterView({ workloads: [cart], pods: [ledger] });
    const lost = finding({
      code: 'local-data-lost',
      severity: 'info',
      objects: ['Pod shop/cart-0', 'Pod bank/ledger'],
      message: '2 pods of node node-1 lose data: Pod shop/cart-0, Pod bank/ledger.',
    });
    const { namespaces } = ownersOfFindings(both, [{ node: 'node-1', findings: [lost] }]);
    expect(namespaces.map((one) => one.namespace)).toEqual(['bank', 'shop']);
    const shop = namespaces.find((one) => one.namespace === 'shop')?.owners;
    expect(JSON.stringify(shop)).not.toContain('ledger');
    expect(shop?.[0]?.findings).toMatchObject([{ messages: [], objects: ['Pod shop/cart-0'], pods: ['shop/cart-0'] }]);
  });

  it('lose none: every finding of every code is somewhere, whatever its objects are', () => {
    const codes = Object.keys(findingCatalogue) as FindingCode[];
    const objects = ['Node node-1', 'Pod shop/cart-0', 'PodDisruptionBudget shop/cart', 'Thing a/b', 'nonsense'];
    const findings = codes.flatMap((code) => objects.map((object) => finding({ code, objects: [object] })));
    const { namespaces, platform } = ownersOfFindings(view, [{ node: 'node-1', findings }]);
    const told = namespaces.flatMap(({ owners }) => owners.flatMap((owner) => owner.findings));
    expect(new Set(told.map(({ code }) => code))).toEqual(new Set(codes));
    expect(new Set(platform.map(({ code }) => code))).toEqual(new Set(codes));
  });
});
