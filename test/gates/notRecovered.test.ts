import { describe, expect, it } from 'vitest';
import type { OwnerKey, PodView } from '../../src/cluster/view.js';
import { evaluateNode, type NodeToEvaluate } from '../../src/gates/evaluateNode.js';
import type { Finding } from '../../src/gates/finding.js';
import { clusterView, drainPolicy, node, workload } from '../drain/clusterFixtures.js';
import { gateQuestion } from './gateQuestion.js';

type Placed = Partial<PodView> & { readonly on?: string };

/** What the gates say of `not-recovered` on node-1, where `web` had so many Ready before an earlier turn. */
function findings(
  pods: readonly Placed[],
  asked: { readyBefore?: number; desired?: number; own?: boolean; waits?: boolean } & Partial<
    Pick<NodeToEvaluate, 'moment' | 'accepted'>
  > = {},
): readonly Finding[] {
  const { readyBefore = 3, desired = 3, own = false, waits = true, ...rest } = asked;
  const view = clusterView({
    nodes: [node('node-1'), node('node-2'), node('node-3')],
    workloads: [workload({ name: 'web', desired, pods }), workload({ name: 'other', pods: [{ on: 'node-1' }] })],
  });
  const displaced = new Map<OwnerKey, number>([
    ['shop/Deployment/web', readyBefore],
    ['shop/Deployment/other', 1],
    ['shop/Deployment/deleted', 4],
  ]);
  const leftShort = { displaced, byItself: new Set(own ? displaced.keys() : []) };
  const drain = { ...drainPolicy, waitForReplacements: waits };
  return evaluateNode(gateQuestion(view, { drain, leftShort, ...rest })).findings.filter(
    ({ code }) => code === 'not-recovered',
  );
}

const unready = { ready: false };

describe('an owner that has not got back what an earlier turn took', () => {
  it('keeps the nodes that hold its replicas, with the numbers and what is not Ready', () => {
    expect(findings([{ on: 'node-1' }, { on: 'node-2' }, { on: 'node-3', ...unready }])).toEqual([
      {
        code: 'not-recovered',
        severity: 'block',
        node: 'node-1',
        objects: ['Deployment shop/web'],
        message:
          'An earlier turn took replicas of Deployment shop/web, and they are not back: Deployment shop/web has 2 Ready replicas and needs 3; not Ready: Pod shop/web-2. Now one of its pods is on node-1.',
        hint: 'Find out why the pods of Deployment shop/web do not become Ready; the node is taken once they are.',
      },
    ]);
  });

  it.each<[what: string, pods: readonly Placed[], asked: Parameters<typeof findings>[1], held: boolean]>([
    ['no pod here', [{ on: 'node-2' }, { on: 'node-3' }], {}, false],
    [
      'an unready pod here: it may be the one that comes back',
      [{ on: 'node-1', ...unready }, { on: 'node-2' }],
      {},
      true,
    ],
    ['a pod here that is on its way out', [{ on: 'node-1', terminating: true }, { on: 'node-2' }], {}, false],
    ['as many Ready as before', [{ on: 'node-1' }, { on: 'node-2' }, { on: 'node-3' }], {}, false],
    ['fewer wanted now', [{ on: 'node-1' }, { on: 'node-2' }], { desired: 2 }, false],
    ['one of two here after a scaling down', [{ on: 'node-1' }], { desired: 2 }, true],
    ['no pod here any more, but this turn took it: its drain would wait', [{ on: 'node-2' }], { own: true }, true],
    ['the same where the drain waits for nothing', [{ on: 'node-2' }], { own: true, waits: false }, false],
    ['a pod here, and this turn took another', [{ on: 'node-1' }], { own: true, waits: false }, true],
    ['none Ready before', [{ on: 'node-1', ...unready }], { readyBefore: 0 }, false],
  ])('counts: %s', (_what, pods, asked, held) => {
    expect(findings(pods, asked)).toHaveLength(held ? 1 : 0);
  });

  it('is a caution where a person has taken it on, and once pods of the turn are moving', () => {
    const pods = [{ on: 'node-1' }, { on: 'node-2' }];
    const accepted = new Map([['not-recovered', { by: 'anna', reason: 'its team knows' }]] as const);
    expect(findings(pods, { accepted })[0]).toMatchObject({
      severity: 'caution',
      message: expect.stringMatching(/Accepted by anna: its team knows$/) as string,
    });
    expect(findings(pods, { moment: 'resumed' })[0]?.severity).toBe('caution');
    expect(findings(pods, { moment: 'after-cordon' })[0]?.severity).toBe('block');
  });
});
