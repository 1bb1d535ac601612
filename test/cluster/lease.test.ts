import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { fenced } from '../../src/cluster/fencedPort.js';
import {
  acquireLease,
  LeaseLost,
  type HeldLease,
  type LeaseOutcome,
  type LeaseRequest,
} from '../../src/cluster/lease.js';
import { resources } from '../../src/cluster/resources.js';
import { connect } from '../../src/kubernetes/connect.js';
import { systemClock } from '../../src/systemClock.js';
import type { Clock } from '../../src/time/clock.js';
import { startCluster, type Cluster } from './cluster.js';
import { waitFor } from './waitFor.js';

let testbed: Cluster;
let port: ClusterPort;
const signal = new AbortController().signal;
const durations = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 300 };

beforeAll(async () => {
  testbed = await startCluster({ nodes: 0 });
  port = await connect({
    kubeconfigPath: testbed.kubeconfigPath,
    inCluster: false,
    userAgent: 'turnus/test',
    clock: systemClock,
    requestTimeoutMs: 10_000,
  });
});

afterAll(async () => {
  port.close();
  await testbed.stop();
});

async function acquire(name: string, identity: string, options: Partial<LeaseRequest> = {}): Promise<LeaseOutcome> {
  return await acquireLease({
    cluster: port,
    clock: systemClock,
    namespace: 'default',
    name,
    identity,
    durations,
    wait: true,
    signal,
    ...options,
  });
}

function heldOf(outcome: LeaseOutcome): HeldLease {
  if (outcome.kind !== 'held') throw new Error(`not held: ${JSON.stringify(outcome)}`);
  return outcome.lease;
}

async function specOf(name: string) {
  return (await testbed.api.get({ kind: 'Lease', name })).spec;
}

/** A clock whose timers stop on command, as all of a process does that is stopped: time itself goes on. */
function stoppableClock(): { clock: Clock; stop: () => void } {
  let stopped = false;
  return {
    stop: () => {
      stopped = true;
    },
    clock: {
      ...systemClock,
      sleep: async (durationMs, waiting) => {
        await systemClock.sleep(stopped ? 60_000 : durationMs, waiting);
      },
    },
  };
}

describe('the Lease', () => {
  it('is created where it is missing, renewed while it is held, and handed over at once on release', async () => {
    const lease = heldOf(await acquire('fresh', 'a'));
    expect(lease.fence()).toEqual({ kind: 'ok' });
    const first = await specOf('fresh');
    expect(first).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0 });
    await waitFor({ what: 'a renewal', probe: async () => (await specOf('fresh')).renewTime !== first.renewTime });
    await lease.release();
    expect(lease.fence()).toMatchObject({ kind: 'lost' });
    expect((await specOf('fresh')).holderIdentity ?? '').toBe('');

    const startedAt = performance.now();
    const next = heldOf(await acquire('fresh', 'b'));
    expect(performance.now() - startedAt).toBeLessThan(1000);
    expect(await specOf('fresh')).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    await next.release();
  });

  it('goes to exactly one of many candidates', async () => {
    const ending = new AbortController();
    const waiting: string[] = [];
    const candidates = ['a', 'b', 'c', 'd', 'e'].map(async (identity) => {
      const outcome = await acquire('contested', identity, {
        signal: ending.signal,
        onWaiting: (holder) => waiting.push(holder),
      });
      return { identity, lease: heldOf(outcome) };
    });
    const winner = await Promise.race(candidates);
    await waitFor({ what: 'the four others to wait', probe: () => waiting.length === 4 });
    expect(new Set(waiting)).toEqual(new Set([winner.identity]));
    ending.abort(new Error('enough'));
    const settled = await Promise.allSettled(candidates);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await winner.lease.release();
  });

  it('answers other, without waiting for long, while its holder is alive', async () => {
    const lease = heldOf(await acquire('busy', 'a'));
    const startedAt = performance.now();
    const outcome = await acquire('busy', 'b', { wait: false });
    expect(outcome).toMatchObject({ kind: 'other', holder: 'a' });
    expect(performance.now() - startedAt).toBeLessThan(durations.leaseDurationMs);
    await lease.release();
  });

  it('is taken from a holder that died, by its duration on our own clock, whatever the times in it say', async () => {
    const renewTime = '2099-01-01T00:00:00.000000Z';
    await testbed.api.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'abandoned', namespace: 'default' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 2, acquireTime: renewTime, renewTime, leaseTransitions: 7 },
    } as never);
    const startedAt = performance.now();
    const lease = heldOf(await acquire('abandoned', 'b', { wait: false }));
    expect(performance.now() - startedAt).toBeGreaterThan(1900);
    expect(await specOf('abandoned')).toMatchObject({ holderIdentity: 'b', leaseTransitions: 8 });
    await lease.release();
  });

  it('is lost by a holder that stands still: its fence closes before anyone else can take over', async () => {
    const { clock, stop } = stoppableClock();
    const lease = heldOf(await acquire('stopped', 'a', { clock }));
    const guarded = fenced(port, () => lease.fence());
    stop();
    const taking = acquire('stopped', 'b');
    await waitFor({ what: 'the fence to close', probe: () => lease.fence().kind === 'lost' });
    expect(await specOf('stopped')).toMatchObject({ holderIdentity: 'a' });
    const successor = heldOf(await taking);
    expect(lease.fence()).toMatchObject({
      kind: 'lost',
      reason: expect.stringContaining('could not be renewed') as string,
    });
    expect(lease.signal.aborted).toBe(true);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    await expect(guarded.evict({ namespace: 'default', name: 'x', uid: 'y' }, signal)).rejects.toBeInstanceOf(
      LeaseLost,
    );
    await expect(
      guarded.patch({ resource: resources.nodes, name: 'x', patch: { type: 'merge', body: {} } }, signal),
    ).rejects.toBeInstanceOf(LeaseLost);
    await expect(guarded.get({ resource: resources.nodes, name: 'x' }, signal)).resolves.toMatchObject({
      kind: 'not-found',
    });
    await lease.release();
    expect(successor.fence()).toEqual({ kind: 'ok' });
    expect(await specOf('stopped')).toMatchObject({ holderIdentity: 'b' });
    await successor.release();
  });

  it('is lost when somebody else writes himself into it', async () => {
    const lease = heldOf(await acquire('stolen', 'a'));
    const lost = new Promise((resolve) => {
      lease.signal.addEventListener('abort', resolve, { once: true });
    });
    await testbed.api.patch({ kind: 'Lease', name: 'stolen' }, { body: { spec: { holderIdentity: 'thief' } } });
    await lost;
    expect(lease.fence()).toMatchObject({ kind: 'lost', reason: expect.stringContaining('held by thief') as string });
    await lease.release();
    expect(await specOf('stolen')).toMatchObject({ holderIdentity: 'thief' });
  });

  it('is kept through a short absence of the API server and lost in a long one', async () => {
    const lease = heldOf(await acquire('outage', 'a'));
    const absentFor = async (ms: number): Promise<void> => {
      const endsAt = performance.now() + ms;
      testbed.pause('kube-apiserver');
      try {
        await waitFor({ what: 'the absence to end', probe: () => performance.now() >= endsAt || lease.signal.aborted });
      } finally {
        testbed.resume('kube-apiserver');
      }
    };
    await absentFor(durations.renewDeadlineMs / 2);
    const { renewTime } = await specOf('outage');
    await waitFor({ what: 'a renewal', probe: async () => (await specOf('outage')).renewTime !== renewTime });
    expect(lease.fence()).toEqual({ kind: 'ok' });

    await absentFor(2 * durations.renewDeadlineMs);
    expect(lease.signal.aborted).toBe(true);
    expect(lease.fence()).toMatchObject({ kind: 'lost' });
    await lease.release();
  });
});
