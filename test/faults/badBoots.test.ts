import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import type { Host } from '../cluster/hosts/host.js';
import { expectExit, runOf, turnsOf, untilTurn } from '../cluster/runReport.js';
import { cordonOf } from '../cluster/trouble.js';
import { runTurnus } from '../cluster/turnus.js';
import { expectKilledAt } from './killMatrix.js';
import { entry } from './moments.js';
import { startScene, type FaultCase, type Scene } from './scene.js';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
});
afterAll(async () => {
  await scene.stop();
});

const newKernel = '6.1.0-41-amd64';

interface BadBoot {
  readonly what: string;
  /** Of the failure. */
  readonly code: string;
  readonly says?: readonly string[];
  /** Before the run. */
  readonly prepare?: (host: Host) => Promise<void>;
  /** While the heirs wait for the node to be well. */
  readonly meanwhile?: (fault: FaultCase) => Promise<void>;
  /** What a person does. */
  readonly repair: (host: Host) => Promise<void>;
}

const badBoots: readonly BadBoot[] = [
  {
    what: 'never comes back',
    code: 'boot-not-proved',
    prepare: async (host) => {
      await host.setOnReboot('never-returns');
    },
    repair: async (host) => {
      await host.setOnReboot('normal');
      await host.powerOn();
    },
  },
  {
    what: 'boots its old kernel',
    code: 'old-kernel',
    says: [`version.kernel.after=${newKernel}`],
    prepare: async ({ node }) => {
      // A version that nobody runs is none that could be expected.
      await setKernel(node === 'node-1' ? 'node-2' : 'node-1', newKernel);
    },
    repair: async (host) => {
      await host.powerCut();
      await setKernel(host.node, newKernel);
      await host.powerOn();
    },
  },
  {
    what: 'comes back, and whose node never gets Ready',
    code: 'not-healthy',
    meanwhile: async ({ name, node }) => {
      await untilTurn(
        { cluster: scene.cluster, playbook: name, node, what: 'Verifying' },
        ({ phase }) => phase === 'Verifying',
      );
      await holdDown(node, 'true');
      const condition = { type: 'Ready', status: 'False', reason: 'NetworkPluginNotReady', message: 'no cni' };
      await scene.cluster.api.patch(
        { kind: 'Node', name: node },
        { body: { status: { conditions: [condition] } }, type: 'strategic', subresource: 'status' },
      );
    },
    repair: async ({ node }) => {
      await holdDown(node, null);
      await scene.cluster.untilNodeReady(node);
    },
  },
];

async function setKernel(name: string, kernelVersion: string): Promise<void> {
  await scene.cluster.api.patch(
    { kind: 'Node', name },
    { body: { status: { nodeInfo: { kernelVersion } } }, type: 'strategic', subresource: 'status' },
  );
}

/** The played kubelet reports its node as not Ready for as long as this is set. */
async function holdDown(name: string, value: string | null): Promise<void> {
  await scene.cluster.api.patch(
    { kind: 'Node', name },
    { body: { metadata: { annotations: { 'sandbox.turnus.dev/hold-down': value } } } },
  );
}

describe('kill -9 right after the reboot was asked for, of a host that', () => {
  it.each(badBoots)('$what: Failed with a reason, and Done after repair and retry', async (bad) => {
    const fault = await scene.newCase({
      afterRebootTimeout: '15s',
      ...(bad.says === undefined ? {} : { says: bad.says }),
    });
    const host = scene.hosts.host(fault.node);
    await bad.prepare?.(host);
    await expectKilledAt(fault, entry('reboot.requested'));
    const heirs = [await fault.start(), await fault.start()];
    await bad.meanwhile?.(fault);
    for (const heir of heirs) await expectEnd(heir, 4, 280_000);
    const [turn] = await turnsOf(scene.cluster, fault.name);
    expect(turn).toMatchObject({ phase: 'Failed', failure: { code: bad.code, node: 'cordoned', host: 'touched' } });
    const { name: run } = await runOf(scene.cluster, fault.name);
    expect(await cordonOf(scene.cluster, fault.node)).toEqual({ unschedulable: true, mark: run });

    await bad.repair(host);
    expectExit(await runTurnus(['retry', run, fault.node], { kubeconfig: scene.cluster.kubeconfigPath }), 0);
    await expectEnd(await fault.start(), 0, 280_000);
    await fault.expectDone('after a repair');
  });
});
