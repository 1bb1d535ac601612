import { Option, type Command } from 'commander';
import type { Ask } from '../run/ask.js';
import { bounded, clusterOptions, durationMs, repeated } from './commandOptions.js';
import type { ControlOptions } from './control.js';
import type { CommandIo } from './io.js';

type Ended = (exitCode: number) => void;

/** Registers the commands that ask something of others, and act on no node themselves. */
export function addControl(program: Command, io: CommandIo, ended: Ended): void {
  addAsks(program, io, ended);
  addAccept(program, io, ended);
  addTrigger(program, io, ended);
}

/** The commands that ask something of a run, and leave the acting to the actor. */
function addAsks(program: Command, io: CommandIo, ended: Ended): void {
  const control = async (run: string, ask: Ask, options: ControlOptions) => {
    const { controlCommand } = await import('./control.js');
    ended(await controlCommand(io, { run, ask, options }));
  };
  const command = (nameAndArguments: string, description: string) =>
    clusterOptions(program.command(nameAndArguments))
      .description(description)
      .option('--reason <text>', 'why, for the record', bounded('--reason', 1000));
  command('pause <run>', 'Lets the turns in work finish and starts no other.').action(
    async (run: string, options: ControlOptions) => {
      await control(run, { verb: 'pause' }, options);
    },
  );
  command('resume <run>', 'Lets a run go on that was paused, aborted or stopped by a failure.').action(
    async (run: string, options: ControlOptions) => {
      await control(run, { verb: 'resume' }, options);
    },
  );
  command('abort <run>', 'Ends a run: a turn whose host is untouched is undone, any other finished.')
    .option('--now', 'stop after the present call, and leave the node as it is then', false)
    .action(async (run: string, options: ControlOptions & { now: boolean }) => {
      await control(run, { verb: options.now ? 'abort-now' : 'abort' }, options);
    });
  command('retry <run> <node>', 'Lets a failed turn go on at the step that failed.')
    .option('--again', 'run the script on the host once more', false)
    .action(async (run: string, node: string, options: ControlOptions & { again: boolean }) => {
      await control(run, { verb: options.again ? 'retry-again' : 'retry', node }, options);
    });
  command('skip <run> <node>', 'Leaves a node out of a run.').action(
    async (run: string, node: string, options: ControlOptions) => {
      await control(run, { verb: 'skip', node }, options);
    },
  );
}

/** Beside the other control commands, but who accepts a finding says why. */
function addAccept(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('accept <run> <node> <code>'))
    .description('Takes on what a finding of the gates warns of, for one node in one run. Never a disruption budget.')
    .requiredOption('--reason <text>', 'why, for the record', bounded('--reason', 1000))
    .action(async (run: string, node: string, code: string, options: ControlOptions) => {
      const { controlCommand } = await import('./control.js');
      ended(await controlCommand(io, { run, ask: { verb: 'accept', node, code }, options }));
    });
}

function addTrigger(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('trigger <playbook>'))
    .description('Has `turnus serve` start a run of a Playbook object, outside of its windows too; freezes hold.')
    .requiredOption('--reason <text>', 'why, for the record', bounded('--reason', 1000))
    .option('--override-freeze <name>', 'start in the freeze of this name; may be repeated', repeated, [])
    .option('--replace', 'supersede the unfinished run; its nodes that are done stay done')
    .addOption(
      new Option('--start-within <duration>', 'begin nothing later than this')
        .argParser(durationMs)
        .default(3_600_000, '1h'),
    )
    .action(async (playbook: string, options) => {
      const { triggerCommand } = await import('./trigger.js');
      ended(await triggerCommand(io, playbook, options as Parameters<typeof triggerCommand>[2]));
    });
}
