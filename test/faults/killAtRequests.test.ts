import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { startDenyingWebhook } from '../cluster/denyingWebhook.js';
import { phasesOf, runOf, runs, systemNamespace } from '../cluster/runReport.js';
import { podsOn } from '../cluster/trouble.js';
import { waitFor } from '../cluster/waitFor.js';
import { expectKilledAt } from './killMatrix.js';
import { entry, untilEntry } from './moments.js';
import { startScene, type Exception, type FaultCase, type Scene } from './scene.js';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene({ nodes: 4 });
});
afterAll(async () => {
  await scene.stop();
});

/** What `turnus pause` and `turnus resume` write. */
async function want(fault: FaultCase, state: 'Pause' | 'Run'): Promise<void> {
  const { name } = await runOf(scene.cluster, fault.name);
  await scene.cluster.api.patch(
    { kind: 'MaintenanceRun', namespace: systemNamespace, name },
    { body: { spec: { desired: { state, by: 'observer', reason: 'tried' } } } },
  );
}

async function finishTwice(
  fault: FaultCase,
  { args = [], exception }: { readonly args?: readonly string[]; readonly exception?: Exception } = {},
): Promise<void> {
  const heirs = [await fault.start({ args }), await fault.start({ args })];
  for (const heir of heirs) await expectEnd(heir, 0, 280_000);
  await fault.expectDone(exception);
}

describe('kill -9 at what others cause, right after', () => {
  it('eviction.refused', async () => {
    // The first case: later ones have emptied nodes.
    const fault = await scene.newCase();
    const [pod = ''] = (await podsOn(scene.cluster, fault.node)).filter((key) => key.startsWith('default/'));
    const webhook = await startDenyingWebhook({
      cluster: scene.cluster,
      name: 'deny.example.com',
      namespace: 'default',
      pod: pod.slice('default/'.length),
      code: 403,
      message: 'not tonight',
    });
    await expectKilledAt(fault, entry('eviction.refused'));
    expect(webhook.asked()).toBeGreaterThan(0);
    webhook.relent();
    await finishTwice(fault);
  });

  it('nodes.steering', async () => {
    const fault = await scene.newCase({ nodes: 'all' });
    await expectKilledAt(fault, entry('nodes.steering'));
    await finishTwice(fault);
  });

  it('run.superseded', async () => {
    const fault = await scene.newCase({ nodes: 'all' });
    await expectKilledAt(fault, entry('turn.started', '"node":"node-2"'));
    const args = ['--replace', '--reason', 'the script is mended'];
    await expectKilledAt(fault, entry('run.superseded'), args);
    await finishTwice(fault, { args, exception: 'after superseding' });
    const phases = (await runs(scene.cluster))
      .filter(({ name }) => name.startsWith(`${fault.name}-`))
      .map(({ status }) => status.phase);
    expect(phases.sort()).toEqual(['Completed', 'Superseded']);
  });

  it('run.paused', async () => {
    const fault = await scene.newCase({ nodes: 'all' });
    const first = await fault.start({ after: { signal: 'SIGKILL', texts: entry('run.paused').texts } });
    await untilEntry(fault, entry('turn.started'));
    await want(fault, 'Pause');
    expect(await first.exited, first.stderr()).toBeUndefined();
    const heirs = [await fault.start(), await fault.start()];
    const paused = entry('run.paused');
    await waitFor({
      what: 'an heir that keeps the run paused',
      timeoutMs: 60_000,
      probe: async () =>
        (await fault.journalLines()).filter((line) => paused.texts.every((text) => line.includes(text))).length > 1,
    });
    expect((await phasesOf(scene.cluster, fault.name)).filter((turn) => turn.endsWith(' Done'))).toHaveLength(1);
    await want(fault, 'Run');
    for (const heir of heirs) await expectEnd(heir, 0, 280_000);
    await fault.expectDone();
  });
});
