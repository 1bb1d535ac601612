import { TurnusError } from '../../turnusError.js';
import type { OwnedHost } from './sandboxHost.js';

type Listener = Pick<OwnedHost, 'address' | 'listen' | 'stopListening'>;

const attempts = 20;

/**
 * Opens every host at the same port: at the wanted one, or at one that is free on the first and then proves to be free
 * on all.
 *
 * @throws TurnusError `sandbox-port-taken`, `sandbox-address-missing`
 */
export async function listenAtOnePort(hosts: readonly Listener[], wanted: number | undefined): Promise<number> {
  let port = wanted ?? 0;
  for (let attempt = 1; ; attempt += 1) {
    let current: Listener | undefined;
    try {
      for (current of hosts) port = await current.listen(port);
      return port;
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE') || wanted !== undefined || attempt >= attempts)
        throw listenFailure(error, `${current?.address ?? ''} port ${String(port)}`);
      for (const host of hosts) host.stopListening();
      port = 0;
    }
  }
}

function listenFailure(error: unknown, place: string): unknown {
  if (hasCode(error, 'EADDRINUSE') || hasCode(error, 'EACCES')) {
    return new TurnusError({
      code: 'sandbox-port-taken',
      message: `The hosts of the sandbox cannot answer at ${place}: ${hasCode(error, 'EACCES') ? 'this user may not use the port' : 'another program does'}`,
      hint: 'Name another port, or none: then a free one is taken.',
      cause: error,
    });
  }
  if (hasCode(error, 'EADDRNOTAVAIL')) {
    return new TurnusError({
      code: 'sandbox-address-missing',
      message: `The hosts of the sandbox cannot answer at ${place}: this machine has no such address`,
      hint: 'Run the sandbox on Linux, where every address of 127.0.0.0/8 is there, or in a Linux container.',
      cause: error,
    });
  }
  return error;
}

/** The system's name of an error. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
