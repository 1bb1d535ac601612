import { basename } from 'node:path/posix';
import type { HostPorts } from '../host/hostPort.js';
import type { Playbook } from '../playbook/playbook.js';
import { homeDirectory, say, type CommandIo } from './io.js';
import { machineFiles, type PlaybookFiles } from './playbookFiles.js';

/** The hosts of the playbook, reached over SSH with what this machine, or whoever has the files, has to log in. */
export async function openHosts(
  io: CommandIo,
  playbook: Playbook,
  files: PlaybookFiles = machineFiles,
): Promise<HostPorts> {
  const { createSshHosts } = await import('../ssh/sshHosts.js');
  return await createSshHosts({
    policy: playbook.host.ssh,
    readFile: files.readText,
    accessTo: files.accessTo,
    homeDirectory: homeDirectory(io),
    agentSocket: io.env['SSH_AUTH_SOCK'],
    clock: io.clock,
    scripts: Object.values(playbook.host.scripts).map(({ path, content }) => ({ name: basename(path), content })),
    onProblem: (text) => {
      say(io, `warning: ${text}`);
    },
  });
}
