import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectEnd } from '../cluster/attempts.js';
import { startCutProxy, type Cut, type CutProxy } from './cutProxy.js';
import { entry, untilEntry, untilUpdateHas } from './moments.js';
import { startScene, type FaultCase, type Scene } from './scene.js';

/** Afterwards new connections work; those that were there stay silent. */
const silenceMs = 2000;

interface Stage {
  readonly stage: string;
  /** Breaks the connection in this stage. */
  readonly cut: (at: {
    scene: Scene;
    fault: FaultCase;
    proxy: CutProxy;
    kind: Cut;
    letScriptEnd: () => Promise<void>;
  }) => Promise<void>;
}

/** Bytes of the near end until the key exchange is under way, and until it is done. */
const inHandshake = 300;
/** The program that starts a job has some 10 KB; it is cut in its first and behind its last part. */
const inUpload = 4000;

const stages: readonly Stage[] = [
  {
    stage: 'connect',
    cut: ({ proxy, kind }) => {
      proxy.cutNextConnection(kind, 0);
      return Promise.resolve();
    },
  },
  {
    stage: 'handshake',
    cut: ({ proxy, kind }) => {
      proxy.cutNextConnection(kind, inHandshake);
      return Promise.resolve();
    },
  },
  {
    stage: 'upload',
    cut: async ({ fault, proxy, kind }) => {
      await untilEntry(fault, entry('job.started', '"stage":"update"'));
      proxy.cutAfterBytes(kind, inUpload);
    },
  },
  {
    stage: 'start',
    cut: async ({ scene, fault, proxy, kind }) => {
      await untilUpdateHas(scene, fault, 'launcher');
      proxy.cut(kind);
    },
  },
  {
    stage: 'follow',
    cut: async ({ scene, fault, proxy, kind }) => {
      await untilUpdateHas(scene, fault, 'group');
      proxy.cut(kind);
    },
  },
  {
    stage: 'result',
    cut: async ({ scene, fault, proxy, kind, letScriptEnd }) => {
      await letScriptEnd();
      await untilUpdateHas(scene, fault, 'exit_code');
      proxy.cut(kind);
    },
  },
  {
    stage: 'reboot',
    cut: async ({ fault, proxy, kind, letScriptEnd }) => {
      await letScriptEnd();
      await untilEntry(fault, entry('reboot.requested'));
      proxy.cut(kind);
    },
  },
];

/** In every stage of a turn the connection to the host breaks in this way; the turn goes on and nothing runs twice. */
export function hostConnectionMatrix(kind: Cut): void {
  describe(`the connection to the host breaks by ${kind} in the stage`, () => {
    let scene: Scene;
    const proxies: CutProxy[] = [];
    beforeAll(async () => {
      scene = await startScene();
    });
    afterAll(async () => {
      for (const proxy of proxies) await proxy.stop();
      await scene.stop();
    });

    it.each(stages)('$stage', async ({ cut }) => {
      let proxy: CutProxy | undefined;
      const fault = await scene.newCase({
        script: (name) => `[ "$TURNUS_STAGE" != update ] || until [ -e "/srv/host/${name}.go" ]; do sleep 0.05; done`,
        ssh: async (node, name) => {
          const host = scene.hosts.host(node);
          proxy = await startCutProxy({ host: host.address, port: host.port, silenceMs });
          proxies.push(proxy);
          const knownHosts = join(scene.cluster.directory, `${name}.known_hosts`);
          await writeFile(knownHosts, `${host.address} ${host.hostPublicKey}\n`);
          return { port: proxy.port, knownHosts: { path: knownHosts } };
        },
      });
      if (proxy === undefined) throw new Error('the case has no proxy');
      const turnus = await fault.start();
      const go = scene.hosts.host(fault.node).pathOnDisk(`/srv/host/${fault.name}.go`);
      await cut({ scene, fault, proxy, kind, letScriptEnd: () => writeFile(go, '') });
      await writeFile(go, '');
      await expectEnd(turnus, 0, 280_000);
      expect(proxy.cuts()).toBeGreaterThan(0);
      await fault.expectDone();
    });
  });
}
