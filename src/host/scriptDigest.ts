import { createHash } from 'node:crypto';

/** SHA-256 of a script as UTF-8, hex. */
export function scriptDigest(script: string): string {
  return createHash('sha256').update(script).digest('hex');
}
