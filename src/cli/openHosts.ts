import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path/posix';
import type { HostPorts } from '../host/hostPort.js';
import type { FileAccess } from '../ssh/fileAccess.js';
import type { Playbook } from '../playbook/playbook.js';
import { homeDirectory, say, type CommandIo } from './io.js';

/** The hosts of the playbook, reached over SSH with what this machine has to log in. */
export async function openHosts(io: CommandIo, playbook: Playbook): Promise<HostPorts> {
  const { createSshHosts } = await import('../ssh/sshHosts.js');
  return await createSshHosts({
    policy: playbook.host.ssh,
    readFile: (path) => readFile(path, 'utf8'),
    accessTo,
    homeDirectory: homeDirectory(io),
    agentSocket: io.env['SSH_AUTH_SOCK'],
    clock: io.clock,
    scripts: Object.values(playbook.host.scripts).map(({ path, content }) => ({ name: basename(path), content })),
    onProblem: (text) => {
      say(io, `warning: ${text}`);
    },
  });
}

async function accessTo(path: string): Promise<FileAccess | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : { mode: found.mode & 0o777, isOwn: found.uid === process.getuid?.() };
}
