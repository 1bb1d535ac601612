import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { TurnusError } from '../turnusError.js';
import { bounded, clusterOptions, repeated } from './commandOptions.js';
import { addControl } from './controlCommandLine.js';
import { say, type CommandIo } from './io.js';
import { addSandbox } from './sandboxCommandLine.js';
import { version } from './version.js';

/** Runs the command that `argv` names and answers its exit code. Commands are loaded when they are called. */
export async function runCommandLine(io: CommandIo): Promise<number> {
  let exitCode = 0;
  // A reader that has gone is told to whoever waits for a write; without a listener it would end the process.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => undefined);
  const ended = (code: number) => {
    exitCode = code;
  };
  const program = new Command('turnus')
    .description('Takes every node of a Kubernetes cluster through its monthly maintenance, one at a time.')
    .version(version, '-V, --version')
    .option('--debug', 'print stack traces')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(turnus --help lists the commands)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  addPlan(program, io, ended);
  addRun(program, io, ended);
  addDrain(program, io, ended);
  addStatus(program, io, ended);
  addExplain(program, io, ended);
  addCoverage(program, io, ended);
  addControl(program, io, ended);
  addValidate(program, io, ended);
  addSchedule(program, io, ended);
  addDoctor(program, io, ended);
  addServe(program, io, ended);
  addInstall(program, io, ended);
  addJournal(program, io, ended);
  addSandbox(program, io, ended);
  try {
    await program.parseAsync(io.argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return tell(io, error, program.opts<{ debug?: boolean }>().debug === true);
  }
  return exitCode;
}

function tell(io: CommandIo, error: unknown, debug: boolean): number {
  if (error instanceof TurnusError) {
    say(io, `turnus: ${error.message}`);
    if (error.hint !== undefined) say(io, error.hint);
    if (debug && error.stack !== undefined) say(io, error.stack);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  say(io, `turnus: unexpected error: ${message}`);
  say(io, 'This is a defect of Turnus. Run the command again with --debug to see where it happened.');
  if (debug && error instanceof Error && error.stack !== undefined) say(io, error.stack);
  return 1;
}

type Ended = (exitCode: number) => void;

const playbookOption = () => new Option('-f, --file <playbook>', 'the playbook').makeOptionMandatory();

function narrowing(command: Command): Command {
  return command
    .option('-l, --selector <selector>', 'only the nodes that match, in this call')
    .option('--node <name>', 'only this node, in this call; may be repeated', repeated, []);
}

function addPlan(program: Command, io: CommandIo, ended: Ended): void {
  narrowing(clusterOptions(program.command('plan')))
    .description('Shows order, findings and forecast of a run, and changes nothing.')
    .addOption(playbookOption())
    .option('--rehearse', 'the plan of a rehearsal: hosts are not asked', false)
    .addOption(
      new Option('--by <whom>', 'owner: the findings by namespace and owner, to be sent to their teams').choices([
        'owner',
      ]),
    )
    .addOption(
      new Option('-o, --output <format>', 'text, json, or with --by owner markdown')
        .choices(['text', 'json', 'markdown'])
        .default('text'),
    )
    .action(async (options) => {
      const { planCommand } = await import('./plan.js');
      ended(await planCommand(io, options as Parameters<typeof planCommand>[1]));
    });
}

function addRun(program: Command, io: CommandIo, ended: Ended): void {
  narrowing(clusterOptions(program.command('run')))
    .description('Takes every node of the playbook through its turn; starting it again continues the run.')
    .addOption(playbookOption())
    .option('--yes', 'do not ask', false)
    .option('--rehearse', 'everything except host commands: real pods are evicted', false)
    .option('--replace', 'supersede the unfinished run; nodes that are done stay done (needs --reason)', false)
    .option('--now', 'start outside of the windows too; freezes hold (needs --reason)', false)
    .option(
      '--override-freeze <name>',
      'start in the freeze of this name (needs --reason); may be repeated',
      repeated,
      [],
    )
    .option('--wait', 'outside of the windows: wait for the next one to open', false)
    .option('--change <reference>', 'reference of the change, for the record', bounded('--change', 200))
    .option('--reason <text>', 'why the run is started, for the record', bounded('--reason', 1000))
    .option('--journal <file>', 'append the journal to this file; default: spec.journal.file of the playbook')
    .addOption(new Option('-o, --output <format>', 'text or ndjson').choices(['text', 'ndjson']).default('text'))
    .action(async (options) => {
      const { runCommand } = await import('./run.js');
      ended(await runCommand(io, options as Parameters<typeof runCommand>[1]));
    });
}

function addDrain(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('drain'))
    .description('Empties one node by the gates and budgets of a run, and leaves it cordoned; no host is asked.')
    .argument('<node>', 'name of the node')
    .option('-f, --file <playbook>', 'gates and drain policy of this playbook; default: those of an empty one')
    .option('--dry-run', 'show what would leave in which order and what blocks, and change nothing', false)
    .option('--journal <file>', 'append the journal to this file')
    .action(async (node: string, options) => {
      const { drainCommand } = await import('./drain.js');
      ended(await drainCommand(io, node, options as Parameters<typeof drainCommand>[2]));
    });
}

function addStatus(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('status'))
    .description('Shows where a run stands, what failed and what to do next; changes nothing.')
    .argument('[run]', 'name of the run; default: the one in work, else the newest')
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .option('-w, --watch', 'keep showing it until the run ends', false)
    .action(async (run: string | undefined, options) => {
      const { statusCommand } = await import('./status.js');
      ended(await statusCommand(io, run, options as Parameters<typeof statusCommand>[2]));
    });
}

function addExplain(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('explain'))
    .description('Says why a node waits, which object stands in its way and whose it is; changes nothing.')
    .argument('<node>', 'name of the node')
    .option('-f, --file <playbook>', 'the playbook; default: that of the last run that has the node')
    .option('--no-host', 'do not ask the host, which is only asked with -f')
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .action(async (node: string, options) => {
      const { explainCommand } = await import('./explain.js');
      ended(await explainCommand(io, node, options as Parameters<typeof explainCommand>[2]));
    });
}

function addCoverage(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('coverage'))
    .description('Shows when each node had its last turn, and which are overdue; changes nothing.')
    .option('-f, --file <playbook>', 'the playbook; default: every playbook, as its newest run keeps it')
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .action(async (options) => {
      const { coverageCommand } = await import('./coverage.js');
      ended(await coverageCommand(io, options as Parameters<typeof coverageCommand>[1]));
    });
}

function addValidate(program: Command, io: CommandIo, ended: Ended): void {
  program
    .command('validate')
    .description('Names every mistake of a playbook.')
    .addOption(playbookOption())
    .action(async (options) => {
      const { validateCommand } = await import('./validate.js');
      ended(await validateCommand(io, options as Parameters<typeof validateCommand>[1]));
    });
}

function addSchedule(program: Command, io: CommandIo, ended: Ended): void {
  program
    .command('schedule')
    .description('Shows the coming windows of a playbook, the freezes and what daylight saving does to them.')
    .addOption(playbookOption())
    .option('--next <count>', 'how many windows', windowCount, 12)
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .action(async (options) => {
      const { scheduleCommand } = await import('./schedule.js');
      ended(await scheduleCommand(io, options as Parameters<typeof scheduleCommand>[1]));
    });
}

function windowCount(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1 to 9999.');
  return Number(text);
}

function addDoctor(program: Command, io: CommandIo, ended: Ended): void {
  narrowing(clusterOptions(program.command('doctor')))
    .description('Looks at all that a run needs: API, permissions, webhooks, and every host. Changes nothing.')
    .addOption(playbookOption())
    .addOption(new Option('-o, --output <format>', 'text or json').choices(['text', 'json']).default('text'))
    .action(async (options) => {
      const { doctorCommand } = await import('./doctor.js');
      ended(await doctorCommand(io, options as Parameters<typeof doctorCommand>[1]));
    });
}

function addServe(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('serve'))
    .description('Does by itself what playbooks say, until a signal ends it; several of them take turns.')
    .option(
      '-f, --file <playbook>',
      'a playbook; may be repeated. Default: the Playbook objects in the namespace of Turnus',
      repeated,
      [],
    )
    .option('--listen <address>', 'ADDRESS:PORT of /livez, /readyz and /metrics', '127.0.0.1:9690')
    .addOption(
      new Option('--log-level <level>', 'debug, info, warn or error')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(async (options) => {
      const { serveCommand } = await import('./serve.js');
      ended(await serveCommand(io, options as Parameters<typeof serveCommand>[1]));
    });
}

function addInstall(program: Command, io: CommandIo, ended: Ended): void {
  clusterOptions(program.command('install'))
    .description('Applies the CRDs, the admission policy and the RBAC that Turnus needs.')
    .option('-f, --file <playbook>', 'also the roles that the conditions of this playbook need')
    .addOption(
      new Option(
        '--with <permission...>',
        'also what not every cluster allows: surge (patch deployments), serve (read playbooks, ConfigMaps and Secrets of Turnus)',
      )
        .choices(['surge', 'serve'])
        .default([]),
    )
    .option('--print', 'print the objects as YAML instead', false)
    .option(
      '--system-namespace <name>',
      'namespace of the objects of Turnus; default: as installed, else turnus-system',
    )
    .action(async (options) => {
      const { installCommand } = await import('./install.js');
      ended(await installCommand(io, options as Parameters<typeof installCommand>[1]));
    });
}

function addJournal(program: Command, io: CommandIo, ended: Ended): void {
  program
    .command('journal')
    .description('Works with the journal of a run.')
    .command('verify')
    .description('Proves that nothing in a journal was changed, removed or reordered.')
    .argument('<file...>', 'journal files')
    .option('--head <hash>', 'hash of the last entry, from outside the journal')
    .option('--run <name>', 'take the head from the status of this run')
    .option('--kubeconfig <file>', 'kubeconfig file, with --run')
    .option('--context <name>', 'context of the kubeconfig, with --run')
    .action(async (files: string[], options) => {
      const { verifyCommand } = await import('./journalVerify.js');
      ended(await verifyCommand(io, files, options as Parameters<typeof verifyCommand>[2]));
    });
}
