import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import type { AuditEntry } from '../cluster/auditLog.js';
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

/** The writes of Turnus under this user that the API server took. */
async function writesOf(user: string, sinceMs: number): Promise<AuditEntry[]> {
  return (await turnusWrites(scene.cluster)).filter(
    (entry) => entry.user === user && entry.code < 400 && entry.time.getTime() >= sinceMs,
  );
}

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
    const began = Date.now();
    const first = await fault.start({ after: { signal: 'SIGSTOP', texts } });
    await waitFor({ what: 'the first to stand still', timeoutMs: 60_000, probe: () => standsStill(first.pid) });
    const second = await fault.start({ user: secondUser });
    await waitFor({
      what: 'the second to hold the lease',
      timeoutMs: 60_000,
      intervalMs: 100,
      probe: async () => (await writesOf(secondUser, began)).some(({ resource }) => resource === 'nodeturns'),
    });
    const woken = Date.now();
    first.kill('SIGCONT');
    await expectEnd(second, 0, 280_000);
    await expectEnd(first, [0, 7]);
    const lastOfSecond = (await writesOf(secondUser, began)).at(-1)?.time.getTime() ?? 0;
    expect(lastOfSecond).toBeGreaterThan(0);
    const late = (await writesOf('admin', woken)).filter(({ time }) => time.getTime() <= lastOfSecond);
    expect(late).toEqual([]);
    await fault.expectDone();
  });
});
