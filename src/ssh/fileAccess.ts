import { TurnusError } from '../turnusError.js';

/** Who may do what with a file. */
export interface FileAccess {
  /** Permission bits, such as 0o600. */
  readonly mode: number;
  /** It belongs to the user that this process runs as. */
  readonly isOwn: boolean;
}

/** Access of the file behind a path; undefined where it cannot be told, for example because the file is missing. */
export type AccessTo = (path: string) => Promise<FileAccess | undefined>;

/**
 * Refuses a secret that other users of this machine could read, as OpenSSH does (authfile.c `sshkey_perm_ok`): only
 * where the file is this user's own, so that files mounted from a Secret, which belong to root, are accepted.
 *
 * @throws TurnusError `secret-open-to-others`
 */
export async function refuseOpenSecret(path: string, what: string, accessTo: AccessTo): Promise<void> {
  const access = await accessTo(path);
  if (access?.isOwn !== true || (access.mode & 0o077) === 0) return;
  throw new TurnusError({
    code: 'secret-open-to-others',
    message: `${what} ${path} is open to other users of this machine (mode ${access.mode.toString(8).padStart(4, '0')})`,
    hint: `Run "chmod 600 ${path}"; if others had access to it, use a new key.`,
  });
}
