import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { attachedVolume, attachmentOf, driver } from '../attachedVolumes.js';
import { attemptsOn, expectEnd } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { createAllOn } from '../gather.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import { evictions, installTurnus, phasesOf, turnsOf, turnusRequests, untilTurn } from '../runReport.js';
import { waitFor } from '../waitFor.js';
import { createAll } from '../waitForReady.js';
import { deployment, statefulSet } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

const quick = { host: { reboot: { when: 'never' } } };

/** A pod on the node whose volume is attached there; answers how to detach it. */
async function podWithVolume(name: string, node: string): Promise<{ detach: () => Promise<void>; volume: string }> {
  const { set, storage, attachment, volume } = attachedVolume(statefulSet({ name, replicas: 1 }), node);
  await createAll(cluster.api, storage);
  await createAll(cluster.api, [attachment]);
  await createAllOn(cluster, node, [set]);
  const detach = () => cluster.api.delete({ kind: 'VolumeAttachment', name: attachment.metadata.name });
  return { detach, volume };
}

async function untilItWaits(playbook: string, node: string, volume: string): Promise<string> {
  const { waitingFor } = await untilTurn(
    { cluster, playbook, node, what: `waiting for ${volume}` },
    (turn) => turn.waitingFor?.what.includes(`PersistentVolume ${volume} is still attached`) ?? false,
  );
  return waitingFor?.what ?? '';
}

describe('a volume of an evicted pod', () => {
  it('is detached before the host is touched, also where the actor dies meanwhile; others do not count', async () => {
    const { detach, volume } = await podWithVolume('stored', 'node-1');
    await createAll(cluster.api, [attachmentOf('volume-of-nobody', 'node-1'), attachmentOf('volume-stored', 'node-4')]);
    const playbook = await writePlaybook({ cluster, hosts, name: 'stored', nodes: ['node-1'], spec: quick });
    const first = attempts.start(playbook);
    const what = await untilItWaits('stored', 'node-1', volume);
    expect(what).toBe(
      `PersistentVolume ${volume} is still attached to node node-1 (VolumeAttachment csi-${volume}-node-1, driver ${driver}).`,
    );
    expect((await evictions(cluster)).map(({ pod }) => pod)).toEqual(['default/stored-0']);
    first.kill('SIGKILL');
    await first.exited;

    const [dead] = await turnsOf(cluster, 'stored');
    const second = attempts.start(playbook);
    await untilTurn(
      { cluster, playbook: 'stored', node: 'node-1', what: 'waiting again, in the hands of the second' },
      ({ actor, waitingFor }) => actor !== dead?.actor && (waitingFor?.what ?? '').includes('still attached'),
    );
    await cluster.api.patch(
      { kind: 'VolumeAttachment', name: `csi-${volume}-node-1` },
      { subresource: 'status', body: { status: { attached: true, detachError: { message: 'the device is busy' } } } },
    );
    await untilTurn({ cluster, playbook: 'stored', node: 'node-1', what: "the driver's error" }, ({ waitingFor }) =>
      (waitingFor?.what ?? '').includes('The driver says: the device is busy'),
    );
    expect(await hosts.host('node-1').counter('updates')).toBe(0);
    await detach();
    await expectEnd(second, 0);
    expect(await phasesOf(cluster, 'stored')).toEqual(['node-1 Done']);
    expect(await hosts.host('node-1').counter('updates')).toBe(1);
    expect(await evictions(cluster)).toHaveLength(1);
  });

  it('that stays attached until the timeout ends the drain, which is undone', async () => {
    const { volume } = await podWithVolume('stuck', 'node-2');
    const spec = { ...quick, drain: { timeout: '6s', attempts: 1 } };
    const playbook = await writePlaybook({ cluster, hosts, name: 'stuck', nodes: ['node-2'], spec });
    await expectEnd(attempts.start(playbook), 3);
    const [turn] = await turnsOf(cluster, 'stuck');
    expect(turn).toMatchObject({ phase: 'Deferred' });
    expect(turn?.message).toContain(`PersistentVolume ${volume} is still attached to node node-2`);
    expect(await hosts.host('node-2').counter('updates')).toBe(0);
    const { spec: node } = await cluster.api.get({ kind: 'Node', name: 'node-2' });
    expect(node.unschedulable ?? false).toBe(false);
  });

  it('is not asked for where no pod had one', async () => {
    // Their pods may have moved to node-3.
    await deleteSets('stored', 'stuck');
    await createAllOn(cluster, 'node-3', [deployment({ name: 'bare', replicas: 1 })]);
    // By the time of the request: the log of the run before may still be on its way.
    const since = new Date();
    const playbook = await writePlaybook({ cluster, hosts, name: 'bare', nodes: ['node-3'], spec: quick });
    await expectEnd(attempts.start(playbook), 0);
    const times = await listsOfAttachments();
    expect(times.length).toBeGreaterThan(0);
    expect(times.filter((time) => time > since)).toEqual([]);
    const evicted = (await evictions(cluster)).filter(({ time }) => time > since);
    expect(evicted.map(({ pod }) => pod)).toEqual([expect.stringMatching(/^default\/bare-/)]);
  });
});

/** Deletes the StatefulSets and waits until their pods are gone. */
async function deleteSets(...names: string[]): Promise<void> {
  for (const name of names)
    await cluster.api.delete({ kind: 'StatefulSet', name }, { propagationPolicy: 'Background' });
  const theirs = names.map((name) => `${name}-0`);
  await waitFor({
    what: `the pods ${theirs.join(', ')} gone`,
    probe: async () =>
      !(await cluster.api.list({ kind: 'Pod' })).some(({ metadata }) => theirs.includes(metadata.name)),
  });
}

/** When Turnus has asked for all of them. */
async function listsOfAttachments(): Promise<Date[]> {
  const requests = await turnusRequests(cluster);
  return requests
    .filter(({ resource, verb }) => resource === 'volumeattachments' && verb === 'list')
    .map(({ time }) => time);
}
