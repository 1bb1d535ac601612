import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { exitCodeOfSignal } from '../run/runEnd.js';
import type { Sandbox } from '../sandbox/openSandbox.js';
import { TurnusError } from '../turnusError.js';
import { demoTeller, type DemoTeller } from './demoTeller.js';
import { holdSignals, type HeldSignals } from './heldSignals.js';
import type { CommandIo } from './io.js';
import { loadSandbox } from './loadSandbox.js';

export interface DemoOptions {
  readonly output?: string;
  readonly fast: boolean;
}

const nodes = 6;
/** What a user types who has come here by `npm start`, or with `turnus` on the path. */
const program = import.meta.url.endsWith('.ts') ? 'npx tsx src/main.ts' : 'turnus';

/**
 * `turnus demo`: a sandbox, the plan with a finding, its cure, the whole run and the proof of its journal, told in less
 * than a minute. The commands are the same that a user calls. Leaves the journal and nothing else.
 */
export async function demoCommand(io: CommandIo, options: DemoOptions): Promise<number> {
  const directory = options.output ?? `turnus-demo-${timeInName(io.clock.now())}`;
  const journal = join(directory, 'journal.ndjson');
  await refuseExisting(journal);
  const signals = holdSignals(io);
  // Nobody looks on any more (`| head`).
  io.stdout.once('error', () => {
    signals.stop('SIGHUP');
  });
  const tell = demoTeller(io, { isFast: options.fast, signal: signals.signal });
  let sandbox: Sandbox | undefined;
  try {
    tell.title('Turnus takes every node of a cluster through its monthly maintenance, one at a time.');
    tell.text(
      `This demo makes a cluster of ${String(nodes)} nodes on this machine: the API server and the pods are played; HTTPS, SSH, the scripts on the hosts and the journal are real. Ctrl-C ends it.`,
    );
    const { openSandbox } = await loadSandbox();
    const { demoPace } = await import('../sandbox/scene/scenePace.js');
    sandbox = await openSandbox({ nodes, port: 0, pace: demoPace, clock: io.clock }, signals.signal);
    return await tellStory({ io, sandbox, signals, tell, journal, isFast: options.fast });
  } catch (error) {
    const stop = signals.stoppedBy();
    // A signal to the whole terminal may have ended what the demo stands on; what fails then fails because of it.
    if (stop === undefined) throw error;
    tell.text('');
    tell.text(
      `The demo was stopped, and its cluster goes away with it.${(await isThere(journal)) ? ` What the run did until then is in ${journal}.` : ''}`,
    );
    return exitCodeOfSignal[stop];
  } finally {
    await sandbox?.close();
  }
}

interface Story {
  readonly io: CommandIo;
  readonly sandbox: Sandbox;
  readonly signals: HeldSignals;
  readonly tell: DemoTeller;
  readonly journal: string;
  readonly isFast: boolean;
}

async function tellStory(story: Story): Promise<number> {
  const { sandbox, signals, tell, journal } = story;
  const { kubeconfigPath: kubeconfig, playbookPath: file, stuck } = sandbox;
  const inside = insideIo(story);
  const label = `${stuck.namespace}/${stuck.name}`;

  tell.title('1. The plan, days before: can every node leave without anybody noticing?');
  tell.command('turnus plan -f playbook.yaml');
  const { planCommand } = await import('./plan.js');
  await planCommand(inside, { file, kubeconfig, node: [], output: 'text' });
  signals.signal.throwIfAborted();
  tell.text('');
  tell.text(
    `One node cannot go. The budget ${label} wants one available pod, and the Deployment ${stuck.name} has only one: whoever evicts it is refused, for ever. A script would find that out at 03:00. The plan names the budget, the numbers and what to change, and the team has days to do it.`,
  );
  await tell.pause(4000);

  tell.title(`2. The team of ${stuck.namespace} lets its workload run twice.`);
  tell.command(
    `kubectl -n ${stuck.namespace} scale deployment ${stuck.name} --replicas=${String(stuck.mendedReplicas)}`,
  );
  await sandbox.mendStuck(signals.signal);
  tell.text('The second replica is Ready on another node; now the budget allows one eviction at a time.');
  await tell.pause(1500);

  tell.title('3. The night: check, cordon, drain, upgrade, reboot where it must be, prove the boot, uncordon.');
  tell.command(`turnus run -f playbook.yaml --yes --journal ${journal}`);
  await mkdir(join(journal, '..'), { recursive: true });
  const { runCommand } = await import('./run.js');
  const ended = await runCommand(inside, {
    ...{ file, kubeconfig, node: [], journal, output: 'text' },
    ...{
      yes: true,
      rehearse: false,
      replace: false,
      now: false,
      overrideFreeze: [],
      wait: false,
      reason: 'turnus demo',
    },
  });
  signals.signal.throwIfAborted();
  if (ended !== 0) {
    tell.text(`The run has ended with exit code ${String(ended)}, which the demo did not expect.`);
    return ended;
  }

  tell.title('4. The evidence: every decision is in the journal, and each entry is chained to the one before.');
  const run = sandbox.newestRun() ?? '';
  tell.command(`turnus journal verify ${journal} --run ${run}`);
  const { verifyCommand } = await import('./journalVerify.js');
  const verified = await verifyCommand(inside, [journal], { kubeconfig, run });
  tell.text('');
  tell.text(
    `The cluster goes away now; the journal stays in ${journal}. Try to change a letter of it, and verify it again.`,
  );
  tell.lines([
    '',
    `  ${program} journal verify ${journal}`,
    `  ${program} sandbox`,
    '',
    'The second makes the same cluster to try yourself, with faults to play (docs/sandbox.md).',
    'docs/kind.md goes on with kind, docs/playbook.md with your own nodes.',
  ]);
  return verified;
}

/** For the commands of the story: all that is said goes to one stream, and nothing is asked. */
function insideIo({ io, sandbox, signals, isFast }: Story): CommandIo {
  const { KUBERNETES_SERVICE_HOST: _, TURNUS_NODE_NAME: __, SSH_AUTH_SOCK: ___, ...env } = io.env;
  return {
    ...io,
    argv: [],
    env: isFast ? { ...env, CI: 'true' } : env,
    stdin: Readable.from([]),
    stderr: io.stdout,
    onSignal: signals.onSignal,
    exit: (exitCode) => {
      // Asked for twice: the sandbox is taken away all the same, the run is not waited for.
      const leave = () => {
        io.exit(exitCode);
      };
      sandbox.close().then(leave, leave);
    },
  };
}

async function refuseExisting(journal: string): Promise<void> {
  if (!(await isThere(journal))) return;
  throw new TurnusError({
    code: 'usage',
    message: `There is a journal already: ${journal}.`,
    hint: 'Name another directory with --output.',
  });
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** `2026-11-23-041500`, UTC. */
function timeInName(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
}
