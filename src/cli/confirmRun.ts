import { createInterface } from 'node:readline/promises';
import type { Prepared } from '../run/prepareRun.js';
import { TurnusError } from '../turnusError.js';
import type { CommandIo } from './io.js';
import type { Stopping } from './stopOnSignals.js';

/**
 * Asks whether the run shall start; only "yes" starts it.
 *
 * @throws TurnusError `not-confirmed` where nobody can be asked
 */
export async function confirmRun(io: CommandIo, run: { prepared: Prepared; stopping: Stopping }): Promise<boolean> {
  const { prepared, stopping } = run;
  if (!io.stdin.isTTY) {
    throw new TurnusError({
      code: 'not-confirmed',
      message: 'There is no terminal to ask on.',
      hint: 'Give --yes to start the run without a question.',
    });
  }
  const { target, clusterUid } = prepared.plan;
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  // While it is asked, the terminal hands Ctrl-C over as a key, not as a signal.
  terminal.on('SIGINT', () => {
    stopping.stop('SIGINT');
  });
  try {
    const answer = await terminal.question(
      `Start run ${prepared.plan.run} on ${target.server} (context ${target.context}, cluster ${clusterUid})? Only "yes" starts it: `,
      { signal: stopping.signal },
    );
    return answer.trim() === 'yes';
  } catch (error) {
    stopping.signal.throwIfAborted();
    // Ctrl-D is no answer.
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  } finally {
    terminal.close();
  }
}
