import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { turnusWrites } from '../cluster/runReport.js';
import { waitFor } from '../cluster/waitFor.js';
import { entry } from './moments.js';
import { startScene, type Scene } from './scene.js';

/** Told apart from the first in the audit log by its user. */
const secondUser = 'operator';

let scene: Scene;

/** True for a stopped process (proc(5), /proc/pid/stat: the state follows the name). */
async function standsStill(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

beforeAll(async () => {
  scene = await startScene();
  await scene.cluster.api.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: secondUser },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: secondUser }],
  });
});
afterAll(async () => {
  await scene.stop();
});

describe('an actor that stands still for longer than its lease does nothing more when it wakes up, right after', () => {
  it.each([
    entry('node.cordoning'),
    entry('pod.evicting'),
    entry('job.started', '"stage":"update"'),
    entry('reboot.requested'),
    entry('health.checked'),
    entry('node.uncordoning'),
  ])('$name', async ({ texts }) => {
    const fault = await scene.newCase();
    const first = await fault.start({ after: { signal: 'SIGSTOP', texts } });
    await waitFor({ what: 'the first to stand still', timeoutMs: 60_000, probe: () => standsStill(first.pid) });
    const second = await fault.start({ user: secondUser });
    await expectEnd(second, 0, 120_000);
    const woken = Date.now();
    first.kill('SIGCONT');
    await expectEnd(first, [0, 7]);
    const late = (await turnusWrites(scene.cluster)).filter(
      ({ user, time, code }) => user === 'admin' && time.getTime() >= woken && code < 400,
    );
    expect(late).toEqual([]);
    await fault.expectDone();
  });
});
