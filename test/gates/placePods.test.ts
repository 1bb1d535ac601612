import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterView, NodeView, PodView } from '../../src/cluster/view.js';
import { occupancy } from '../../src/drain/occupancy.js';
import { placePods } from '../../src/gates/placePods.js';
import { roomElsewhere } from '../../src/gates/room.js';
import { clusterView, node, pod } from '../drain/clusterFixtures.js';

const hostname = 'kubernetes.io/hostname';

interface Size {
  readonly cores: number;
  readonly gibibytes: number;
}

const size = fc.record({ cores: fc.integer({ min: 1, max: 4 }), gibibytes: fc.integer({ min: 0, max: 3 }) });
const nodeSize = fc.record({
  cores: fc.integer({ min: 2, max: 8 }),
  gibibytes: fc.integer({ min: 2, max: 6 }),
  pods: fc.integer({ min: 1, max: 4 }),
});
const nodeSizes = fc.array(nodeSize, { minLength: 1, maxLength: 3 });
const podSizes = fc.array(size, { minLength: 1, maxLength: 6 });

function nodesOf(sizes: readonly (Size & { readonly pods: number })[]): NodeView[] {
  return sizes.map(({ cores, gibibytes, pods }, index) =>
    node(`node-${String(index + 2)}`, { allocatable: { cpu: cores, memory: gibibytes, pods } }),
  );
}

function podsOf(sizes: readonly Size[], changes: (index: number) => Partial<PodView> = () => ({})): PodView[] {
  return sizes.map(({ cores, gibibytes }, index) =>
    pod(`pod-${String(index)}`, { requests: { cpu: cores, memory: gibibytes }, ...changes(index) }),
  );
}

/** Those that found no place, and where the others are. */
function placed(nodes: readonly NodeView[], pods: readonly PodView[], others: readonly PodView[] = []) {
  const view: ClusterView = clusterView({ nodes: [node('node-1'), ...nodes], pods: [...pods, ...others] });
  const room = roomElsewhere(view, 'node-1', occupancy(view, 'node-1'));
  const stack: { readonly pod: PodView; readonly on: string }[] = [];
  const left = placePods(
    {
      ...room,
      place(one, on) {
        stack.push({ pod: one, on: on.node.name });
        room.place(one, on);
      },
      takeBack() {
        stack.pop();
        return room.takeBack();
      },
    },
    pods,
  );
  return { left, places: stack };
}

/** Whether all pods can be placed, by trying everything; one resource after the other, in the plainest way. */
function fitSomehow(nodes: readonly (Size & { readonly pods: number })[], pods: readonly Size[]): boolean {
  const [first, ...rest] = pods;
  if (first === undefined) return true;
  return nodes.some((one, index) => {
    if (one.pods < 1 || one.cores < first.cores || one.gibibytes < first.gibibytes) return false;
    const smaller = { cores: one.cores - first.cores, gibibytes: one.gibibytes - first.gibibytes, pods: one.pods - 1 };
    return fitSomehow(nodes.with(index, smaller), rest);
  });
}

describe('pods placed in thought', () => {
  it('are all placed exactly where there is a way to place them all', () => {
    let fit = 0;
    let none = 0;
    fc.assert(
      fc.property(nodeSizes, podSizes, (nodes, pods) => {
        const possible = fitSomehow(nodes, pods);
        if (possible) fit += 1;
        else none += 1;
        expect(placed(nodesOf(nodes), podsOf(pods)).left.length === 0).toBe(possible);
      }),
      { numRuns: 1500 },
    );
    expect(Math.min(fit, none)).toBeGreaterThan(100);
  });

  it('stand where every rule lets them, or are left over', () => {
    const rules = fc.record({
      app: fc.constantFrom('a', 'b'),
      apart: fc.boolean(),
      port: fc.boolean(),
      beside: fc.constantFrom(undefined, 'a', 'b'),
      only: fc.constantFrom(undefined, 'node-2', 'node-3'),
    });
    fc.assert(
      fc.property(nodeSizes, fc.array(fc.tuple(size, rules), { minLength: 1, maxLength: 6 }), (nodes, asked) => {
        const term = (app: string) => ({
          topologyKey: hostname,
          selector: { matchLabels: { app }, matchExpressions: [] },
          namespaces: [],
          namespaceSelector: undefined,
        });
        const pods = podsOf(
          asked.map(([one]) => one),
          (index) => {
            const { app = 'a', apart, port, beside, only } = asked[index]?.[1] ?? {};
            return {
              labels: { app },
              antiAffinity: apart === true ? [term(app)] : [],
              affinity: beside === undefined ? [] : [term(beside)],
              hostPorts: port === true ? [{ port: 80, protocol: 'TCP', hostIp: '0.0.0.0' }] : [],
              nodeSelector: only === undefined ? {} : { [hostname]: only },
            };
          },
        );
        const { left, places } = placed(nodesOf(nodes), pods);
        expect(new Set([...left, ...places.map((one) => one.pod)]).size).toBe(pods.length);
        for (const { node: there, ...rest } of byNode(nodesOf(nodes), places)) expectFitting(there, rest.pods, places);
      }),
      { numRuns: 500 },
    );
  });

  it('are no more over with a further node, or with larger ones', () => {
    fc.assert(
      fc.property(nodeSizes, podSizes, nodeSize, (nodes, pods, further) => {
        const isFull = placed(nodesOf(nodes), podsOf(pods)).left.length > 0;
        if (isFull) return;
        expect(placed(nodesOf([...nodes, further]), podsOf(pods)).left).toEqual([]);
        const larger = nodes.map((one) => ({ ...one, cores: one.cores + further.cores }));
        expect(placed(nodesOf(larger), podsOf(pods)).left).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('come after those that wait already', () => {
    const waiting = pod('waiting-0', { requests: { cpu: 2 }, nodeName: undefined, phase: 'Pending', ready: false });
    const nodes = nodesOf([{ cores: 3, gibibytes: 1, pods: 4 }]);
    const { left, places } = placed(nodes, podsOf([{ cores: 2, gibibytes: 0 }]), [waiting]);
    expect(left.map(({ name }) => name)).toEqual(['pod-0']);
    expect(places.map((one) => one.pod.name)).toEqual(['waiting-0']);
  });
});

type Places = readonly { readonly pod: PodView; readonly on: string }[];

function byNode(nodes: readonly NodeView[], places: Places) {
  return nodes.map((one) => ({
    node: one,
    pods: places.filter(({ on }) => on === one.name).map((place) => place.pod),
  }));
}

/** The rules once more, for pods that are on one node, in the plainest way. */
function expectFitting(there: NodeView, pods: readonly PodView[], places: Places): void {
  const total = (resource: string) => pods.reduce((sum, { requests }) => sum + (requests[resource] ?? 0), 0);
  expect(total('cpu')).toBeLessThanOrEqual(there.allocatable['cpu'] ?? 0);
  expect(total('memory')).toBeLessThanOrEqual(there.allocatable['memory'] ?? 0);
  expect(pods.length).toBeLessThanOrEqual(there.allocatable['pods'] ?? 0);
  expect(pods.filter(({ hostPorts }) => hostPorts.length > 0).length).toBeLessThanOrEqual(1);
  for (const one of pods) {
    const others = pods.filter((other) => other !== one);
    const app = one.labels['app'];
    expect([undefined, there.name]).toContain(one.nodeSelector[hostname]);
    if (one.antiAffinity.length > 0) expect(others.some(({ labels }) => labels['app'] === app)).toBe(false);
    for (const { selector } of one.affinity) {
      const wanted = selector?.matchLabels['app'];
      const isFirst =
        wanted === app && !places.slice(0, indexOf(one, places)).some((place) => place.pod.labels['app'] === app);
      expect(isFirst || others.some(({ labels }) => labels['app'] === wanted)).toBe(true);
    }
  }
}

function indexOf(pod: PodView, places: Places): number {
  return places.findIndex((place) => place.pod === pod);
}
