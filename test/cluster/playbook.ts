import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from './cluster.js';
import { maintenanceUserName } from './hosts/host.js';
import type { Hosts } from './hosts/startHosts.js';

/** An update that changes nothing, counts itself in /srv/host/updates, and asks for a reboot. */
export const countingUpdate = `#!/bin/sh
set -eu
echo "$TURNUS_RUN $TURNUS_NODE" >> /srv/host/updates
{
  echo changed=yes
  echo reboot=required
} > "$TURNUS_RESULT"
`;

/** Writes a playbook for this cluster and its hosts, and the script it runs; answers the playbook's path. */
export async function writePlaybook({ cluster, hosts }: { cluster: Cluster; hosts: Hosts }): Promise<string> {
  const scriptPath = join(cluster.directory, 'update.sh');
  await writeFile(scriptPath, countingUpdate, { mode: 0o755 });
  const path = join(cluster.directory, 'playbook.yaml');
  await writeFile(
    path,
    `apiVersion: turnus.dev/v1alpha1
kind: Playbook
metadata: { name: monthly }
spec:
  cluster: { uid: ${cluster.uid} }
  schedule: { timeZone: Europe/Zurich }
  drain: { timeout: 2m }
  host:
    ssh:
      user: ${maintenanceUserName}
      port: ${hosts.port}
      address: InternalIP
      knownHosts: { path: ${hosts.knownHostsPath} }
      identity: { path: ${hosts.identityPath} }
      sudo: true
    update: { script: { path: ${scriptPath} }, timeout: 2m }
    reboot: { when: required, timeout: 2m }
  health: { consecutive: 2, interval: 1s, timeout: 1m }
  settle: { time: 2s, timeout: 2m }
`,
  );
  return path;
}
