import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Cluster } from './cluster.js';
import { maintenanceUserName } from './hosts/host.js';
import type { Hosts } from './hosts/startHosts.js';

/** An update that changes nothing, counts itself in /srv/host/updates, and asks for a reboot. */
export const countingUpdate = updateScript('');

/** {@link countingUpdate} with further commands between the count and the answer. */
export function updateScript(commands: string): string {
  return `#!/bin/sh
set -eu
echo "$TURNUS_RUN $TURNUS_NODE" >> /srv/host/updates
${commands}
{
  echo changed=yes
  echo reboot=required
} > "$TURNUS_RESULT"
`;
}

type Fields = Record<string, unknown>;

export interface PlaybookOptions {
  cluster: Pick<Cluster, 'uid' | 'directory'>;
  hosts: Pick<Hosts, 'port' | 'knownHostsPath' | 'identityPath'>;
  /** Of the playbook and of its files; `monthly`. Runs of other playbooks are other runs. */
  name?: string;
  /** The update script; {@link countingUpdate}. */
  script?: string;
  /** The nodes it is about; absent: all that are not control plane. */
  nodes?: string[];
  /** Fields below `spec`, merged into the others; undefined takes a field away. */
  spec?: Fields;
}

/** Writes a playbook for this cluster and its hosts, and the script it runs; answers the playbook's path. */
export async function writePlaybook(options: PlaybookOptions): Promise<string> {
  const { cluster, hosts, name = 'monthly', script = countingUpdate, nodes, spec = {} } = options;
  const scriptPath = join(cluster.directory, `${name}.sh`);
  await writeFile(scriptPath, script, { mode: 0o755 });
  const usual = {
    cluster: { uid: cluster.uid },
    schedule: { timeZone: 'Europe/Zurich' },
    ...(nodes === undefined ? {} : { nodes: { selector: `kubernetes.io/hostname in (${nodes.join(',')})` } }),
    drain: { timeout: '1m' },
    host: {
      ssh: {
        user: maintenanceUserName,
        port: hosts.port,
        address: 'InternalIP',
        knownHosts: { path: hosts.knownHostsPath },
        identity: { path: hosts.identityPath },
        sudo: true,
      },
      update: { script: { path: scriptPath }, timeout: '2m' },
      reboot: { when: 'required', timeout: '1m' },
    },
    health: { consecutive: 2, interval: '500ms', timeout: '1m' },
    settle: { time: '1s', timeout: '1m' },
  };
  const path = join(cluster.directory, `${name}.yaml`);
  const playbook = {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { name },
    spec: merged(usual, spec),
  };
  await writeFile(path, stringify(playbook));
  return path;
}

function merged(usual: Fields, changes: Fields): Fields {
  const result = new Map(Object.entries(usual));
  for (const [key, change] of Object.entries(changes)) {
    const before = result.get(key);
    if (change === undefined) result.delete(key);
    else result.set(key, isFields(before) && isFields(change) ? merged(before, change) : change);
  }
  return Object.fromEntries(result);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
