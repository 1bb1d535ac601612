import { describe, expect, it } from 'vitest';
import type {
  LabelRequirement,
  LabelSelector,
  NodeSelectorTerm,
  NodeView,
  PodView,
  SpreadConstraint,
} from '../../src/cluster/view.js';
import { placements } from '../../src/drain/placement.js';
import { clusterView, node, pod } from './clusterFixtures.js';

const zone = 'topology.kubernetes.io/zone';
const hostname = 'kubernetes.io/hostname';

function nodeIn(name: string, inZone: string, changes: Partial<NodeView> = {}): NodeView {
  return node(name, { labels: { [hostname]: name, [zone]: inZone }, ...changes });
}

const three = [nodeIn('node-1', 'a'), nodeIn('node-2', 'b'), nodeIn('node-3', 'c')];

function withNode(name: string, changes: Partial<NodeView>): NodeView[] {
  return three.map((one) => (one.name === name ? { ...one, ...changes } : one));
}

function onlyOn(...nodes: string[]): NodeSelectorTerm[] {
  return [{ labels: [{ key: hostname, operator: 'In', values: nodes }], fields: [] }];
}

function by(key: string, operator: string, values: string[] = []): NodeSelectorTerm[] {
  return [{ labels: [{ key, operator, values }], fields: [] }];
}

interface Situation {
  readonly nodes?: NodeView[];
  /** Pods on other nodes. */
  readonly others?: PodView[];
  readonly pod: Partial<PodView>;
  /** Node names by volume; `data` is bound to `disk`. */
  readonly disk?: readonly NodeSelectorTerm[] | 'everywhere' | 'unknown' | 'unbound' | 'no claim';
  readonly namespaces?: Record<string, Record<string, string>>;
}

function placed({ nodes = three, others = [], pod: changes, disk, namespaces = {} }: Situation) {
  const leaving = pod('web-0', disk === undefined ? changes : { claims: ['data'], ...changes });
  const view = clusterView({
    nodes,
    pods: [leaving, ...others],
    namespaces: Object.entries(namespaces).map(([name, labels]) => ({ name, labels, terminating: false })),
    claims:
      disk === undefined || disk === 'no claim'
        ? []
        : [{ namespace: 'shop', name: 'data', volume: disk === 'unbound' ? undefined : 'disk', onOneNode: true }],
    volumes:
      disk === 'everywhere'
        ? [{ name: 'disk', nodeAffinity: undefined }]
        : typeof disk === 'object'
          ? [{ name: 'disk', nodeAffinity: disk }]
          : [],
  });
  return placements(view, 'node-1')(leaving);
}

const selector = { matchLabels: { app: 'web' }, matchExpressions: [] };

function apart(topologyKey: string, more: Partial<PodView['antiAffinity'][number]> = {}): PodView['antiAffinity'] {
  return [{ topologyKey, selector, namespaces: [], namespaceSelector: undefined, ...more }];
}

function expression(key: string, operator: LabelRequirement['operator'], values: string[] = []): LabelSelector {
  return { matchLabels: {}, matchExpressions: [{ key, operator, values }] };
}

function spread(changes: Partial<SpreadConstraint> = {}): SpreadConstraint[] {
  return [
    {
      topologyKey: hostname,
      maxSkew: 1,
      minDomains: 1,
      selector,
      matchLabelKeys: [],
      honoursAffinity: true,
      honoursTaints: false,
      ...changes,
    },
  ];
}

function web(number: number, on: string, changes: Partial<PodView> = {}): PodView {
  return pod(`web-${String(number)}`, { nodeName: on, ...changes });
}

const bothTaken = [web(1, 'node-2'), web(2, 'node-3')];
const dedicated = { key: 'dedicated', value: 'db', effect: 'NoSchedule' };
const port = { port: 8080, protocol: 'TCP', hostIp: '0.0.0.0' };
const tolerateDedicated = [{ key: 'dedicated', operator: 'Equal', value: 'db', effect: '' }];

const store = { labels: { app: 'store' } };
const byStore = apart(hostname, { selector: { matchLabels: { app: 'store' }, matchExpressions: [] } });
const daemon = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'store', uid: 'store' };

const cases: [string, 'yes' | RegExp, Situation][] = [
  ['affinity to a pod on another node', 'yes', { pod: { affinity: byStore }, others: [web(1, 'node-2', store)] }],
  ['affinity to a pod that leaves too', 'yes', { pod: { affinity: byStore }, others: [web(1, 'node-1', store)] }],
  [
    'affinity to a pod that waits for a node',
    'yes',
    { pod: { affinity: byStore }, others: [pod('store-1', { ...store, nodeName: undefined, phase: 'Pending' })] },
  ],
  [
    'affinity to a pod that stays on the node',
    /no pod that its affinity asks for runs there/,
    { pod: { affinity: byStore }, others: [web(1, 'node-1', { ...store, controller: daemon })] },
  ],
  [
    'affinity to a pod that stays on the node, in a zone that others are in too',
    'yes',
    {
      nodes: [nodeIn('node-1', 'a'), nodeIn('node-2', 'a')],
      pod: { affinity: byStore.map((term) => ({ ...term, topologyKey: zone })) },
      others: [web(1, 'node-1', { ...store, controller: daemon })],
    },
  ],
  ['affinity to a pod that is nowhere', /no pod that its affinity asks for runs there/, { pod: { affinity: byStore } }],
  ['affinity to its own kind, of which it is the first', 'yes', { pod: { affinity: apart(hostname) } }],
  [
    'affinity to its own kind in a topology that no other node has',
    /no pod that its affinity asks for runs there \(rack\)/,
    { pod: { affinity: apart('rack') } },
  ],
  [
    'affinity in two terms that only different pods meet',
    /no pod that its affinity asks for runs there/,
    {
      pod: { affinity: [...byStore, ...apart(hostname, { selector: expression('tier', 'Exists') })] },
      others: [web(1, 'node-2', store), web(2, 'node-2', { labels: { tier: 'back' } })],
    },
  ],
  ['a pod without demands', 'yes', { pod: {} }],
  ['a node selector that others match', 'yes', { pod: { nodeSelector: { [zone]: 'b' } } }],
  [
    'a node selector for its host name',
    /nodeSelector.*admits no other/,
    { pod: { nodeSelector: { [hostname]: 'node-1' } } },
  ],
  ['required affinity to its node and another', 'yes', { pod: { nodeAffinity: onlyOn('node-1', 'node-3') } }],
  ['required affinity to its node alone', /node affinity admits no other/, { pod: { nodeAffinity: onlyOn('node-1') } }],
  [
    'required affinity by node name',
    /node affinity admits no other/,
    {
      pod: { nodeAffinity: [{ labels: [], fields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }] },
    },
  ],
  [
    'one term of two that another node meets',
    'yes',
    {
      pod: { nodeAffinity: [...onlyOn('node-1'), ...onlyOn('node-2')] },
    },
  ],
  [
    'a term without requirements, which selects nothing',
    /admits no other/,
    {
      pod: { nodeAffinity: [{ labels: [], fields: [] }] },
    },
  ],
  ['NotIn the zones of all others', /admits no other/, { pod: { nodeAffinity: by(zone, 'NotIn', ['b', 'c']) } }],
  ['Exists of a label that none has', /admits no other/, { pod: { nodeAffinity: by('ssd', 'Exists') } }],
  ['DoesNotExist of a label that none has', 'yes', { pod: { nodeAffinity: by('ssd', 'DoesNotExist') } }],
  ['Gt with a label that is no number', /admits no other/, { pod: { nodeAffinity: by(zone, 'Gt', ['1']) } }],
  [
    'Gt with a greater number',
    'yes',
    {
      nodes: withNode('node-2', { labels: { [hostname]: 'node-2', cores: '16' } }),
      pod: { nodeAffinity: by('cores', 'Gt', ['8']) },
    },
  ],
  ['an operator that is not known', /admits no other/, { pod: { nodeAffinity: by(zone, 'Near', ['b']) } }],
  ['no other node at all', /admits no other/, { nodes: three.slice(0, 1), pod: {} }],

  [
    'taints on all others that it does not tolerate',
    /taint.*node-2: dedicated=db, node-3: dedicated=db/,
    {
      nodes: three.map((one) => (one.name === 'node-1' ? one : { ...one, taints: [dedicated] })),
      pod: {},
    },
  ],
  [
    'taints on all others that it tolerates',
    'yes',
    {
      nodes: three.map((one) => ({ ...one, taints: [dedicated] })),
      pod: { tolerations: tolerateDedicated },
    },
  ],
  [
    'taints that are only preferred',
    'yes',
    {
      nodes: three.map((one) => ({ ...one, taints: [{ ...dedicated, effect: 'PreferNoSchedule' }] })),
      pod: {},
    },
  ],
  [
    'a toleration of everything',
    'yes',
    {
      nodes: three.map((one) => ({ ...one, taints: [dedicated] })),
      pod: { tolerations: [{ key: '', operator: 'Exists', value: '', effect: '' }] },
    },
  ],
  [
    'a toleration of another effect',
    /taint/,
    {
      nodes: three.map((one) => ({ ...one, taints: [dedicated] })),
      pod: { tolerations: [{ key: 'dedicated', operator: 'Exists', value: '', effect: 'NoExecute' }] },
    },
  ],

  ['a volume on its node', /PersistentVolume disk of its claim shop\/data/, { disk: onlyOn('node-1'), pod: {} }],
  [
    'a volume in its zone, with another node there',
    'yes',
    {
      nodes: [...three, nodeIn('node-4', 'a')],
      disk: by(zone, 'In', ['a']),
      pod: {},
    },
  ],
  [
    'a volume in its zone, without another node there',
    /PersistentVolume disk/,
    { disk: by(zone, 'In', ['a']), pod: {} },
  ],
  ['a volume that every node can reach', 'yes', { disk: 'everywhere', pod: {} }],
  ['a claim that is not bound yet', 'yes', { disk: 'unbound', pod: {} }],
  ['a volume that is not known', /PersistentVolume disk .* does not exist/, { disk: 'unknown', pod: {} }],
  ['a claim that is not known', /PersistentVolumeClaim shop\/data does not exist/, { disk: 'no claim', pod: {} }],

  ['anti-affinity and a free node', 'yes', { others: bothTaken.slice(1), pod: { antiAffinity: apart(hostname) } }],
  [
    'anti-affinity and its like on every other node',
    /node-2: .*Pod shop\/web-1 .*, node-3: .*Pod shop\/web-2/,
    {
      others: bothTaken,
      pod: { antiAffinity: apart(hostname) },
    },
  ],
  [
    'anti-affinity and its like there is ending',
    'yes',
    {
      others: [web(1, 'node-2', { terminating: true }), web(2, 'node-3')],
      pod: { antiAffinity: apart(hostname) },
    },
  ],
  [
    'anti-affinity and its like there has finished',
    'yes',
    {
      others: [web(1, 'node-2', { phase: 'Succeeded' }), web(2, 'node-3')],
      pod: { antiAffinity: apart(hostname) },
    },
  ],
  [
    'anti-affinity to pods of another label',
    'yes',
    {
      others: bothTaken,
      pod: { antiAffinity: apart(hostname, { selector: { matchLabels: { app: 'db' }, matchExpressions: [] } }) },
    },
  ],
  [
    'anti-affinity by an expression',
    /Pod shop\/web-1/,
    {
      others: bothTaken,
      pod: { antiAffinity: apart(hostname, { selector: expression('app', 'In', ['api', 'web']) }) },
    },
  ],
  [
    'anti-affinity to every pod that has a label',
    /Pod shop\/web-1/,
    { others: bothTaken, pod: { antiAffinity: apart(hostname, { selector: expression('app', 'Exists') }) } },
  ],
  [
    'anti-affinity of the pods there to every pod that has a label',
    /anti-affinity of Pod shop\/web-1/,
    {
      others: bothTaken.map((one) => ({
        ...one,
        antiAffinity: apart(hostname, { selector: expression('app', 'Exists') }),
      })),
      pod: {},
    },
  ],
  [
    'anti-affinity without a selector, which selects nothing',
    'yes',
    { others: bothTaken, pod: { antiAffinity: apart(hostname, { selector: undefined }) } },
  ],
  [
    'anti-affinity by zone, with a second node in its own',
    'yes',
    {
      nodes: [...three, nodeIn('node-4', 'a')],
      others: bothTaken,
      pod: { antiAffinity: apart(zone) },
    },
  ],
  [
    'anti-affinity by zone, with second nodes in the others',
    /topology\.kubernetes\.io\/zone/,
    {
      nodes: [...three, nodeIn('node-4', 'b')],
      others: bothTaken,
      pod: { antiAffinity: apart(zone) },
    },
  ],
  [
    'anti-affinity by a label that the nodes do not have',
    'yes',
    {
      others: bothTaken,
      pod: { antiAffinity: apart('rack') },
    },
  ],
  [
    'anti-affinity to the same pods of another namespace',
    'yes',
    {
      others: bothTaken.map((one) => ({ ...one, namespace: 'test' })),
      pod: { antiAffinity: apart(hostname) },
    },
  ],
  [
    'anti-affinity that names the other namespace',
    /Pod test\/web-1/,
    {
      others: bothTaken.map((one) => ({ ...one, namespace: 'test' })),
      pod: { antiAffinity: apart(hostname, { namespaces: ['test'] }) },
    },
  ],
  [
    'anti-affinity that selects the other namespace',
    /Pod test\/web-1/,
    {
      namespaces: { test: { team: 'shop' }, shop: {} },
      others: bothTaken.map((one) => ({ ...one, namespace: 'test' })),
      pod: {
        antiAffinity: apart(hostname, {
          namespaceSelector: { matchLabels: { team: 'shop' }, matchExpressions: [] },
        }),
      },
    },
  ],
  [
    'the anti-affinity of the pods there',
    /anti-affinity of Pod shop\/db-1/,
    {
      others: [
        pod('db-1', { nodeName: 'node-2', antiAffinity: apart(hostname) }),
        pod('db-2', { nodeName: 'node-3', antiAffinity: apart(hostname) }),
      ],
      pod: {},
    },
  ],

  [
    'a host port that is free somewhere',
    'yes',
    {
      others: [web(1, 'node-2', { hostPorts: [port] })],
      pod: { hostPorts: [port] },
    },
  ],
  [
    'a host port that is taken everywhere',
    /node-2: host port 8080 is taken by Pod shop\/web-1/,
    {
      others: bothTaken.map((one) => ({ ...one, hostPorts: [port] })),
      pod: { hostPorts: [port] },
    },
  ],
  [
    'a host port that is taken for another protocol',
    'yes',
    {
      others: bothTaken.map((one) => ({ ...one, hostPorts: [{ ...port, protocol: 'UDP' }] })),
      pod: { hostPorts: [port] },
    },
  ],
  [
    'a host port that is taken on another address',
    'yes',
    {
      others: bothTaken.map((one) => ({ ...one, hostPorts: [{ ...port, hostIp: '10.0.0.1' }] })),
      pod: { hostPorts: [{ ...port, hostIp: '10.0.0.2' }] },
    },
  ],

  ['a hard spread with room', 'yes', { others: [web(1, 'node-2')], pod: { hardSpread: spread() } }],
  [
    'a hard spread whose emptiest node is the one that is left',
    /topology spread/,
    {
      others: bothTaken,
      pod: { hardSpread: spread() },
    },
  ],
  ['a hard spread that allows one more', 'yes', { others: bothTaken, pod: { hardSpread: spread({ maxSkew: 2 }) } }],
  [
    'a hard spread that leaves tainted nodes out of the count',
    'yes',
    {
      others: bothTaken,
      pod: { hardSpread: spread({ honoursTaints: true }) },
    },
  ],
  [
    'a hard spread over nodes without the label',
    /needs the label rack/,
    {
      pod: { hardSpread: spread({ topologyKey: 'rack' }) },
    },
  ],
  [
    'a hard spread over more topologies than there are',
    /topology spread/,
    {
      others: bothTaken,
      pod: { hardSpread: spread({ minDomains: 5, honoursTaints: true }) },
    },
  ],
  [
    'a hard spread of another revision',
    'yes',
    {
      others: bothTaken.map((one) => ({ ...one, labels: { ...one.labels, revision: 'old' } })),
      pod: { labels: { app: 'web', revision: 'new' }, hardSpread: spread({ matchLabelKeys: ['revision'] }) },
    },
  ],

  [
    'anti-affinity, and the free node is cordoned',
    /node-3: cordoned/,
    {
      nodes: withNode('node-3', { unschedulable: true }),
      others: [web(1, 'node-2')],
      pod: { antiAffinity: apart(hostname) },
    },
  ],
  [
    'anti-affinity, and the free node is not Ready',
    /node-3: not Ready/,
    {
      nodes: withNode('node-3', { ready: false }),
      others: [web(1, 'node-2')],
      pod: { antiAffinity: apart(hostname) },
    },
  ],
  [
    'nothing but cordons in the way: it waits for them',
    'yes',
    {
      nodes: three.map((one) => ({ ...one, unschedulable: true })),
      pod: {},
    },
  ],
  [
    'a volume on its node, with all others cordoned',
    /PersistentVolume disk/,
    {
      nodes: three.map((one) => ({ ...one, unschedulable: true })),
      disk: onlyOn('node-1'),
      pod: {},
    },
  ],
];

describe('a pod that leaves node-1 of three', () => {
  it.each(cases)('with %s', (_, expected, situation) => {
    const placement = placed(situation);
    if (expected === 'yes') expect(placement).toEqual({ kind: 'yes' });
    else expect(placement).toMatchObject({ kind: 'no', why: expect.stringMatching(expected) as string });
  });
});
