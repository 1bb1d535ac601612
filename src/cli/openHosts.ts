import { readFile } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import type { HostPorts } from '../host/hostPort.js';
import type { Playbook } from '../playbook/playbook.js';
import { say, type CommandIo } from './io.js';

/** The hosts of the playbook, reached over SSH with what this machine has to log in. */
export async function openHosts(io: CommandIo, playbook: Playbook): Promise<HostPorts> {
  const { createSshHosts } = await import('../ssh/sshHosts.js');
  return await createSshHosts({
    policy: playbook.host.ssh,
    readFile: (path) => readFile(path, 'utf8'),
    agentSocket: io.env['SSH_AUTH_SOCK'],
    clock: io.clock,
    scripts: Object.values(playbook.host.scripts).map(({ path, content }) => ({ name: basename(path), content })),
    onProblem: (text) => {
      say(io, `warning: ${text}`);
    },
  });
}
