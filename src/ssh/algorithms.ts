import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';

/** Signatures of host keys that are accepted, by key type. SHA-1 (`ssh-rsa`) and DSA are not among them. */
const signaturesOf: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * What is offered to a host. No SHA-1, no CBC; chacha20-poly1305 is left out because it is one of the two modes that
 * CVE-2023-48795 attacks, and every OpenSSH since 6.2 has AES-GCM. Host key types that are known for the host come first.
 */
export function algorithmsFor(preferredKeyTypes: readonly string[]): Algorithms {
  const keyTypes = new Set([...preferredKeyTypes, ...Object.keys(signaturesOf)]);
  return {
    kex: [
      'curve25519-sha256',
      'curve25519-sha256@libssh.org',
      'ecdh-sha2-nistp256',
      'ecdh-sha2-nistp384',
      'ecdh-sha2-nistp521',
      'diffie-hellman-group16-sha512',
      'diffie-hellman-group18-sha512',
      'diffie-hellman-group14-sha256',
    ],
    serverHostKey: [...keyTypes].flatMap((keyType) => signaturesOf[keyType] ?? []),
    cipher: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'],
    hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
    compress: ['none'],
  };
}
