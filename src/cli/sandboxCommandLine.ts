import { Argument, type Command } from 'commander';
import type { FaultName } from '../sandbox/faults.js';
import { faultLines, faultWords } from './faultWords.js';
import type { CommandIo } from './io.js';
import type { BreakOptions } from './sandboxBreak.js';

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
