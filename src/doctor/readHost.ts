import type { NodeView } from '../cluster/view.js';
import type { HostAnswer, HostPort, HostPorts } from '../host/hostPort.js';
import type { SshPolicy } from '../playbook/playbook.js';
import { addressOf } from '../run/hostAddress.js';
import type { Clock } from '../time/clock.js';
import { bounded } from './bounded.js';
import type { HostReading } from './hostChecks.js';
import { missingCommand } from './interpreters.js';

/** A host that has not answered until then is reported so; connecting alone may take half of it. */
const askWithinMs = 30_000;

/** Logs in to the host behind a node and looks. Changes nothing there. */
export async function readHost(
  asked: {
    readonly node: NodeView;
    readonly hosts: HostPorts;
    readonly ssh: Pick<SshPolicy, 'address'>;
    readonly interpreters: readonly string[];
    readonly clock: Clock;
  },
  signal: AbortSignal,
): Promise<HostReading> {
  const { node, hosts, ssh, interpreters, clock } = asked;
  const address = addressOf(node, ssh.address);
  const askedAtMs = clock.now();
  if (address === undefined) {
    return { node, address, answer: undefined, askedAtMs, answeredAtMs: askedAtMs, missingInterpreters: undefined };
  }
  const host = hosts.hostOf({ name: node.name, address });
  const within = async <T>(ask: (signal: AbortSignal) => Promise<HostAnswer<T>>): Promise<HostAnswer<T>> =>
    await bounded(
      {
        clock,
        withinMs: askWithinMs,
        ask,
        late: (message): HostAnswer<T> => ({ kind: 'unreachable', message: `${node.name} (${address}): ${message}` }),
      },
      signal,
    );
  const answer = await within((until) => host.inspect(until));
  const answeredAtMs = clock.now();
  const missingInterpreters =
    answer.kind === 'ok' && answer.value.root && interpreters.length > 0
      ? await within((until) => interpretersMissingOn(host, interpreters, until))
      : undefined;
  return { node, address, answer, askedAtMs, answeredAtMs, missingInterpreters };
}

async function interpretersMissingOn(
  host: HostPort,
  interpreters: readonly string[],
  signal: AbortSignal,
): Promise<HostAnswer<readonly string[]>> {
  const answer = await host.check(missingCommand(interpreters), signal);
  if (answer.kind !== 'ok') return answer;
  const { exitCode, output } = answer.value;
  if (exitCode !== 0)
    return { kind: 'command-failed', message: `The command ended with exit code ${String(exitCode)}.` };
  const said = output.split('\n').map((line) => line.trim());
  return { kind: 'ok', value: interpreters.filter((name) => said.includes(name)) };
}
