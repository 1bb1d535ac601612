import { createHmac } from 'node:crypto';

/**
 * The value of header `Turnus-Signature`: when it was signed (Unix seconds) and the HMAC-SHA-256, in hexadecimal, over
 * that number, a full stop and the body. The time stands in what is signed, so that an old message cannot be sent again.
 */
export function signatureOf(signed: {
  readonly body: string;
  readonly key: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}): string {
  const seconds = String(Math.floor(signed.now / 1000));
  const digest = createHmac('sha256', signed.key).update(`${seconds}.${signed.body}`).digest('hex');
  return `t=${seconds},v1=${digest}`;
}

export const signatureHeader = 'Turnus-Signature';
