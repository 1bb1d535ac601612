import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { kubeconfig as kubeconfigOf } from '../cluster/accounts.js';
import { runTurnus, type RunningTurnus } from '../cluster/turnus.js';
import { startAnsweringProxy, type AnsweringProxy } from './answeringProxy.js';
import { kubeconfigThrough } from './kubeconfigThrough.js';
import { entry, untilEntry } from './moments.js';
import { startScene, type FaultCase, type Scene } from './scene.js';

let scene: Scene;
let proxy: AnsweringProxy;
let kubeconfig: string;

beforeAll(async () => {
  scene = await startScene();
  const text = await kubeconfigThrough(scene.cluster, 0);
  const token = /"?token"?: ?"?([0-9a-f]{32})/.exec(text)?.[1];
  if (token === undefined) throw new Error("the kubeconfig holds no token of the admin's");
  proxy = await startAnsweringProxy(scene.cluster, token);
  kubeconfig = join(scene.cluster.directory, 'answering.kubeconfig');
  await writeFile(kubeconfig, await kubeconfigThrough(scene.cluster, proxy.port), { mode: 0o600 });
});
afterEach(() => {
  proxy.judge(() => undefined);
});
afterAll(async () => {
  await proxy.stop();
  await scene.stop();
});

async function toItsEnd(fault: FaultCase, turnus: RunningTurnus): Promise<void> {
  await expectEnd(turnus, 0, 280_000);
  expect(proxy.faults()).toBeGreaterThan(0);
  await fault.expectDone();
}

describe('the API server answers', () => {
  it('every watch with 410 for ten seconds in the middle of the drain', async () => {
    const fault = await scene.newCase({ kubeconfig });
    const turnus = await fault.start();
    await untilEntry(fault, entry('node.cordoning'));
    const until = Date.now() + 10_000;
    proxy.judge(({ isWatch }) => (isWatch && Date.now() < until ? { kind: 'expired-watch' } : undefined));
    proxy.endWatches();
    await toItsEnd(fault, turnus);
  });

  it('429 with Retry-After to every request for a minute', async () => {
    const fault = await scene.newCase({ kubeconfig });
    const turnus = await fault.start();
    await untilEntry(fault, entry('pod.evicting'));
    const until = Date.now() + 60_000;
    proxy.judge(() =>
      Date.now() < until
        ? { kind: 'answer', status: 429, message: 'too many requests, please try again later', retryAfterSeconds: 1 }
        : undefined,
    );
    await toItsEnd(fault, turnus);
  });

  it.each([500, 503])('%d to every third request, reads and writes alike', async (status) => {
    const fault = await scene.newCase({ kubeconfig });
    const turnus = await fault.start();
    await untilEntry(fault, entry('run.started'));
    let asked = 0;
    proxy.judge(() => {
      asked += 1;
      return asked % 3 === 0 ? { kind: 'answer', status, message: 'etcdserver: request timed out' } : undefined;
    });
    await toItsEnd(fault, turnus);
  });

  it('everything a third of a second later', async () => {
    const fault = await scene.newCase({ kubeconfig });
    proxy.judge(({ isWatch }) => (isWatch ? undefined : { kind: 'slow', delayMs: 300 }));
    await toItsEnd(fault, await fault.start());
  });

  it('401 to a token that has run out; the one that is in its file by then is taken', async () => {
    const directory = scene.cluster.directory;
    const tokenFile = join(directory, 'token');
    let valid = 'first';
    const renew = async (token: string): Promise<void> => {
      await writeFile(`${tokenFile}.new`, token, { mode: 0o600 });
      await rename(`${tokenFile}.new`, tokenFile);
      valid = token;
    };
    await renew('first');
    const path = join(directory, 'renewed.kubeconfig');
    const { hostname } = new URL(scene.cluster.server);
    const config = JSON.parse(
      kubeconfigOf({
        server: `https://${hostname}:${String(proxy.port)}`,
        certificateAuthority: scene.cluster.certificateAuthority,
        user: 'admin',
        token: '',
      }),
    ) as { users: { user: unknown }[] };
    for (const each of config.users) each.user = { tokenFile };
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    proxy.judge(({ token }) =>
      token === valid ? undefined : { kind: 'answer', status: 401, message: 'Unauthorized' },
    );
    const fault = await scene.newCase({ kubeconfig: path });
    const turnus = await fault.start();
    await untilEntry(fault, entry('node.cordoned'));
    await renew('second');
    await untilEntry(fault, entry('job.started', '"stage":"update"'));
    await renew('third');
    await expectEnd(turnus, 0, 280_000);
    await fault.expectDone();
    expect(await runTurnus(['status'], { kubeconfig: path })).toMatchObject({ exitCode: 0 });
  });
});
