import { describe, expect, it } from 'vitest';
import type { EvictionAnswer } from '../../src/cluster/clusterPort.js';
import { evictionLedger } from '../../src/drain/evictionLedger.js';
import { evictionOutcome, type EvictionOutcome } from '../../src/drain/evictionOutcome.js';
import { budget, clusterView, pod, takenAt } from './clusterFixtures.js';
import { handClock } from './handClock.js';

const web = pod('web-0');
const pauseOf = (outcome: EvictionOutcome) => ('forMs' in outcome ? outcome.forMs : 0);
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
      untilBudgetChanges: true,
      wait: { objects: ['PodDisruptionBudget shop/web', 'Pod shop/web-0'] },
    });
    expect(outcomeOf({ ...answer, retryAfterMs: 10_000 })).toMatchObject({ forMs: 10_000 });
  });

  it('of a webhook names the webhook and is tried again with longer and longer pauses', () => {
    const answer = { kind: 'denied', webhook: 'drain.strimzi.io', message: 'not yet' } as const;
    for (const [refusals, leastMs] of [
      [0, 1000],
      [1, 2000],
      [2, 4000],
      [5, 30_000],
      [20, 30_000],
    ] as const) {
      const outcome = outcomeOf(answer, refusals);
      expect(outcome).toMatchObject({ kind: 'held', untilBudgetChanges: false });
      expect(pauseOf(outcome)).toBeGreaterThanOrEqual(leastMs);
      expect(pauseOf(outcome)).toBeLessThanOrEqual(leastMs * 1.25);
    }
    expect(outcomeOf(answer)).toMatchObject({
      wait: { objects: ['Admission webhook drain.strimzi.io', 'Pod shop/web-0'] },
    });
    const message = "ValidatingAdmissionPolicy 'freeze' with binding 'freeze' denied request: not tonight";
    expect(outcomeOf({ kind: 'denied', webhook: 'freeze', message })).toMatchObject({
      wait: { objects: ['ValidatingAdmissionPolicy freeze', 'Pod shop/web-0'] },
    });
  });

  it('of a webhook that could not be asked names it too', () => {
    const message = 'Internal error occurred: failed calling webhook "drain.strimzi.io": connection refused';
    const outcome = outcomeOf({ kind: 'denied', webhook: 'drain.strimzi.io', message });
    expect(outcome).toMatchObject({
      kind: 'held',
      wait: { objects: ['Admission webhook drain.strimzi.io', 'Pod shop/web-0'] },
    });
    expect('wait' in outcome ? outcome.wait.message : '').toContain(
      'Admission webhook drain.strimzi.io cannot be asked, so the API server refuses the eviction of Pod shop/web-0',
    );
  });

  it('lets pods that were refused together come back one after the other', () => {
    const answer = { kind: 'denied', webhook: 'drain.strimzi.io', message: 'not yet' } as const;
    const pauses = Array.from({ length: 20 }, (_, number) =>
      pauseOf(evictionOutcome({ answer, pod: pod(`web-${String(number)}`), node: 'node-1', refusals: 3 })),
    );
    expect(new Set(pauses).size).toBeGreaterThan(10);
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
    { kind: 'refused', status: 403, message: 'not you' },
    { kind: 'namespace-terminating', message: 'being deleted' },
  ] as const)('that may pass ($kind) is tried again', (answer) => {
    expect(outcomeOf(answer).kind).toBe('held');
  });

  it.each([
    { kind: 'unreachable', message: 'connection reset' },
    { kind: 'refused', status: 500, message: 'etcdserver: leader changed' },
    { kind: 'refused', status: 504, message: 'request did not complete within requested timeout' },
  ] as const)(
    'that never came, or from a server that failed ($message), leaves open whether it was accepted',
    (answer) => {
      expect(outcomeOf(answer).kind).toBe('uncertain');
    },
  );
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
    const pauseMs = ledger.nextPauseEnd() - clock.monotonic();
    clock.advance(pauseMs - 1);
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
    clock.advance(ledger.nextPauseEnd() - clock.monotonic());
    ledger.observe(view);
    expect(ledger.inFlight().size).toBe(0);
    expect(ledger.evicted()).toEqual([]);
  });
});
