import { describe, expect, it } from 'vitest';
import { resources } from '../../src/cluster/resources.js';
import type { ClusterView } from '../../src/cluster/view.js';
import { awaitDetached } from '../../src/drain/awaitDetached.js';
import { progressReporter } from '../../src/drain/drainProgress.js';
import { podVolumes } from '../../src/drain/podVolumes.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { systemClock } from '../../src/systemClock.js';
import { apiWith, create, setStatus } from '../sandbox/api/apiFixture.js';
import { clusterView, pod } from './clusterFixtures.js';

const claim = (name: string) => ({
  namespace: 'shop',
  name: `data-${name}`,
  volume: `volume-${name}`,
  onOneNode: true,
});
const store = pod('store-0', { claims: ['data-store'] });
const agent = pod('agent-0', { claims: ['data-agent'] });
const claims = [claim('store'), claim('agent')];

/** A wait for the volumes `store` and `agent` on node-1, on an API of its own; `told` is what it says it waits for. */
function waitOn(view: ClusterView, options: { withinMs?: number; volumes?: string[] } = {}) {
  const { withinMs = 10_000, volumes = ['volume-store', 'volume-agent'] } = options;
  const { api } = apiWith();
  const port = simulatedPort({ api, caller: 'test' });
  const told: string[][] = [];
  let lists = 0;
  const attach = (volume: string, node = 'node-1') =>
    create(api, resources.volumeAttachments, {
      metadata: { name: `csi-${volume}-${node}` },
      spec: { attacher: 'disk.example.com', nodeName: node, source: { persistentVolumeName: volume } },
    });
  const until = async (says: string) => {
    await expect.poll(() => told.at(-1)?.join() ?? '', { timeout: 5000, interval: 5 }).toContain(says);
  };
  const start = (signal = new AbortController().signal) =>
    awaitDetached({
      cluster: {
        list: async (request, stop) => {
          lists += 1;
          return await port.list(request, stop);
        },
        watch: (request, stop) => port.watch(request, stop),
      },
      cache: { view: () => view },
      clock: systemClock,
      signal,
      node: 'node-1',
      volumes: new Set(volumes),
      deadline: systemClock.monotonic() + withinMs,
      progress: progressReporter({
        node: 'node-1',
        now: () => systemClock.now(),
        monotonic: () => systemClock.monotonic(),
        gone: () => 0,
        report: ({ waitingFor }) => told.push(waitingFor.map(({ what }) => what)),
      }),
    });
  const detach = (volume: string) => {
    api.delete({ resource: resources.volumeAttachments, name: `csi-${volume}-node-1` }, 'test');
  };
  return { api, attach, detach, start, until, lists: () => lists };
}

describe('the volumes of pods that left', () => {
  it('are those of their claims that are bound', () => {
    const unbound = pod('new-0', { claims: ['data-new', 'unknown'] });
    const view = clusterView({
      claims: [...claims, { namespace: 'shop', name: 'data-new', volume: undefined, onOneNode: true }],
    });
    expect([...podVolumes(view, [store, agent, unbound])]).toEqual(['volume-store', 'volume-agent']);
  });

  it('are not asked for where there is none', async () => {
    const wait = waitOn(clusterView({}), { volumes: [] });
    wait.attach('volume-store');
    expect(await wait.start()).toEqual([]);
    expect(wait.lists()).toBe(0);
  });

  it('are waited for until each attachment to this node is gone, with one list and a watch', async () => {
    const wait = waitOn(clusterView({ claims }));
    wait.attach('volume-agent');
    const attachment = wait.attach('volume-store');
    wait.attach('volume-store', 'node-2');
    wait.attach('volume-of-nobody');
    const end = wait.start();
    await wait.until('PersistentVolume volume-store is still attached to node node-1');
    setStatus(wait.api, resources.volumeAttachments, attachment, { detachError: { message: 'the device is busy' } });
    await wait.until('driver disk.example.com). The driver says: the device is busy');
    wait.detach('volume-agent');
    wait.detach('volume-store');
    expect(await end).toEqual([]);
    expect(wait.lists()).toBe(1);
  });

  it('do not count while a pod on the node mounts them', async () => {
    const wait = waitOn(clusterView({ pods: [agent], claims }));
    wait.attach('volume-agent');
    expect(await wait.start()).toEqual([]);
  });

  it('count where the pod that mounts them has finished', async () => {
    const wait = waitOn(clusterView({ pods: [{ ...store, phase: 'Succeeded' }], claims }), { withinMs: 50 });
    wait.attach('volume-store');
    expect((await wait.start()).map(({ who }) => who)).toEqual([
      ['VolumeAttachment csi-volume-store-node-1', 'driver disk.example.com'],
    ]);
  });

  it('are not taken for gone where no time was left to ask', async () => {
    const wait = waitOn(clusterView({ claims }), { withinMs: 0 });
    wait.attach('volume-store');
    expect(await wait.start()).toHaveLength(1);
  });

  it('are named when the time is over; a stop ends the wait at once', async () => {
    const late = waitOn(clusterView({ claims }), { withinMs: 50 });
    late.attach('volume-store');
    expect((await late.start()).map(({ what }) => what)).toEqual([
      'PersistentVolume volume-store is still attached to node node-1 (VolumeAttachment csi-volume-store-node-1, driver disk.example.com).',
    ]);

    const stop = new AbortController();
    const stopped = waitOn(clusterView({ claims }));
    stopped.attach('volume-store');
    const end = stopped.start(stop.signal);
    await stopped.until('volume-store');
    stop.abort(new Error('stopped by SIGINT'));
    await expect(end).rejects.toThrow('stopped by SIGINT');
  });
});
