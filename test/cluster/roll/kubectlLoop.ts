import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster } from '../cluster.js';
import { ensureKubectl } from '../binaries.js';
import { maintenanceUserName } from '../hosts/host.js';
import type { Hosts } from '../hosts/startHosts.js';
import { updateScript } from './updateScript.js';

/**
 * Writes the loop that a platform team writes for itself: drain, script, reboot, wait for the new boot and Ready,
 * uncordon, the next. Answers its path; it is run by bash.
 */
export async function writeKubectlLoop({ cluster, hosts }: { cluster: Cluster; hosts: Hosts }): Promise<string> {
  const kubectl = await ensureKubectl();
  const scriptPath = join(cluster.directory, 'update.sh');
  await writeFile(scriptPath, updateScript, { mode: 0o755 });
  const ssh = [
    'ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o LogLevel=ERROR',
    `-o UserKnownHostsFile=${hosts.knownHostsPath} -i ${hosts.identityPath} -p ${hosts.port} -l ${maintenanceUserName}`,
  ].join(' ');
  const nodes = cluster.nodeNames.map((node) => `${node}=${hosts.host(node).address}`).join(' ');
  const path = join(cluster.directory, 'loop.sh');
  await writeFile(
    path,
    `#!/bin/bash
set -eu
export TURNUS_RESULT=/dev/null TURNUS_RUN=loop
boot_id() { ${kubectl} get node "$1" -o 'jsonpath={.status.nodeInfo.bootID}'; }
for pair in ${nodes}; do
  node=\${pair%%=*} address=\${pair#*=}
  ${kubectl} drain "$node" --ignore-daemonsets --delete-emptydir-data --force
  before=$(boot_id "$node")
  ${ssh} "$address" "sudo env TURNUS_NODE=$node TURNUS_RUN=loop TURNUS_RESULT=/dev/null sh -s" < ${scriptPath}
  ${ssh} "$address" 'sudo reboot' || true
  until [ "$(boot_id "$node")" != "$before" ]; do sleep 1; done
  ${kubectl} wait --for=condition=Ready "node/$node" --timeout=5m
  ${kubectl} uncordon "$node"
done
`,
  );
  return path;
}
