import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultMaker, FaultName } from '../faults.js';
import type { SandboxHosts } from '../hosts/openHosts.js';
import type { SandboxHost } from '../hosts/sandboxHost.js';
import type { ApiFaults } from '../http/apiFaults.js';
import type { SimulatedCluster } from '../simulatedCluster.js';
import { clusterFaults, unknownNode } from './clusterFaults.js';
import { failNextFile } from './playbookFile.js';

/** Everything that can be broken in a sandbox. */
export function allFaults(parts: {
  readonly cluster: SimulatedCluster;
  readonly hosts: SandboxHosts;
  readonly api: ApiFaults;
  readonly nodes: readonly string[];
}): Readonly<Record<FaultName, FaultMaker>> {
  const { cluster, hosts, api, nodes } = parts;

  /** A fault of the host behind a node. */
  const onHost =
    (act: (host: SandboxHost) => { readonly broken: string; readonly mend: () => string }): FaultMaker =>
    ({ subject }) => {
      const host = subject === undefined ? undefined : hosts.host(subject);
      return host === undefined ? unknownNode(subject, nodes) : { subject: host.name, ...act(host) };
    };

  return {
    ...clusterFaults(cluster, nodes),

    'hang-host': onHost((host) => {
      host.hang(true);
      return {
        broken: `The host of ${host.name} takes connections and gives no answer.`,
        mend: () => {
          host.hang(false);
          return `The host of ${host.name} answers again.`;
        },
      };
    }),

    'lose-host': onHost((host) => {
      host.refuseConnections(true);
      return {
        broken: `The host of ${host.name} refuses connections; its processes go on.`,
        mend: () => {
          host.refuseConnections(false);
          return `The host of ${host.name} takes connections again.`;
        },
      };
    }),

    'no-return': onHost((host) => {
      host.nextBoot('never');
      return {
        broken: `The host of ${host.name} will not come back from its next reboot.`,
        mend: () => {
          host.nextBoot('as-usual');
          host.powerOn();
          return `The host of ${host.name} boots as usual.`;
        },
      };
    }),

    'fail-script': onHost((host) => {
      const marker = join(host.directory, failNextFile);
      writeFileSync(marker, '');
      return {
        broken: `The next upgrade on ${host.name} fails half-way.`,
        mend: () => {
          rmSync(marker, { force: true });
          return `The next upgrade on ${host.name} goes as usual.`;
        },
      };
    }),

    'cut-api': () => {
      const heal = api.cut();
      return {
        subject: '',
        broken: 'The API server breaks every connection off.',
        mend: () => {
          heal();
          return 'The API server answers again.';
        },
      };
    },

    'throttle-api': () => {
      const heal = api.refuse(429);
      return {
        subject: '',
        broken: 'The API server answers 429 (too many requests) to everything.',
        mend: () => {
          heal();
          return 'The API server answers as usual again.';
        },
      };
    },

    'lose-watches': () => {
      api.breakWatches();
      return { subject: '', broken: 'Every open watch was broken off.', mend: undefined };
    },
  };
}
