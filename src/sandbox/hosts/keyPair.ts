import ssh2 from 'ssh2';

/** An ed25519 key pair: the private key in OpenSSH form, the public one as a line of authorized_keys. */
export interface KeyPair {
  readonly private: string;
  readonly public: string;
}

/**
 * A new key pair. ssh2 1.17 drops leading zero bytes when it makes ed25519 keys, so about one in 200 cannot be read:
 * such a pair is made again.
 */
export function createKeyPair(): KeyPair {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (readKey(pair.private) !== undefined && readKey(pair.public) !== undefined) return pair;
  }
}

/** The key in a text; undefined where there is none, or only one with a passphrase. */
export function readKey(text: string): ssh2.ParsedKey | undefined {
  const parsed: unknown = ssh2.utils.parseKey(text);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isKey(key) ? key : undefined;
}

function isKey(key: unknown): key is ssh2.ParsedKey {
  return typeof key === 'object' && key !== null && !(key instanceof Error) && 'getPublicSSH' in key;
}
