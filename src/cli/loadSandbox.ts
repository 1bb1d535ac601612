import { TurnusError } from '../turnusError.js';

/**
 * The sandbox. Images of Turnus leave it out (deploy/Dockerfile).
 *
 * @throws TurnusError `sandbox-left-out`
 */
export async function loadSandbox() {
  try {
    return await import('../sandbox/openSandbox.js');
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new TurnusError({
      code: 'sandbox-left-out',
      message: 'This installation of Turnus has no sandbox: images leave it out.',
      hint: 'Use a checkout or an installation from the package.',
      cause,
    });
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND';
}
