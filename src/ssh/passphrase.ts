import { TurnusError } from '../turnusError.js';
import { refuseOpenSecret, type AccessTo } from './fileAccess.js';

/** A passphrase that a person or a program has made is far shorter: this file is another one. */
const maximumCharacters = 1024;

/**
 * The passphrase of the private key, from a file of one line. Neither it nor a part of it is ever in an error.
 *
 * @throws TurnusError `identity-passphrase-missing`, `identity-passphrase-unreadable`, `identity-passphrase-unusable`,
 * `secret-open-to-others`
 */
export async function loadPassphrase(
  path: string,
  readFile: (path: string) => Promise<string>,
  accessTo: AccessTo,
): Promise<string> {
  const text = await readFile(path).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const isMissing = code === 'ENOENT';
    throw new TurnusError({
      code: isMissing ? 'identity-passphrase-missing' : 'identity-passphrase-unreadable',
      message: `The passphrase file ${path} ${isMissing ? 'is not there' : `cannot be read (${code})`}`,
      hint: `Correct spec.host.ssh.identityPassphrase in the playbook, or ${isMissing ? 'make the file' : 'let this user read the file'}.`,
    });
  });
  await refuseOpenSecret(path, 'The passphrase file', accessTo);
  const passphrase = text.replace(/\r?\n$/, '');
  if (passphrase === '' || passphrase.length > maximumCharacters || /[\r\n\0]/.test(passphrase)) {
    throw new TurnusError({
      code: 'identity-passphrase-unusable',
      message: `The passphrase file ${path} does not hold one line of at most ${String(maximumCharacters)} characters`,
      hint: 'Write the passphrase into it and nothing else; one line end after it does not count.',
    });
  }
  return passphrase;
}
