import { conditionGate } from '../../gates/conditionGate.js';
import type { Finding } from '../../gates/finding.js';
import { isDeadlineExceeded } from '../../time/clock.js';
import { readConditions } from '../readConditions.js';
import type { TurnContext } from '../turnContext.js';

const pollMs = 5000;

/**
 * Waits until the conditions of the cluster hold, or the time is over, or one can no longer be read; the caller asks
 * the gates again. The node is in service all the while. `findings` are those with which the wait begins.
 */
export async function awaitConditions(
  turn: TurnContext,
  wait: { readonly findings: readonly Finding[]; readonly leftMs: number },
  signal: AbortSignal,
): Promise<void> {
  const { cluster, clock, nodeName: node } = turn;
  const { conditions } = turn.playbook.gates.clusterHealth;
  const untilMs = clock.now() + wait.leftMs;
  const deadline = clock.deadline(wait.leftMs, signal);
  try {
    let awaited = wait.findings.filter(isAwaited);
    while (awaited.length > 0) {
      turn.waiting({ ...inWords(awaited), untilMs });
      await clock.sleep(pollMs, deadline.signal);
      const found = conditionGate({ conditions: await readConditions({ cluster, conditions }, deadline.signal), node });
      awaited = found.every(isAwaited) ? [...found] : [];
    }
  } catch (error) {
    if (!isDeadlineExceeded(deadline.signal) || signal.aborted) throw error;
  } finally {
    deadline.clear();
    turn.waiting(undefined);
  }
}

/** Whether the finding may pass while the turn waits for the conditions. */
export function isAwaited({ code }: Finding): boolean {
  return code === 'cluster-not-healthy';
}

/** So many findings are told; all of them stand in the turn's findings. */
const told = 3;

function inWords(findings: readonly Finding[]): { what: string; who: string } {
  const more = findings.length > told ? ` (and ${findings.length - told} more)` : '';
  const objects = [...new Set(findings.flatMap((finding) => finding.objects))].slice(0, told);
  const messages = findings.slice(0, told).map(({ message }) => message.replace(/\.$/, ''));
  return {
    what: `the cluster to be well: ${messages.join(', and ')}${more}`,
    who: `whoever looks after ${objects.join(', ')}`,
  };
}
