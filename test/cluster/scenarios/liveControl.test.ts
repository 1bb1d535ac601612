import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  attemptsOn,
  cordonsOf,
  expectEnd,
  letGo,
  untilPodsLeave,
  untilScriptRuns,
  waitingScript,
} from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { countingUpdate, updateScript, writePlaybook } from '../playbook.js';
import { startReadyWatcher } from '../readyWatcher.js';
import { expectExit, installTurnus, phasesOf, runs, systemNamespace, turnsOf, untilTurn } from '../runReport.js';
import type { RunReport } from '../runReport.js';
import type { CommandResult } from '../runCommand.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 16 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  attempts = attemptsOn(cluster);
  await installTurnus(cluster);
});

afterEach(async () => {
  await attempts.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

async function turnus(...args: string[]): Promise<CommandResult> {
  return await runTurnus(args, { kubeconfig: cluster.kubeconfigPath });
}

/** Asks by command; answers what was said. */
async function ask(...args: string[]): Promise<string> {
  const result = await turnus(...args);
  expectExit(result, 0);
  return result.stderr;
}

async function run(playbook: string): Promise<RunReport> {
  const found = (await runs(cluster)).find(({ name }) => name.startsWith(`${playbook}-`));
  if (found === undefined) throw new Error(`no run of ${playbook}`);
  return found;
}

async function untilPhase(playbook: string, phase: string): Promise<RunReport> {
  return await waitFor({
    what: `run of ${playbook} to be ${phase}`,
    timeoutMs: 60_000,
    probe: async () => {
      const now = await run(playbook);
      return now.status.phase === phase ? now : undefined;
    },
  });
}

async function isCordoned(node: string): Promise<boolean> {
  return (await cluster.api.get({ kind: 'Node', name: node })).spec.unschedulable === true;
}

describe('pause', () => {
  it('lets the turn in work end and begins no other, and resume goes on, both from another process', async () => {
    const nodes = ['node-1', 'node-2'];
    const file = await writePlaybook({ cluster, hosts, name: 'paused', nodes, script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-1'));
    const { name } = await run('paused');
    await ask('pause', name, '--reason', 'look at the mirror');
    await letGo(hosts.host('node-1'));
    await letGo(hosts.host('node-2'));
    const paused = await untilPhase('paused', 'Paused');
    expect(await phasesOf(cluster, 'paused')).toEqual(['node-1 Done', 'node-2 Pending']);
    expect(paused.status.waitingFor?.who).toContain(`turnus resume ${name}`);
    expect(await hosts.host('node-2').counter('updates')).toBe(0);
    expect(await isCordoned('node-2')).toBe(false);
    await ask('resume', name);
    await expectEnd(actor, 0);
    expect(await phasesOf(cluster, 'paused')).toEqual(['node-1 Done', 'node-2 Done']);
  });
});

describe('abort', () => {
  it('in a drain gives the node back at once and ends with exit code 7; resume lets the run go on', async () => {
    await createReady(cluster.api, [deployment({ name: 'slow', replicas: 2, prefers: 'node-3', stopMs: 20_000 })]);
    const watcher = await startReadyWatcher({ api: cluster.api, workloads: [] });
    const file = await writePlaybook({ cluster, hosts, name: 'aborted', nodes: ['node-3'] });
    const actor = attempts.start(file);
    await untilPodsLeave(cluster, 'node-3');
    const { name } = await run('aborted');
    await ask('abort', name);
    await expectEnd(actor, 7, 30_000);
    expect(await phasesOf(cluster, 'aborted')).toEqual(['node-3 Pending']);
    expect((await run('aborted')).status.phase).toBe('Aborted');
    expect(cordonsOf(watcher, 'node-3')).toEqual(['cordoned', 'uncordoned']);
    await watcher.stop();
    expect(await hosts.host('node-3').counter('updates')).toBe(0);
    await cluster.api.delete({ kind: 'Deployment', namespace: 'default', name: 'slow' });

    const refused = await turnus('run', '-f', file, '--yes');
    expectExit(refused, 7);
    expect(refused.stderr).toContain(`turnus resume ${name}`);
    await ask('resume', name);
    await expectEnd(attempts.start(file), 0);
  });

  it('while the script runs finishes that turn and begins no other', async () => {
    const nodes = ['node-4', 'node-5'];
    const file = await writePlaybook({ cluster, hosts, name: 'finished', nodes, script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-4'));
    await ask('abort', (await run('finished')).name);
    await letGo(hosts.host('node-4'));
    await expectEnd(actor, 7);
    expect(await phasesOf(cluster, 'finished')).toEqual(['node-4 Done', 'node-5 Pending']);
    expect(hosts.host('node-4').bootIds).toHaveLength(2);
    expect(await hosts.host('node-5').counter('updates')).toBe(0);
  });

  it('that is taken back by resume while that turn is finished lets the run go on', async () => {
    const nodes = ['node-15', 'node-16'];
    const file = await writePlaybook({ cluster, hosts, name: 'taken-back', nodes, script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-15'));
    const { name } = await run('taken-back');
    await ask('abort', name);
    await ask('resume', name);
    for (const node of nodes) await letGo(hosts.host(node));
    await expectEnd(actor, 0);
    expect(await phasesOf(cluster, 'taken-back')).toEqual(['node-15 Done', 'node-16 Done']);
    for (const node of nodes) expect(await hosts.host(node).counter('updates')).toBe(1);
  });

  it('--now leaves the node as it is, Failed; a retry follows the script that still runs to its end', async () => {
    const file = await writePlaybook({ cluster, hosts, name: 'now', nodes: ['node-6'], script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-6'));
    const { name } = await run('now');
    await ask('abort', name, '--now');
    await expectEnd(actor, 4, 30_000);
    const [turn] = await turnsOf(cluster, 'now');
    expect(turn).toMatchObject({ phase: 'Failed', failure: { code: 'aborted', node: 'cordoned', host: 'touched' } });
    expect(await isCordoned('node-6')).toBe(true);
    expect(hosts.host('node-6').bootIds).toHaveLength(1);
    expect((await run('now')).finalizers).toEqual([]);

    await letGo(hosts.host('node-6'));
    await ask('resume', name);
    await ask('retry', name, 'node-6');
    await expectEnd(attempts.start(file), 0);
    expect(await hosts.host('node-6').counter('updates')).toBe(1);
    expect(hosts.host('node-6').bootIds).toHaveLength(2);
  });
});

describe('skip', () => {
  it('of a node that has not begun is answered while another is in work, and the run ends with exit code 7', async () => {
    const nodes = ['node-7', 'node-8'];
    const file = await writePlaybook({ cluster, hosts, name: 'skipped', nodes, script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-7'));
    const { name } = await run('skipped');
    expect(await ask('skip', name, 'node-8', '--reason', 'its disk is being replaced')).toContain('done:');
    const busy = await turnus('skip', name, 'node-7');
    expectExit(busy, 2);
    await letGo(hosts.host('node-7'));
    await expectEnd(actor, 7);
    expect(await phasesOf(cluster, 'skipped')).toEqual(['node-7 Done', 'node-8 Skipped']);
    expect((await run('skipped')).status.counts).toMatchObject({ total: 2, done: 1, skipped: 1 });
  });
});

describe('spec.desired edited by hand into nonsense', () => {
  it('counts as a pause, a condition says why, and resume puts it right', async () => {
    const nodes = ['node-9', 'node-10'];
    const file = await writePlaybook({ cluster, hosts, name: 'nonsense', nodes, script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-9'));
    const { name } = await run('nonsense');
    await cluster.api.patch(
      { kind: 'MaintenanceRun', namespace: systemNamespace, name },
      { body: { spec: { desired: { state: 'Stop', requests: [{ id: 'one', verb: 'dance', node: 'node-9' }] } } } },
    );
    for (const node of nodes) await letGo(hosts.host(node));
    const paused = await untilPhase('nonsense', 'Paused');
    const invalid = paused.status.conditions?.find(({ type }) => type === 'DesiredInvalid');
    expect(invalid).toMatchObject({ status: 'True' });
    expect(invalid?.message).toContain('"Stop"');
    expect(paused.status.handledRequests?.[0]).toMatchObject({ id: 'one' });
    expect(paused.status.handledRequests?.[0]?.result).toMatch(/^refused: "dance"/);
    await ask('resume', name);
    await expectEnd(actor, 0);
    const done = await run('nonsense');
    expect(done.status.conditions?.find(({ type }) => type === 'DesiredInvalid')).toMatchObject({ status: 'False' });
  });
});

describe('a NodeTurn deleted by hand', () => {
  const deleteTurns = async (name: string): Promise<void> => {
    for (const { metadata } of await cluster.api.list({
      kind: 'NodeTurn',
      namespace: systemNamespace,
      labelSelector: `turnus.dev/run=${name}`,
    })) {
      await cluster.api.delete({ kind: 'NodeTurn', namespace: systemNamespace, name: metadata.name });
    }
  };

  it('during the script is made again with what it said, and the script is not run twice', async () => {
    const file = await writePlaybook({ cluster, hosts, name: 'lost', nodes: ['node-11'], script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-11'));
    await deleteTurns((await run('lost')).name);
    await letGo(hosts.host('node-11'));
    await expectEnd(actor, 0);
    const [turn] = await turnsOf(cluster, 'lost');
    expect(turn).toMatchObject({ phase: 'Done', jobs: { update: { execution: 1, exitCode: 0 } } });
    expect(await hosts.host('node-11').counter('updates')).toBe(1);
  });

  it('while no actor is at work does not make its host count as untouched, nor its script run twice', async () => {
    const file = await writePlaybook({ cluster, hosts, name: 'forgotten', nodes: ['node-12'], script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-12'));
    actor.kill('SIGKILL');
    await actor.exited;
    await deleteTurns((await run('forgotten')).name);
    await letGo(hosts.host('node-12'));
    const again = attempts.start(file);
    await untilTurn(
      { cluster, playbook: 'forgotten', node: 'node-12', what: 'taken again' },
      ({ phase }) => phase !== 'Pending',
    );
    await expectEnd(again, 0);
    const [turn] = await turnsOf(cluster, 'forgotten');
    expect(turn).toMatchObject({ phase: 'Done', touchedBefore: true });
    expect(await hosts.host('node-12').counter('updates')).toBe(1);
    expect(hosts.host('node-12').bootIds).toHaveLength(2);
    expect(await isCordoned('node-12')).toBe(false);
  });
});

describe('a second Ctrl-C', () => {
  it('leaves at once with exit code 130 and loses nothing: the next start finishes the turn', async () => {
    const file = await writePlaybook({ cluster, hosts, name: 'twice', nodes: ['node-13'], script: waitingScript });
    const actor = attempts.start(file);
    await untilScriptRuns(hosts.host('node-13'));
    cluster.pause('kube-apiserver');
    actor.kill('SIGINT');
    await waitFor({ what: 'the first one to be heard', probe: () => actor.stderr().includes('SIGINT') });
    actor.kill('SIGINT');
    await expectEnd(actor, 130, 3000).finally(() => {
      cluster.resume('kube-apiserver');
    });
    expect(actor.stderr()).toContain('leaving at once');
    await letGo(hosts.host('node-13'));
    await expectEnd(attempts.start(file), 0);
    expect(await hosts.host('node-13').counter('updates')).toBe(1);
  });
});

describe('run --replace', () => {
  it('supersedes a run with a mended script: done nodes stay done, the failed one has its whole turn', async () => {
    const nodes = ['node-13', 'node-14'];
    const spec = { nodes: { canaries: 0, order: ['name'] } };
    const script = updateScript('if [ "$TURNUS_NODE" = node-14 ]; then echo broken; exit 1; fi');
    const file = await writePlaybook({ cluster, hosts, name: 'mended', nodes, script, spec });
    await expectEnd(attempts.start(file), 4);
    expect((await phasesOf(cluster, 'mended')).sort()).toEqual(['node-13 Done', 'node-14 Failed']);
    const before = await hosts.host('node-13').counter('updates');
    const old = await run('mended');

    await writeFile(join(cluster.directory, 'mended.sh'), countingUpdate);
    const refused = await turnus('run', '-f', file, '--yes');
    expectExit(refused, 2);
    expect(refused.stderr).toContain(old.spec.planHash.slice(0, 12));
    expect(refused.stderr).toContain('--replace');
    expectExit(await turnus('run', '-f', file, '--yes', '--replace'), 2);
    await expectEnd(attempts.start(file, ['--replace', '--reason', 'the script is mended']), 0);

    const both = (await runs(cluster)).filter(({ name }) => name.startsWith('mended-'));
    expect(both.map(({ name, status }) => `${name} ${status.phase}`).sort()).toEqual([
      `${old.name} Superseded`,
      `${old.name}-x1 Completed`,
    ]);
    expect(await hosts.host('node-13').counter('updates')).toBe(before);
    expect(await hosts.host('node-14').counter('updates')).toBe(2);
    expect(await isCordoned('node-14')).toBe(false);
    expectExit(await turnus('run', '-f', file, '--yes'), 0);
    expect(await hosts.host('node-14').counter('updates')).toBe(2);
    const again = await turnus('run', '-f', file, '--yes', '--replace', '--reason', 'once more');
    expectExit(again, 2);
    expect(again.stderr).toContain('Completed');
  });
});
