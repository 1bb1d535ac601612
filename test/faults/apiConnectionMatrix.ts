import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { startCutProxy, type Cut, type CutProxy } from './cutProxy.js';
import { kubeconfigThrough } from './kubeconfigThrough.js';
import { entry, untilEntry, type Moment } from './moments.js';
import { startScene, type Scene } from './scene.js';

/** Longer than the lease lasts. */
const silenceMs = 20_000;

const moments: readonly Moment[] = [
  entry('run.started'),
  entry('node.cordoning'),
  entry('pod.evicting'),
  entry('job.started', '"stage":"update"'),
  entry('reboot.requested'),
  entry('health.checked'),
  entry('node.uncordoning'),
];
/** At the first connect and after every kind of act the connections to the API server break in this way. */
export function apiConnectionMatrix(kind: Cut): void {
  describe(`the connections to the API server break by ${kind}`, () => {
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

    it('at the first connect', async () => {
      const fault = await scene.newCase({ kubeconfig });
      const before = proxy.cuts();
      proxy.cutNextConnection(kind, 0);
      await expectEnd(await fault.start(), 0, 280_000);
      expect(proxy.cuts()).toBeGreaterThan(before);
      await fault.expectDone();
    });

    it.each(moments)('right after $name', async (moment) => {
      const fault = await scene.newCase({ kubeconfig });
      const before = proxy.cuts();
      const turnus = await fault.start();
      await untilEntry(fault, moment);
      proxy.cut(kind);
      await expectEnd(turnus, 0, 280_000);
      expect(proxy.cuts()).toBeGreaterThan(before);
      await fault.expectDone();
    });
  });
}
