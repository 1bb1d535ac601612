import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carriesDuringTurn, withDuringTurn, withoutDuringTurn } from '../../src/cluster/duringTurn.js';
import { marks } from '../../src/cluster/marks.js';
import type { NodeMetadata } from '../../src/cluster/nodeMetadata.js';
import { parseNode } from '../../src/cluster/parseNode.js';
import type { NodeView } from '../../src/cluster/view.js';

function node({ annotations, labels }: NodeMetadata): NodeView {
  return parseNode({ metadata: { name: 'n1', annotations: { ...annotations }, labels: { ...labels } } });
}

const text = fc.constantFrom('', 'yes', 'no', 'true');
const entries = fc.dictionary(fc.constantFrom('a', 'b', 'example.com/c', 'constructor', 'x~y'), text);
const metadata = fc.record({ annotations: entries, labels: entries });
const plain = ({ annotations, labels }: NodeMetadata) => ({ annotations: { ...annotations }, labels: { ...labels } });

describe('what a node carries during its turn', () => {
  it('comes and goes without a trace', () => {
    fc.assert(
      fc.property(metadata, metadata, (before, wanted) => {
        const during = node(withDuringTurn(node(before), wanted));
        expect(during.annotations).toMatchObject(wanted.annotations);
        expect(during.labels).toMatchObject(wanted.labels);
        expect(carriesDuringTurn(during, wanted)).toBe(true);
        expect(plain(withoutDuringTurn(during))).toEqual(plain(node(before)));
      }),
    );
  });

  it('leaves what somebody has changed meanwhile', () => {
    const during = withDuringTurn(node({ annotations: {}, labels: { a: 'no', b: 'no' } }), {
      annotations: {},
      labels: { a: 'yes', b: 'yes' },
    });
    const changed = node({ ...during, labels: { a: 'mine' } });
    expect(withoutDuringTurn(changed)).toEqual({ annotations: {}, labels: { a: 'mine' } });
  });

  it('replaces what another playbook set, and keeps what stood there before either', () => {
    const first = withDuringTurn(node({ annotations: {}, labels: { a: 'no' } }), {
      annotations: {},
      labels: { a: 'one' },
    });
    const second = withDuringTurn(node(first), { annotations: { b: 'two' }, labels: { a: 'two' } });
    expect(second.labels).toEqual({ a: 'two' });
    expect(withoutDuringTurn(node(second))).toEqual({ annotations: {}, labels: { a: 'no' } });
  });

  it('is not restored on a guess where the record cannot be read', () => {
    const broken = { annotations: { [marks.duringTurn]: '{"labels":{"a":{"set":"yes"}}}' }, labels: { a: 'yes' } };
    expect(withoutDuringTurn(node(broken))).toEqual({ annotations: {}, labels: { a: 'yes' } });
  });
});
