import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import type { CommandResult } from '../runCommand.js';
import { expectExit, installTurnus, runOf } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

interface Entry {
  seq: number;
  type: string;
  run: string;
  node?: string;
  hash: string;
  [evidence: string]: unknown;
}

let cluster: Cluster;
let hosts: Hosts;
let journal: string;
let playbook: string;
/** That the playbook names. */
let named: string;
let result: CommandResult;
let run: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  await createReady(cluster.api, [deployment({ name: 'one', replicas: 1, podSpec: { tolerations: [] } })]);
  named = join(cluster.directory, 'named.ndjson');
  playbook = await writePlaybook({
    cluster,
    hosts,
    spec: { drain: { waitForReplacements: false }, journal: { file: named } },
  });
  journal = join(cluster.directory, 'journal.ndjson');
  result = await runTurnus(['run', '-f', playbook, '--yes', '-o', 'ndjson', '--journal', journal], {
    kubeconfig: cluster.kubeconfigPath,
  });
  expectExit(result, 0);
  run = (await runOf(cluster)).name;
});

afterAll(async () => {
  await cluster.stop();
});

const verify = (...args: string[]): Promise<CommandResult> =>
  runTurnus(['journal', 'verify', ...args], { kubeconfig: cluster.kubeconfigPath });

/** Writes a copy of the journal that somebody has altered. */
async function altered(name: string, change: (lines: string[]) => string[]): Promise<string> {
  const path = join(cluster.directory, name);
  const lines = (await readFile(journal, 'utf8')).trimEnd().split('\n');
  await writeFile(path, `${change(lines).join('\n')}\n`);
  return path;
}

describe('the journal of a run', () => {
  it('is intact to its end, which the status of the run proves', async () => {
    const verdict = await verify(journal, '--run', run);
    expectExit(verdict, 0);
    expect(verdict.stdout).toMatch(new RegExp(`^${run}: \\d+ entries from \\S+ to \\S+ are intact`, 'm'));
    expect(verdict.stdout).not.toContain('not proved');
    expect(verdict.stdout).toMatch(/the end is proved/i);
  });

  it('says that its end is not proved where no head is given', async () => {
    const verdict = await verify(journal);
    expectExit(verdict, 0);
    expect(verdict.stdout).toContain('The end is not proved');
  });

  it('is proved by a head that was written down elsewhere as well', async () => {
    const head = (await runOf(cluster)).status.journal?.head ?? '';
    expectExit(await verify(journal, '--head', head), 0);
  });

  it('is broken by one changed byte, and the line is named; exit 3', async () => {
    const path = await altered('changed.ndjson', (lines) =>
      lines.map((line, index) => (index === 4 ? line.replace('node-1', 'node-2') : line)),
    );
    const verdict = await verify(path, '--run', run);
    expectExit(verdict, 3);
    expect(verdict.stdout).toContain(`${path}:5: `);
  });

  it('is broken by a removed entry, in the middle or at its end; exit 3', async () => {
    const middle = await altered('middle.ndjson', (lines) => lines.filter((_, index) => index !== 4));
    expectExit(await verify(middle, '--run', run), 3);
    const end = await altered('end.ndjson', (lines) => lines.slice(0, -1));
    expectExit(await verify(end, '--run', run), 3);
  });

  it('tells the whole turn in its order', async () => {
    const entries = (await readFile(journal, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry);
    const types = entries.map(({ type }) => type);
    const expected = [
      ...['run.started', 'turn.started', 'gate.checked', 'node.cordoned', 'gate.checked', 'pod.evicting', 'pod.gone'],
      ...['drain.finished', 'job.started', 'job.finished', 'reboot.requested', 'boot.proved', 'health.checked'],
      ...['node.uncordoned', 'turn.finished', 'run.finished'],
    ];
    expect(types.filter((type) => expected.includes(type))).toEqual(expected);
    expect(entries.every((entry) => entry.run === run)).toBe(true);
  });
});

describe('-o ndjson', () => {
  it('writes the entries of the journal to standard output and nothing else', async () => {
    expect(result.stdout).toBe(await readFile(journal, 'utf8'));
    for (const line of result.stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ run });
    expect(result.stderr).toContain('node-1');
  });
});

/** Last: the rehearsal is a second run. */
describe('the journal of a run without --journal', () => {
  it('goes to the file that the playbook names where the command names none', async () => {
    expect(existsSync(named)).toBe(false);
    const rehearsal = await runTurnus(['run', '-f', playbook, '--rehearse', '--yes'], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(rehearsal, 0);
    const verdict = await verify(named);
    expectExit(verdict, 0);
    expect(verdict.stdout).toMatch(/: \d+ entries from \S+ to \S+ are intact/);
  });
});
