import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runTurnus as runHere } from '../../cli/runTurnus.js';
import { writePlaybook } from '../../cluster/playbook.js';
import { expectExit, phasesOf, runOf, systemNamespace } from '../../cluster/runReport.js';
import type { CommandResult } from '../../cluster/runCommand.js';
import type { RunningTurnus } from '../../cluster/turnus.js';
import { waitFor } from '../../cluster/waitFor.js';
import type { MaintainedSide } from '../side.js';

/** What the scenarios do with a maintained cluster, whichever it is. */
export interface Maintenance {
  readonly side: MaintainedSide;
  /** Writes a playbook for these nodes (all where absent); its update counts itself in `$HOME/NAME`. */
  readonly playbook: (name: string, options?: PlaybookOptions) => Promise<Playbook>;
  /** `turnus ARGS` in this process to its end, which must be this exit code: for what needs no process of its own. */
  readonly run: (args: string[], exitCode: number) => Promise<CommandResult>;
  /** Kills what still runs; for afterEach. */
  endAll(): Promise<void>;
}

export interface PlaybookOptions {
  nodes?: string[];
  /** Of the update, between its count and its answer. */
  commands?: string;
  /** Commands of further scripts, each of which counts itself in `$HOME/NAME.STAGE` first. */
  scripts?: Partial<Record<OtherStage, string>>;
  spec?: Record<string, unknown>;
}

type OtherStage = 'prepare' | 'leave' | 'join';

/** A playbook and the run of it. */
export interface Playbook {
  readonly name: string;
  readonly path: string;
  /** `turnus run -f PLAYBOOK --yes`, with a journal, in a process of its own. */
  start(): RunningTurnus;
  /** The same to its end, which must be this exit code. */
  toEnd(exitCode: number): Promise<CommandResult>;
  /** The same without a process of its own. */
  toEndHere(exitCode: number): Promise<CommandResult>;
  runName(): Promise<string>;
  /** `node phase` of each turn, in the order of the run. */
  phases(): Promise<string[]>;
  /** How often the update has begun on the host of a node. */
  updates(node: string): Promise<number>;
  /** How often each script has begun on the host of a node: prepare, leave, update, join. */
  executions(node: string): Promise<number[]>;
  journal(): Promise<Entry[]>;
  /** `turnus journal verify` against the head in the status of the run: intact to its end. */
  expectIntactJournal(): Promise<void>;
}

/** As much of a journal's entry as the scenarios read. */
export interface Entry {
  type: string;
  node?: string;
  pod?: string;
  stage?: string;
  undo?: boolean;
}

/** Waits until the file named is in the home of scripts; hosts keep it for the scenarios that follow. */
export function untilPut(file: string): string {
  return `until [ -e "$HOME/${file}" ]; do sleep 0.1; done`;
}

const quick = {
  drain: { timeout: '1m' },
  host: { update: { timeout: '30s' } },
  health: { consecutive: 1, interval: '200ms', timeout: '30s' },
  settle: { time: '100ms', timeout: '30s' },
};

export function maintain(side: MaintainedSide): Maintenance {
  const running = new Set<RunningTurnus>();
  const start = (args: string[]): RunningTurnus => {
    const turnus = side.turnus(args);
    running.add(turnus);
    void turnus.exited.finally(() => running.delete(turnus));
    return turnus;
  };
  const run = async (args: string[], exitCode: number): Promise<CommandResult> => {
    const result = await runHere(args, { env: { HOME: side.directory, KUBECONFIG: side.kubeconfigPath } });
    expectExit(result, exitCode);
    return result;
  };

  const playbookAt = (name: string, path: string): Playbook => {
    const journalPath = join(side.directory, `${name}.ndjson`);
    const runArgs = ['run', '-f', path, '--yes', '--journal', journalPath];
    const runName = async (): Promise<string> => (await runOf(side, name)).name;
    const updates = (node: string): Promise<number> => side.hosts.host(node).counter(name);
    return {
      name,
      path,
      start: () => start(runArgs),
      toEnd: async (exitCode) => await ended(start(runArgs), exitCode),
      toEndHere: (exitCode) => run(runArgs, exitCode),
      runName,
      phases: () => phasesOf(side, name),
      updates,
      executions: (node) => {
        const files = [`${name}.prepare`, `${name}.leave`, name, `${name}.join`];
        return Promise.all(files.map((file) => side.hosts.host(node).counter(file)));
      },
      journal: async () => {
        const lines = (await readFile(journalPath, 'utf8')).trimEnd().split('\n');
        return lines.map((line) => JSON.parse(line) as Entry);
      },
      expectIntactJournal: async () => {
        const verdict = await run(['journal', 'verify', journalPath, '--run', await runName()], 0);
        expect(verdict.stdout).toMatch(/are intact/);
        expect(verdict.stdout).not.toContain('not proved');
      },
    };
  };

  return {
    side,
    run,
    playbook: async (name, { nodes, commands = '', scripts = {}, spec = {} } = {}) => {
      const script = updateScript(name, commands);
      const host: Record<string, unknown> = {};
      for (const [stage, stageCommands] of Object.entries(scripts)) {
        const path = join(side.directory, `${name}.${stage}.sh`);
        await writeFile(path, stageScript(`${name}.${stage}`, stageCommands), { mode: 0o755 });
        host[stage] = { script: { path }, timeout: '30s' };
      }
      const path = await writePlaybook({
        cluster: side,
        hosts: side.hosts,
        name,
        script,
        ...(nodes === undefined ? {} : { nodes }),
        spec: { ...quick, ...spec, host: { ...quick.host, ...host } },
      });
      return playbookAt(name, path);
    },
    endAll: async () => {
      for (const turnus of [...running]) {
        turnus.kill('SIGKILL');
        await turnus.exited;
      }
    },
  };
}

function updateScript(name: string, commands: string): string {
  return `#!/bin/sh
set -eu
echo "$TURNUS_RUN $TURNUS_NODE" >> "$HOME/${name}"
${commands}
{
  echo changed=yes
  echo reboot=required
} > "$TURNUS_RESULT"
`;
}

function stageScript(file: string, commands: string): string {
  return `#!/bin/sh
set -eu
echo "$TURNUS_RUN $TURNUS_NODE" >> "$HOME/${file}"
${commands}
`;
}

/** Waits for the end of Turnus, which must be this exit code. */
export async function ended(turnus: RunningTurnus, exitCode: number): Promise<CommandResult> {
  await waitFor({ what: 'the end of turnus', timeoutMs: 90_000, probe: () => !turnus.isRunning() }).catch(
    (cause: unknown) => {
      throw new Error(`turnus has not ended; it said:\n${turnus.stderr()}`, { cause });
    },
  );
  const result = { exitCode: await turnus.exited, stdout: turnus.stdout(), stderr: turnus.stderr() };
  expectExit(result, exitCode);
  return result;
}

/** kill -9, and nobody waits for the lease of the dead one longer than a second. */
export async function killed({ side }: Maintenance, turnus: RunningTurnus): Promise<void> {
  expect(turnus.isRunning(), turnus.stderr()).toBe(true);
  turnus.kill('SIGKILL');
  await turnus.exited;
  const lease = { kind: 'Lease', namespace: systemNamespace, name: 'turnus' } as const;
  await side.api.patch(lease, { body: { spec: { leaseDurationSeconds: 1 } } });
}

/** The first node of a run's order, and the others. */
export async function orderOf(
  { side }: Maintenance,
  playbook: Playbook,
): Promise<[first: string, ...others: string[]]> {
  const [first, ...others] = await waitFor({
    what: `the order of the run of ${playbook.name}`,
    probe: async () => (await runOf(side, playbook.name)).status.order,
  });
  if (first === undefined) throw new Error(`the run of ${playbook.name} has no nodes`);
  return [first, ...others];
}
