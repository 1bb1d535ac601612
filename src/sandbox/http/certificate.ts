import { TurnusError } from '../../turnusError.js';

export interface ServerCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM; its own authority. */
  readonly certificate: string;
}

const minuteMs = 60_000;
const validDays = 365;

/**
 * A certificate for 127.0.0.1 and localhost that lives as long as the process. kubectl and the Kubernetes client send
 * tokens over TLS only.
 *
 * @throws TurnusError `sandbox-not-installed`
 */
export async function createCertificate(nowMs: number): Promise<ServerCertificate> {
  const { generate } = await loadGenerator();
  const made = await generate([{ name: 'commonName', value: 'turnus-sandbox' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(nowMs - 10 * minuteMs),
    notAfterDate: new Date(nowMs + validDays * 24 * 60 * minuteMs),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key: made.private, certificate: made.cert };
}

/** An optional dependency: nobody who runs maintenance needs it. */
async function loadGenerator() {
  try {
    return await import('selfsigned');
  } catch (cause) {
    throw new TurnusError({
      code: 'sandbox-not-installed',
      message: 'The sandbox needs the package "selfsigned", which is not installed',
      hint: 'Install Turnus with its optional dependencies (without --omit=optional).',
      cause,
    });
  }
}
