import { Argument, type Command } from 'commander';
import type { FaultName } from '../sandbox/faults.js';
import type { BreakOptions } from './sandboxBreak.js';
import type { CommandIo } from './io.js';

/** Every fault of a sandbox: what it is about, and what it does. */
export const faultWords: Readonly<Record<FaultName, { readonly subject: string; readonly does: string }>> = {
  'hang-host': { subject: 'NODE', does: 'the host takes connections and gives no answer' },
  'lose-host': { subject: 'NODE', does: 'the host refuses connections' },
  'no-return': { subject: 'NODE', does: 'its next reboot is one without return' },
  'fail-script': { subject: 'NODE', does: 'the next upgrade on the host fails half-way' },
  'silence-kubelet': { subject: 'NODE', does: 'the kubelet is not heard any more' },
  'block-budget': { subject: '[BUDGET]', does: 'the budget (default: shop/web) allows no eviction' },
  unready: { subject: 'WORKLOAD', does: 'the pods of the workload are not Ready any more' },
  'cut-api': { subject: '', does: 'the API server breaks every connection off' },
  'throttle-api': { subject: '', does: 'the API server answers 429 to everything' },
  'lose-watches': { subject: '', does: 'every watch breaks off, once' },
};

/** Registers `sandbox` with `break` and `mend`, and `demo`. */
export function addSandbox(program: Command, io: CommandIo, ended: (exitCode: number) => void): void {
  const sandbox = program
    .command('sandbox')
    .description('Runs a cluster of played nodes with SSH hosts on this machine, to try Turnus on, until Ctrl-C.')
    .option('--nodes <count>', 'nodes, 3 to 20', '6')
    .option('--port <port>', 'port of the API server on 127.0.0.1; default: a free one')
    .action(async (options) => {
      const { sandboxCommand } = await import('./sandbox.js');
      ended(await sandboxCommand(io, options as Parameters<typeof sandboxCommand>[1]));
    });
  sandbox
    .command('break')
    .description('Breaks something in a running sandbox.')
    .addArgument(new Argument('<what>', 'the fault').choices(Object.keys(faultWords)))
    .argument('[subject]', 'the node, budget or workload that it is about')
    .option('--for <duration>', 'mend it after this time, such as 20s')
    .option('--kubeconfig <file>', 'kubeconfig of the sandbox; default: $KUBECONFIG')
    .addHelpText('after', `\nFaults:\n${faultLines().join('\n')}`)
    .action(async (what: FaultName, subject: string | undefined, options: BreakOptions) => {
      const { breakCommand } = await import('./sandboxBreak.js');
      ended(await breakCommand(io, { what, subject, options }));
    });
  sandbox
    .command('mend')
    .description('Mends what was broken in a running sandbox.')
    .addArgument(new Argument('[what]', 'the fault; default: every one').choices(Object.keys(faultWords)))
    .option('--kubeconfig <file>', 'kubeconfig of the sandbox; default: $KUBECONFIG')
    .action(async (what: FaultName | undefined, options: BreakOptions) => {
      const { mendCommand } = await import('./sandboxBreak.js');
      ended(await mendCommand(io, { what, options }));
    });
  program
    .command('demo')
    .description('Shows a whole run in less than a minute, on a cluster of its own that it takes away again.')
    .option('--output <directory>', 'where the journal is left; default: ./turnus-demo-<time>')
    .option('--fast', 'no pauses for reading, and lines instead of the live view', false)
    .action(async (options) => {
      const { demoCommand } = await import('./demo.js');
      ended(await demoCommand(io, options as Parameters<typeof demoCommand>[1]));
    });
}

/** One line a fault, as the help has them. */
export function faultLines(): string[] {
  return Object.entries(faultWords).map(([name, { subject, does }]) => `  ${`${name} ${subject}`.padEnd(24)}  ${does}`);
}
