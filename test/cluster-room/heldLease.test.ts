import { beforeEach, describe, expect, it } from 'vitest';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { acquireLease, defaultLeaseDurations, type HeldLease } from '../../src/cluster/lease.js';
import { resources } from '../../src/cluster/resources.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import type { SimulatedApi } from '../../src/sandbox/api/simulatedApi.js';
import { systemTimeline } from '../../src/sandbox/systemTimeline.js';
import { systemClock } from '../../src/systemClock.js';
import { apiWith, create, read } from '../sandbox/api/apiFixture.js';

const namespace = 'turnus-system';
const name = 'turnus';
const { signal } = new AbortController();

let api: SimulatedApi;
let writes: number;
let cluster: ClusterPort;

beforeEach(() => {
  ({ api } = apiWith({ timeline: systemTimeline }));
  create(api, resources.namespaces, { metadata: { name: namespace } });
  const port = simulatedPort({ api, caller: 'turnus' });
  writes = 0;
  cluster = {
    ...port,
    replace: async (request, until) => {
      writes += 1;
      return await port.replace(request, until);
    },
  };
});

async function held(identity: string): Promise<HeldLease> {
  const request = { cluster, clock: systemClock, namespace, name, identity, durations: defaultLeaseDurations };
  const taken = await acquireLease({ ...request, wait: false, signal });
  if (taken.kind !== 'held') throw new Error(taken.kind);
  return taken.lease;
}

function holder(): unknown {
  return (read(api, resources.leases, name, namespace)['spec'] as { holderIdentity?: unknown }).holderIdentity;
}

describe('a lease that is given up', () => {
  it('lets nothing be done any more, and is handed over all the same', async () => {
    const lease = await held('one');
    lease.giveUp('the process has to end at once');
    expect(lease.signal.aborted).toBe(true);
    expect(lease.fence()).toEqual({ kind: 'lost', reason: 'the process has to end at once' });
    expect(holder()).toBe('one');
    await lease.release();
    expect(holder()).toBe('');
    expect(lease.fence()).toMatchObject({ kind: 'lost' });
    await lease.release();
    const next = await held('other');
    expect(next.fence()).toEqual({ kind: 'ok' });
    await next.release();
  });

  it('is not taken from another one who has it meanwhile', async () => {
    const lease = await held('one');
    lease.giveUp('the process has to end at once');
    const patch = { type: 'merge' as const, body: { spec: { holderIdentity: 'other' } } };
    api.patch({ resource: resources.leases, name, namespace, patch }, 'other');
    const before = writes;
    await lease.release();
    expect(holder()).toBe('other');
    expect(writes - before).toBe(1);
  });
});
