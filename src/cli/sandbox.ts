import { once } from 'node:events';
import type { Sandbox } from '../sandbox/openSandbox.js';
import { exitCodeOfSignal } from '../run/runEnd.js';
import { TurnusError } from '../turnusError.js';
import { faultLines } from './faultWords.js';
import { holdSignals } from './heldSignals.js';
import { print, say, type CommandIo } from './io.js';
import { loadSandbox } from './loadSandbox.js';

/** `turnus sandbox`: a sandbox that lasts until a signal comes. Leaves no process and no file. */
export async function sandboxCommand(
  io: CommandIo,
  options: { readonly nodes: string; readonly port?: string },
): Promise<number> {
  const nodes = wholeNumber(options.nodes, { option: '--nodes', least: 3, most: 20 });
  const port = options.port === undefined ? 0 : wholeNumber(options.port, { option: '--port', least: 1, most: 65_535 });
  const signals = holdSignals(io);
  say(io, `Starting a sandbox of ${String(nodes)} nodes. Everything of it is on this machine.`);
  if (process.getuid?.() === 0) {
    say(
      io,
      'warning: it runs as root, and scripts on its hosts have the rights of this user. One that leaves the PATH it is given (a login shell, /sbin/reboot) means this machine; any other user is as good for a sandbox.',
    );
  }
  const { openSandbox } = await loadSandbox();
  const { handsOnPace } = await import('../sandbox/scene/scenePace.js');
  let sandbox: Sandbox | undefined;
  try {
    sandbox = await openSandbox({ nodes, port, pace: handsOnPace, clock: io.clock }, signals.signal);
    await print(io, guide(sandbox).join('\n'));
    if (!signals.signal.aborted) await once(signals.signal, 'abort');
  } catch (error) {
    if (!signals.signal.aborted) throw error;
  } finally {
    if (sandbox !== undefined) {
      say(io, 'Taking the sandbox away.');
      await sandbox.close();
    }
  }
  return exitCodeOfSignal[signals.stoppedBy() ?? 'SIGINT'];
}

/** How to reach the sandbox, and what to try. */
function guide({ kubeconfigPath, playbookPath, nodes, stuck }: Sandbox): string[] {
  const { namespace, name, mendedReplicas } = stuck;
  return [
    '',
    `The sandbox is ready: ${String(nodes.length)} nodes, ${nodes[0] ?? ''} to ${nodes.at(-1) ?? ''}. In another terminal:`,
    '',
    `  export KUBECONFIG=${kubeconfigPath}`,
    `  export PLAYBOOK=${playbookPath}`,
    '',
    '  turnus plan -f $PLAYBOOK              # one node cannot go, and why',
    '  turnus sandbox mend block-budget      # its team mends it, or with kubectl:',
    `    kubectl -n ${namespace} scale deployment ${name} --replicas=${String(mendedReplicas)}`,
    '  turnus run -f $PLAYBOOK --journal run.ndjson',
    '  turnus status --watch                 # where it stands, from anywhere',
    '  turnus journal verify run.ndjson',
    '',
    '  kubectl get nodes,pods,pdb,nodeturns -A',
    '  kubectl get pods -A --watch',
    '',
    'While a run is on, break something with turnus sandbox break:',
    '',
    ...faultLines(),
    '',
    'turnus sandbox mend takes all of it back. docs/sandbox.md: what to try, and what',
    'of all this is real. Ctrl-C ends the sandbox and takes everything of it away.',
  ];
}

function wholeNumber(text: string, wanted: { option: string; least: number; most: number }): number {
  const { option, least, most } = wanted;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new TurnusError({
    code: 'usage',
    message: `${option} takes a whole number from ${String(least)} to ${String(most)}, not ${JSON.stringify(text)}.`,
  });
}
