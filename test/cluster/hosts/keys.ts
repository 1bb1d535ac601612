import { readFile, writeFile } from 'node:fs/promises';
import { runCommandOk } from '../runCommand.js';

/** An ed25519 key pair in OpenSSH's format. */
export interface KeyPair {
  privatePath: string;
  privateKey: string;
  /** "ssh-ed25519 AAAA... comment" */
  publicKey: string;
}

/** Makes a key pair at `path` and `path.pub`. */
export async function createKeyPair(path: string, comment: string): Promise<KeyPair> {
  await runCommandOk('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
  const privateKey = await readFile(path, 'utf8');
  return { privatePath: path, privateKey, publicKey: (await readFile(`${path}.pub`, 'utf8')).trim() };
}

/** One line of a known_hosts file: "[127.0.7.1]:2201 ssh-ed25519 AAAA...". */
export function knownHostsLine({ address, port, key }: { address: string; port: number; key: KeyPair }): string {
  const [type = '', base64 = ''] = key.publicKey.split(' ');
  return `${port === 22 ? address : `[${address}]:${port}`} ${type} ${base64}`;
}

/** Writes a known_hosts file with the lines of these hosts. */
export async function writeKnownHosts(path: string, hosts: Iterable<{ knownHostsLine: string }>): Promise<void> {
  await writeFile(path, [...hosts].map((host) => `${host.knownHostsLine}\n`).join(''));
}
