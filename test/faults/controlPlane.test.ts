import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { runOf, systemNamespace } from '../cluster/runReport.js';
import { entry, untilEntry } from './moments.js';
import { startScene, type Scene } from './scene.js';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});
afterAll(async () => {
  await scene.stop();
});

describe('in the middle of the drain', () => {
  it.each<{ components: readonly ('etcd' | 'kube-apiserver')[] }>([
    { components: ['kube-apiserver'] },
    { components: ['etcd'] },
    { components: ['etcd', 'kube-apiserver'] },
  ])('$components is killed and started again', async ({ components }) => {
    const fault = await scene.newCase();
    const turnus = await fault.start();
    await untilEntry(fault, entry('pod.evicting'));
    for (const component of components) await scene.cluster.kill(component);
    for (const component of components) await scene.cluster.restart(component);
    await expectEnd(turnus, 0, 280_000);
    await fault.expectDone();
  });
});

describe('a request of a person', () => {
  it('that an actor dies over right after the answer was journaled is answered once by the next', async () => {
    const fault = await scene.newCase();
    const first = await fault.start({ after: { signal: 'SIGKILL', texts: ['"type":"request.answered"'] } });
    await untilEntry(fault, entry('node.cordoning'));
    const { name: run } = await runOf(scene.cluster, fault.name);
    // Refused, because its turn is in work: an answer like any other.
    const requests = [{ id: 'once', verb: 'skip', node: fault.node, reason: 'to be answered once', by: 'observer' }];
    await scene.cluster.api.patch(
      { kind: 'MaintenanceRun', namespace: systemNamespace, name: run },
      { body: { spec: { desired: { state: 'Run', requests } } } },
    );
    expect(await first.exited).toBeUndefined();
    const heirs = [await fault.start(), await fault.start()];
    for (const heir of heirs) await expectEnd(heir, 0, 280_000);
    const { handledRequests } = (await runOf(scene.cluster, fault.name)).status;
    expect(handledRequests).toHaveLength(1);
    await fault.expectDone();
  });

  it('to delete a run in work is held until the turn is over, and leaves the node in service', async () => {
    const fault = await scene.newCase();
    const turnus = await fault.start();
    await untilEntry(fault, entry('job.started', '"stage":"update"'));
    const { name } = await runOf(scene.cluster, fault.name);
    await scene.cluster.api.delete({ kind: 'MaintenanceRun', namespace: systemNamespace, name });
    expect((await runOf(scene.cluster, fault.name)).finalizers).not.toEqual([]);
    await turnus.exited;
    const { spec, metadata } = await scene.cluster.api.get({ kind: 'Node', name: fault.node });
    expect(spec.unschedulable ?? false).toBe(false);
    expect(Object.keys(metadata.annotations ?? {})).not.toContain('turnus.dev/cordoned-by');
    expect(await scene.hosts.host(fault.node).counter(`${fault.name}.update`)).toBe(1);
  });
});
