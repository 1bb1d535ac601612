import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { expectExit, runOf, turnsOf } from '../cluster/runReport.js';
import { runTurnus } from '../cluster/turnus.js';
import { cordonOf } from '../cluster/trouble.js';
import { waitFor } from '../cluster/waitFor.js';
import { entry, untilEntry, untilUpdateHas } from './moments.js';
import { startScene, type FaultCase, type Scene } from './scene.js';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});
afterAll(async () => {
  await scene.stop();
});

const stages: readonly { readonly stage: string; readonly until: (fault: FaultCase) => Promise<void> }[] = [
  { stage: 'drained', until: (fault) => untilEntry(fault, entry('drain.finished')) },
  { stage: 'the update intended', until: (fault) => untilEntry(fault, entry('job.started', '"stage":"update"')) },
  { stage: 'the update started', until: (fault) => untilUpdateHas(scene, fault, 'launcher') },
  { stage: 'the update running', until: (fault) => untilUpdateHas(scene, fault, 'group') },
  { stage: 'the update ended', until: (fault) => untilUpdateHas(scene, fault, 'exit_code') },
  { stage: 'its end recorded', until: (fault) => untilEntry(fault, entry('job.finished', '"stage":"update"')) },
  { stage: 'the reboot asked for', until: (fault) => untilEntry(fault, entry('reboot.requested')) },
  { stage: 'the boot proved', until: (fault) => untilEntry(fault, entry('boot.proved')) },
];

describe('a host that loses its power ends Done, or Failed with a reason and then Done by retry, with', () => {
  it.each(stages)('$stage', async ({ until }) => {
    const fault = await scene.newCase({ script: () => 'sleep 1' });
    const host = scene.hosts.host(fault.node);
    const turnus = await fault.start();
    await until(fault);
    await host.powerCut();
    await host.powerOn();
    await expectEnd(turnus, [0, 3, 4], 280_000);
    if ((await turnus.exited) === 3) {
      // Untouched, and its node had not reported the new boot yet: given back, and left for another call.
      const [turn] = await turnsOf(scene.cluster, fault.name);
      expect(turn?.message).toContain('has just been rebooted');
      expect(await cordonOf(scene.cluster, fault.node)).toEqual({});
      await waitFor({
        what: `${fault.node} to report the boot of its host`,
        probe: async () => {
          const { status } = await scene.cluster.api.get({ kind: 'Node', name: fault.node });
          return status.nodeInfo.bootID === host.bootId;
        },
      });
      await expectEnd(await fault.start(), 0, 280_000);
    }
    if ((await turnus.exited) === 4) {
      const [turn] = await turnsOf(scene.cluster, fault.name);
      expect(turn?.phase).toBe('Failed');
      expect(turn?.failure?.next.join('\n')).toContain('turnus retry');
      const { name: run } = await runOf(scene.cluster, fault.name);
      expect(await cordonOf(scene.cluster, fault.node)).toEqual({ unschedulable: true, mark: run });
      expectExit(await runTurnus(['retry', run, fault.node], { kubeconfig: scene.cluster.kubeconfigPath }), 0);
      await expectEnd(await fault.start(), 0, 280_000);
    }
    await fault.expectDone('after a power cut');
  });
});
