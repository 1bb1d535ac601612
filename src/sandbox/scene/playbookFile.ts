import { stringify } from 'yaml';
import { nextKernel, runningKernel } from './nodes.js';
import type { ScenePace } from './scenePace.js';

/** Names of the files beside the playbook. */
export const sceneFiles = {
  playbook: 'playbook.yaml',
  script: 'upgrade.sh',
  knownHosts: 'known_hosts',
  identity: 'client_key',
} as const;

/** The month's maintenance of the sandbox, as a team would write it. */
export function playbookText(parts: {
  readonly clusterUid: string;
  readonly ssh: { readonly user: string; readonly port: number };
  readonly pace: ScenePace;
}): string {
  const { clusterUid, ssh, pace } = parts;
  const playbook = {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { name: 'monthly' },
    spec: {
      cluster: { uid: clusterUid },
      drain: { timeout: '2m', jobPodsLimit: '2m' },
      host: {
        ssh: {
          user: ssh.user,
          port: ssh.port,
          knownHosts: { path: `./${sceneFiles.knownHosts}` },
          identity: { path: `./${sceneFiles.identity}` },
        },
        update: { script: { path: `./${sceneFiles.script}` }, timeout: '1m' },
        reboot: { when: 'required', timeout: '1m' },
      },
      health: { consecutive: 2, interval: `${String(pace.healthIntervalMs)}ms`, timeout: '1m' },
      settle: { time: `${String(pace.settleMs)}ms`, timeout: '2m' },
    },
  };
  return `# The monthly maintenance of this sandbox; every other field has its default (docs/playbook.md).\n${stringify(playbook)}`;
}

/** While it is in the directory of a host, the next upgrade there fails. */
export const failNextFile = 'fail-next-upgrade';

/** What a package manager would do in minutes: old version, new version. */
const packages = [
  ['openssl', '3.5.1-1', '3.5.4-1'],
  ['systemd', '257.7-1', '257.9-1'],
  ['linux-image-amd64', runningKernel, nextKernel],
] as const;

/** A stand-in for an upgrade that runs on each host: it writes a list of packages and asks for the reboot where that brings a new kernel. */
export function upgradeScript(pace: ScenePace): string {
  const pause = pace.upgradeMs === 0 ? '' : `\n  sleep ${(pace.upgradeMs / packages.length / 1000).toFixed(2)}`;
  const [first = '', ...others] = packages.map(([name, before, after]) => `upgrade ${name} ${before} ${after}`);
  return `#!/bin/sh
# A stand-in for an upgrade, so that nothing of this machine is changed: it keeps a list of packages in the directory of
# the host, and answers as playbooks/scripts/debian-upgrade.sh does.
set -eu

result=\${TURNUS_RESULT:?names the file for the answers; Turnus sets it}
host=\${TURNUS_SANDBOX_HOST:?is the directory of this host, on the hosts of a sandbox}

upgrade() { # package, old version, new version
  echo "upgrading $1 from $2 to $3"${pause}
  printf '%s %s\\n' "$1" "$3" >>"$host/packages"
  printf 'version.%s.before=%s\\nversion.%s.after=%s\\n' "$1" "$2" "$1" "$3" >>"$result"
}

echo "$TURNUS_NODE: upgrading for run $TURNUS_RUN"
printf 'changed=yes\\nversion.kernel.before=%s\\n' "$(uname -r)" >>"$result"
${first}
if rm "$host/${failNextFile}" 2>/dev/null; then
  echo 'E: dpkg was interrupted (turnus sandbox break fail-script)' >&2
  exit 1
fi
${others.join('\n')}
echo ${nextKernel} >"$host/boot/kernel"
echo version.kernel.after=${nextKernel} >>"$result"
if [ "$(uname -r)" = ${nextKernel} ]; then
  echo 'the kernel of the next boot runs already: no reboot required'
  echo reboot=no >>"$result"
else
  echo 'the next boot takes another kernel: reboot required'
  echo reboot=required >>"$result"
fi
`;
}
