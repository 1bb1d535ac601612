import { TurnusError } from '../turnusError.js';
import type { AccessTo } from './fileAccess.js';
import { parseSshConfig, type SshConfigFile } from './sshConfigFile.js';

const maximumCharacters = 1024 * 1024;

/**
 * Reads the ssh_config file of the playbook. One that others may change is refused, as OpenSSH does (readconf.c): they
 * could say as whom and by which way we log in.
 *
 * @throws TurnusError `ssh-config-missing`, `ssh-config-unreadable`, `ssh-config-too-large`, `ssh-config-writable`
 */
export async function loadSshConfig(
  path: string,
  { readFile, accessTo }: { readonly readFile: (path: string) => Promise<string>; readonly accessTo: AccessTo },
): Promise<SshConfigFile> {
  const access = await accessTo(path);
  if (access !== undefined && (access.mode & 0o022) !== 0) {
    throw new TurnusError({
      code: 'ssh-config-writable',
      message: `Other users of this machine may change the ssh_config file ${path}`,
      hint: `Look through it, then run "chmod go-w ${path}".`,
    });
  }
  const text = await readFile(path).catch((error: unknown) => {
    throw notRead(path, error);
  });
  if (text.length > maximumCharacters) {
    throw new TurnusError({
      code: 'ssh-config-too-large',
      message: `The ssh_config file ${path} has more than ${String(maximumCharacters)} characters`,
      hint: 'Name a file that holds what the hosts of this playbook need in spec.host.ssh.config.',
    });
  }
  return parseSshConfig(text, path);
}

function notRead(path: string, error: unknown): TurnusError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const isMissing = code === 'ENOENT';
  return new TurnusError({
    code: isMissing ? 'ssh-config-missing' : 'ssh-config-unreadable',
    message: `The ssh_config file ${path} ${isMissing ? 'is not there' : `cannot be read (${code})`}`,
    hint: `Correct spec.host.ssh.config in the playbook, or ${isMissing ? 'put the file there' : 'let this user read the file'}.`,
    cause: error,
  });
}
