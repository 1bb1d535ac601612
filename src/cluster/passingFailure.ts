import type { ApiFailure } from './clusterPort.js';

/** A failure that the same request may not meet again: the API server is away or busy for a moment. */
export function isPassing(failure: ApiFailure): boolean {
  switch (failure.kind) {
    case 'unreachable':
    case 'throttled':
      return true;
    case 'refused':
      return failure.status >= 500;
    case 'not-found':
    case 'already-exists':
    case 'conflict':
    case 'gone':
    case 'forbidden':
    case 'invalid':
      return false;
  }
}
