import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { startCutProxy, type Cut, type CutProxy } from './cutProxy.js';
import { kubeconfigThrough } from './kubeconfigThrough.js';
import { entry, untilEntry, type Moment } from './moments.js';
import { startScene, type Scene } from './scene.js';

/** Longer than a request may take, and than the lease lasts. */
const silenceMs = 20_000;

let scene: Scene;
let proxy: CutProxy;
let kubeconfig: string;

beforeAll(async () => {
  scene = await startScene();
  const { hostname, port } = new URL(scene.cluster.server);
  proxy = await startCutProxy({ host: hostname, port: Number(port), silenceMs });
  kubeconfig = join(scene.cluster.directory, 'through-the-proxy.kubeconfig');
  await writeFile(kubeconfig, await kubeconfigThrough(scene.cluster, proxy.port), { mode: 0o600 });
});
afterAll(async () => {
  await proxy.stop();
  await scene.stop();
});

const moments: readonly Moment[] = [
  entry('run.started'),
  entry('node.cordoning'),
  entry('pod.evicting'),
  entry('job.started', '"stage":"update"'),
  entry('reboot.requested'),
  entry('health.checked'),
  entry('node.uncordoning'),
];
const kinds: readonly Cut[] = ['reset', 'silence', 'half-open'];

describe('the connections to the API server break', () => {
  it.each(['reset', 'half-open'] as const)('by %s at the first connect', async (kind) => {
    const fault = await scene.newCase({ kubeconfig });
    const before = proxy.cuts();
    proxy.cutNextConnection(kind, 0);
    await expectEnd(await fault.start(), 0, 120_000);
    expect(proxy.cuts()).toBeGreaterThan(before);
    await fault.expectDone();
  });

  for (const kind of kinds) {
    it.each(moments)(`by ${kind} right after $name`, async (moment) => {
      const fault = await scene.newCase({ kubeconfig });
      const before = proxy.cuts();
      const turnus = await fault.start();
      await untilEntry(fault, moment);
      proxy.cut(kind);
      await expectEnd(turnus, 0, 170_000);
      expect(proxy.cuts()).toBeGreaterThan(before);
      await fault.expectDone();
    });
  }
});
