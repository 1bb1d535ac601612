import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastTurnText, marks } from '../../src/cluster/marks.js';
import type { NodeView } from '../../src/cluster/view.js';
import type { NodesPolicy } from '../../src/playbook/playbook.js';
import { orderNodes } from '../../src/run/orderNodes.js';
import { node } from '../drain/clusterFixtures.js';
import { nodesPolicy } from './runFixtures.js';

const zoneLabel = 'topology.kubernetes.io/zone';
const day = 86_400_000;
const today = Date.UTC(2026, 10, 10);

function nodeIn(name: string, zone: string | undefined, lastTurnDaysAgo?: number): NodeView {
  return node(name, {
    labels: zone === undefined ? {} : { [zoneLabel]: zone },
    annotations:
      lastTurnDaysAgo === undefined
        ? {}
        : { [marks.lastTurn]: lastTurnText({ time: today - lastTurnDaysAgo * day, run: 'monthly-2026-10' }) },
  });
}

function namesInOrder(nodes: readonly NodeView[], order: NodesPolicy['order'] = ['longestSinceTurn']): string[] {
  return orderNodes(nodes, { ...nodesPolicy, order }).map(({ name }) => name);
}

function zoneOf({ labels }: NodeView): string {
  return labels[zoneLabel] ?? '';
}

describe('the order of turns', () => {
  it('takes one node of each zone after the other', () => {
    const nodes = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map((name) => nodeIn(name, name.charAt(0)));
    expect(namesInOrder(nodes)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('takes as many of a zone in a row as may be in work at the same time', () => {
    const nodes = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'b4', 'c1'].map((name) => nodeIn(name, name.charAt(0)));
    const names = orderNodes(nodes, { ...nodesPolicy, concurrency: 2 }).map(({ name }) => name);
    expect(names).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'a3', 'b3', 'b4']);
  });

  it('begins with the node whose last turn is longest ago', () => {
    expect(namesInOrder([nodeIn('n1', 'a', 3), nodeIn('n2', 'a', 40), nodeIn('n3', 'a', 12)])).toEqual([
      'n2',
      'n3',
      'n1',
    ]);
  });

  it('begins with the zone of that node', () => {
    expect(namesInOrder([nodeIn('a1', 'a', 1), nodeIn('a2', 'a', 2), nodeIn('b1', 'b', 30)])).toEqual([
      'b1',
      'a2',
      'a1',
    ]);
  });

  it('takes nodes that never had a turn before all others', () => {
    expect(namesInOrder([nodeIn('n1', 'a', 400), nodeIn('n2', 'a')])).toEqual(['n2', 'n1']);
  });

  it('takes a node whose annotation cannot be read for one that never had a turn', () => {
    const unreadable = node('n2', { annotations: { [marks.lastTurn]: 'yesterday' } });
    expect(namesInOrder([nodeIn('n1', undefined, 400), unreadable])).toEqual(['n2', 'n1']);
  });

  it('goes by the numbers in names where turns are equally long ago', () => {
    expect(namesInOrder([nodeIn('n10', 'a'), nodeIn('n9', 'a'), nodeIn('n1', 'a')])).toEqual(['n1', 'n9', 'n10']);
  });

  it('is the same for names that differ only in leading zeros, however they were listed', () => {
    expect(namesInOrder([nodeIn('n1', 'a'), nodeIn('n01', 'a')])).toEqual(['n01', 'n1']);
    expect(namesInOrder([nodeIn('n01', 'a'), nodeIn('n1', 'a')])).toEqual(['n01', 'n1']);
  });

  it('goes by name alone where the playbook says so', () => {
    expect(namesInOrder([nodeIn('n2', 'a', 400), nodeIn('n1', 'a', 1)], ['name'])).toEqual(['n1', 'n2']);
  });

  it('takes the node that the actor runs on last, however long ago its turn is', () => {
    const nodes = [nodeIn('a1', 'a', 400), nodeIn('a2', 'a', 3), nodeIn('b1', 'b', 2)];
    expect(orderNodes(nodes, nodesPolicy, 'a1').map(({ name }) => name)).toEqual(['b1', 'a2', 'a1']);
  });

  it('is the same where the actor runs on no node of the playbook', () => {
    const nodes = [nodeIn('a1', 'a', 400), nodeIn('a2', 'a', 3), nodeIn('b1', 'b', 2)];
    expect(orderNodes(nodes, nodesPolicy, 'elsewhere')).toEqual(orderNodes(nodes, nodesPolicy));
  });

  it('treats nodes without a zone as one zone', () => {
    const nodes = [nodeIn('m1', undefined), nodeIn('m2', undefined), nodeIn('z1', 'z'), nodeIn('z2', 'z')];
    expect(namesInOrder(nodes)).toEqual(['m1', 'z1', 'm2', 'z2']);
  });
});

const anyNodes = fc
  .uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[ab]-?0{0,2}[0-3]$/),
      zone: fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined }),
      daysAgo: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    }),
    { selector: ({ name }) => name, maxLength: 30 },
  )
  .map((described) => described.map(({ name, zone, daysAgo }) => nodeIn(name, zone, daysAgo)));
const anyOrder = fc.constantFrom<NodesPolicy['order']>(
  ['longestSinceTurn'],
  ['name'],
  ['longestSinceTurn', 'name'],
  ['name', 'longestSinceTurn'],
);

describe('the order of turns, for any nodes,', () => {
  it('holds every node once', () => {
    fc.assert(
      fc.property(anyNodes, anyOrder, (nodes, order) => {
        expect(namesInOrder(nodes, order).sort()).toEqual(nodes.map(({ name }) => name).sort());
      }),
    );
  });

  it('does not depend on the order in which the nodes were listed', () => {
    fc.assert(
      fc.property(
        anyNodes.chain((nodes) =>
          fc.tuple(
            fc.constant(nodes),
            fc.shuffledSubarray(nodes, { minLength: nodes.length, maxLength: nodes.length }),
          ),
        ),
        anyOrder,
        ([nodes, shuffled], order) => {
          expect(namesInOrder(shuffled, order)).toEqual(namesInOrder(nodes, order));
        },
      ),
    );
  });

  it('is never more than one node ahead in a zone while other zones have nodes left', () => {
    fc.assert(
      fc.property(anyNodes, anyOrder, (nodes, order) => {
        const ordered = orderNodes(nodes, { ...nodesPolicy, order });
        const sizes = new Map<string, number>();
        for (const one of nodes) sizes.set(zoneOf(one), (sizes.get(zoneOf(one)) ?? 0) + 1);
        const taken = new Map([...sizes.keys()].map((zone) => [zone, 0]));
        for (const one of ordered) {
          taken.set(zoneOf(one), (taken.get(zoneOf(one)) ?? 0) + 1);
          const withMembersLeft = [...taken].filter(([zone, count]) => count < (sizes.get(zone) ?? 0));
          const counts = withMembersLeft.map(([, count]) => count);
          if (counts.length > 1) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('goes inside a zone from the longest since the last turn to the shortest', () => {
    fc.assert(
      fc.property(anyNodes, (nodes) => {
        const ordered = orderNodes(nodes, nodesPolicy);
        for (const zone of new Set(ordered.map(zoneOf))) {
          const marked = ordered
            .filter((one) => zoneOf(one) === zone)
            .map((one) => one.annotations[marks.lastTurn] ?? '');
          expect(marked).toEqual([...marked].sort());
        }
      }),
    );
  });
});
