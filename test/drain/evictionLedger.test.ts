import { describe, expect, it } from 'vitest';
import type { EvictionAnswer } from '../../src/cluster/clusterPort.js';
import { evictionLedger } from '../../src/drain/evictionLedger.js';
import { evictionOutcome } from '../../src/drain/evictionOutcome.js';
import { budget, clusterView, pod, takenAt } from './clusterFixtures.js';
import { handClock } from './handClock.js';

const web = pod('web-0');
const outcomeOf = (answer: EvictionAnswer, refusals = 0) =>
  evictionOutcome({ answer, pod: web, node: 'node-1', refusals });

describe('an answer to an eviction', () => {
  it.each([
    ['accepted', { kind: 'accepted' }],
    ['gone', { kind: 'gone' }],
  ] as const)('%s is the end of it', (kind, outcome) => {
    expect(outcomeOf({ kind })).toEqual(outcome);
  });

  it('of a budget names it and is tried again when a budget changes, at the latest after a pause', () => {
    const answer = { kind: 'budget', budget: 'web', retryAfterMs: undefined, message: 'needs 2 and has 2' } as const;
    expect(outcomeOf(answer)).toMatchObject({
      kind: 'held',
      forMs: 1000,
      untilBudgetChanges: true,
      wait: { objects: ['PodDisruptionBudget shop/web', 'Pod shop/web-0'] },
    });
    expect(outcomeOf({ ...answer, retryAfterMs: 10_000 })).toMatchObject({ forMs: 10_000 });
  });

  it('of a webhook names the webhook and is tried again with longer and longer pauses', () => {
    const answer = { kind: 'denied', webhook: 'drain.strimzi.io', message: 'not yet' } as const;
    expect([0, 1, 2, 5, 20].map((refusals) => outcomeOf(answer, refusals))).toMatchObject(
      [1000, 2000, 4000, 30_000, 30_000].map((forMs) => ({ kind: 'held', forMs, untilBudgetChanges: false })),
    );
    expect(outcomeOf(answer)).toMatchObject({
      wait: { objects: ['Admission webhook drain.strimzi.io', 'Pod shop/web-0'] },
    });
    const message = "ValidatingAdmissionPolicy 'freeze' with binding 'freeze' denied request: not tonight";
    expect(outcomeOf({ kind: 'denied', webhook: 'freeze', message })).toMatchObject({
      wait: { objects: ['ValidatingAdmissionPolicy freeze', 'Pod shop/web-0'] },
    });
  });

  it('of a busy server waits as long as the server asks', () => {
    expect(outcomeOf({ kind: 'throttled', retryAfterMs: 7000, message: 'busy' })).toMatchObject({
      kind: 'held',
      forMs: 7000,
    });
  });

  it('about two budgets is final', () => {
    const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    expect(outcomeOf({ kind: 'refused', status: 500, message })).toMatchObject({
      kind: 'never',
      finding: { code: 'budget-conflict' },
    });
  });

  it.each([
    { kind: 'refused', status: 500, message: 'failed calling webhook' },
    { kind: 'namespace-terminating', message: 'being deleted' },
  ] as const)('that may pass ($kind) is tried again', (answer) => {
    expect(outcomeOf(answer).kind).toBe('held');
  });

  it('that never came leaves open whether the eviction was accepted', () => {
    expect(outcomeOf({ kind: 'unreachable', message: 'connection reset' }).kind).toBe('uncertain');
  });
});

describe('the ledger of evictions', () => {
  const guard = budget('web', { status: { disruptionsAllowed: 1 } });
  const view = clusterView({ pods: [web], budgets: [guard] });
  const refusal = { kind: 'budget', budget: 'web', retryAfterMs: 10_000, message: 'closed' } as const;

  it('counts an eviction from the moment it is sent until the pod is gone', () => {
    const ledger = evictionLedger(handClock());
    ledger.send(web, undefined, view);
    expect([...ledger.inFlight()]).toEqual([web.uid]);
    ledger.answered(web, { kind: 'accepted' });
    expect(ledger.observe(view)).toEqual([]);
    expect([...ledger.inFlight()]).toEqual([web.uid]);
    expect(ledger.observe(clusterView({}))).toMatchObject([{ pod: 'shop/web-0', goneAt: takenAt }]);
    expect(ledger.inFlight().size).toBe(0);
    expect(ledger.evicted()).toHaveLength(1);
  });

  it('counts a namesake with another UID as another pod', () => {
    const ledger = evictionLedger(handClock());
    ledger.send(web, undefined, view);
    ledger.answered(web, { kind: 'accepted' });
    expect(ledger.observe(clusterView({ pods: [{ ...web, uid: 'namesake' }] }))).toHaveLength(1);
  });

  it('leaves a refused pod alone until the pause is over', () => {
    const clock = handClock();
    const ledger = evictionLedger(clock);
    ledger.send(web, undefined, view);
    ledger.answered(web, outcomeOf({ kind: 'denied', webhook: 'w', message: 'no' }));
    clock.advance(999);
    ledger.observe(view);
    expect([...ledger.heldBack().keys()]).toEqual([web.uid]);
    expect(ledger.inFlight().size).toBe(0);
    clock.advance(1);
    ledger.observe(view);
    expect(ledger.heldBack().size).toBe(0);
    expect(ledger.refusalsOf(web)).toBe(1);
  });

  it('ends the pause of a pod that a budget refused as soon as a budget of its namespace changes', () => {
    const ledger = evictionLedger(handClock());
    ledger.send(web, undefined, view);
    ledger.answered(web, outcomeOf(refusal));
    ledger.observe(view);
    expect(ledger.heldBack().size).toBe(1);
    const changed = { ...guard, status: { ...guard.status, disruptionsAllowed: 0 } };
    ledger.observe(clusterView({ pods: [web], budgets: [changed] }));
    expect(ledger.heldBack().size).toBe(0);
  });

  it('counts an eviction without an answer as sent for a moment, and as accepted once the pod is ending', () => {
    const clock = handClock();
    const lost = outcomeOf({ kind: 'unreachable', message: 'reset' });
    const ledger = evictionLedger(clock);
    ledger.send(web, undefined, view);
    ledger.answered(web, lost);
    ledger.observe(view);
    expect(ledger.inFlight().size).toBe(1);
    ledger.observe(clusterView({ pods: [{ ...web, terminating: true }] }));
    clock.advance(60_000);
    ledger.observe(clusterView({ pods: [{ ...web, terminating: true }] }));
    expect(ledger.inFlight().size).toBe(1);
    expect(ledger.observe(clusterView({}))).toHaveLength(1);
  });

  it('lets an eviction without an answer be sent again when the pod stays', () => {
    const clock = handClock();
    const ledger = evictionLedger(clock);
    ledger.send(web, undefined, view);
    ledger.answered(web, outcomeOf({ kind: 'unreachable', message: 'reset' }));
    clock.advance(1000);
    ledger.observe(view);
    expect(ledger.inFlight().size).toBe(0);
    expect(ledger.evicted()).toEqual([]);
  });
});
