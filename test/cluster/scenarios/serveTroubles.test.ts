import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { letGo, untilScriptRuns, waitingScript } from '../attempts.js';
import { startCluster, type Cluster } from '../cluster.js';
import { startHosts, type Hosts } from '../hosts/startHosts.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { runCommandOk, type CommandResult } from '../runCommand.js';
import { expectExit, installTurnus, phasesOf, runs } from '../runReport.js';
import { saidBy, serveOn, untilEnded, untilLeads, windowIn, type Served } from '../served.js';
import { signallingOn, type Signalling } from '../signalling.js';
import { cordonOf } from '../trouble.js';
import { runTurnus, type RunningTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';
import { createReady } from '../waitForReady.js';
import { deployment } from '../workloads.js';

let cluster: Cluster;
let hosts: Hosts;
let served: Served;
let signalling: Signalling;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 8, zones: 1 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster, ['--with', 'serve']);
  await createReady(cluster.api, [deployment({ name: 'web', replicas: 8, spread: { over: 'node', mode: 'prefer' } })]);
  served = await serveOn({ cluster, hosts });
  signalling = await signallingOn(cluster);
});

afterEach(async () => {
  await served.endAll();
});

afterAll(async () => {
  await cluster.stop();
});

async function ready(name: string) {
  return (await served.status(name)).conditions?.find(({ type }) => type === 'Ready');
}

async function untilInForce(name: string, ...processes: RunningTurnus[]): Promise<void> {
  await waitFor({
    what: `${name} to be in force`,
    probe: async () => (await served.status(name)).inForce !== undefined,
  }).catch((cause: unknown) => {
    throw new Error(saidBy(...processes), { cause });
  });
}

async function trigger(name: string, ...args: string[]): Promise<CommandResult> {
  return await runTurnus(['trigger', name, '--reason', 'to be mended', ...args], {
    kubeconfig: cluster.kubeconfigPath,
  });
}

async function runNames(name: string): Promise<string[]> {
  return (await runs(cluster)).map((run) => run.name).filter((run) => run.startsWith(`${name}-`));
}

async function expectOneTurn(name: string, node: string): Promise<void> {
  expect(await phasesOf(cluster, name)).toEqual([`${node} Done`]);
  expect(await hosts.host(node).counter('updates')).toBe(1);
  expect(hosts.host(node).bootIds).toHaveLength(2);
  expect(await cordonOf(cluster, node)).toEqual({});
}

describe('while the API server is away when a window opens', () => {
  it('nothing happens, and the run begins once it is back', async () => {
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    const opensAt = Date.now() + 8000;
    await served.put({ name: 'away', nodes: ['node-1'], spec: { schedule: windowIn(8000, '30m') } });
    await untilInForce('away', one);
    await cluster.kill('kube-apiserver');
    await waitFor({ what: 'the window to open', probe: () => Date.now() > opensAt + 3000 });
    expect(one.isRunning(), saidBy(one)).toBe(true);
    await cluster.restart('kube-apiserver');
    await untilEnded({ cluster, name: 'away', phase: 'Completed' }, () => saidBy(one));
    await expectOneTurn('away', 'node-1');
  });

  it('or does not answer on connections that stand, for longer than the lead lasts, neither', async () => {
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    const other = served.start({ name: 'other' });
    await served.put({ name: 'silent', nodes: ['node-2'], spec: { schedule: windowIn(6000, '30m') } });
    await untilInForce('silent', one);
    cluster.pause('kube-apiserver');
    await waitFor({
      what: 'the loss of the lead',
      probe: () => one.stdout().includes('"lead.lost"'),
    }).finally(() => {
      cluster.resume('kube-apiserver');
    });
    await untilEnded({ cluster, name: 'silent', phase: 'Completed' }, () => saidBy(one, other));
    expect(await runNames('silent')).toHaveLength(1);
    await expectOneTurn('silent', 'node-2');
  });
});

describe('a script that was changed under an unfinished run', () => {
  it('is told as Ready=False by a new leader, and trigger --replace begins with it, once the old one has ended', async () => {
    const [name, node] = ['mended', 'node-3'];
    const host = hosts.host(node);
    const one = served.start({ name: 'one' });
    await served.put({ name, nodes: [node], script: waitingScript, spec: { schedule: windowIn(0, '30m') } });
    await untilScriptRuns(host);
    one.kill('SIGKILL');
    await one.exited;
    const script = updateScript('echo mended >>/srv/host/mended');
    await served.put({ name, nodes: [node], script, spec: { schedule: windowIn(0, '30m') } });
    const other = served.start({ name: 'other' });
    await waitFor({
      what: 'the refusal to be told',
      probe: async () => (await ready(name))?.reason === 'Refused',
    }).catch((cause: unknown) => {
      throw new Error(saidBy(other), { cause });
    });
    expect((await ready(name))?.message).toMatch(/was made from another plan.*turnus trigger mended --replace/);
    expect(await cordonOf(cluster, node)).toMatchObject({ unschedulable: true });

    const asked = await trigger(name, '--replace');
    expectExit(asked, 0);
    await waitFor({
      what: 'the answer that the script may still run',
      probe: async () => /^waits: .* may still run/.test((await served.status(name)).trigger?.answer ?? ''),
    });
    expect(await runNames(name)).toHaveLength(1);

    await letGo(host);
    await waitFor({
      what: 'the new run to end',
      timeoutMs: 120_000,
      probe: async () => (await served.status(name)).trigger?.answer.includes('is Completed'),
    }).catch((cause: unknown) => {
      throw new Error(saidBy(other), { cause });
    });
    const all = (await runs(cluster)).filter((run) => run.name.startsWith(`${name}-`));
    expect(all.map(({ status }) => status.phase).sort()).toEqual(['Completed', 'Superseded']);
    // The script as it was, once, and as it is, once.
    expect(await host.counter('updates')).toBe(2);
    expect(await host.counter('mended')).toBe(1);
    expect(await cordonOf(cluster, node)).toEqual({});
    await waitFor({ what: 'the end of the trouble', probe: async () => (await ready(name))?.status === 'True' });
  });
});

describe('a trigger', () => {
  it('whose run was begun, and whose answer was not written before kill -9, starts no second one', async () => {
    const [name, node] = ['answered', 'node-4'];
    const journal = join(cluster.directory, `${name}.ndjson`);
    const spec = { schedule: windowIn(3_600_000, '10m'), journal: { file: journal } };
    // Stopped by a failure, so that there is something to supersede.
    const script = updateScript('[ -e /srv/host/go ] || exit 1');
    await served.put({ name, nodes: [node], script, spec });
    const first = served.start({ name: 'first' });
    await untilInForce(name, first);
    expectExit(await trigger(name), 0);
    await untilEnded({ cluster, name, phase: 'Failed' }, () => saidBy(first));
    await served.endAll();
    await letGo(hosts.host(node));
    // Waits for the run that the former version holds; a run that supersedes it begins with it.
    await served.put({ name, nodes: [node], script, spec: { ...spec, settle: { time: '2s', timeout: '1m' } } });
    const texts = ['"type":"run.started"', `-x1"`];
    const one = served.start({ name: 'one', env: signalling({ signal: 'SIGKILL', texts }) });
    await untilLeads(served, 'one');
    const startWithinMs = 15_000;
    const triggeredAt = Date.now();
    const asked = trigger(name, '--replace', '--start-within', `${String(startWithinMs / 1000)}s`);
    expect(await one.exited, saidBy(one)).toBeUndefined();
    await asked;
    expect((await served.status(name)).trigger?.run ?? '').not.toContain('-x1');
    // Who comes too late to begin anything knows the run by the trigger's id in it.
    await waitFor({
      what: 'the time to be over in which anything may be started',
      probe: () => Date.now() > triggeredAt + startWithinMs + 1000,
    });
    const other = served.start({ name: 'other' });
    await waitFor({
      what: 'the answer',
      timeoutMs: 120_000,
      probe: async () => (await served.status(name)).trigger?.answer.includes('-x1 is Completed'),
    }).catch((cause: unknown) => {
      throw new Error(saidBy(other), { cause });
    });
    const begun = (await runs(cluster)).filter((run) => run.name.startsWith(`${name}-`));
    expect(new Set(begun.map((run) => run.spec.planHash)).size).toBe(2);
    expect(begun).toHaveLength(2);
    expect(await hosts.host(node).counter('updates')).toBe(2);
    expect(hosts.host(node).bootIds).toHaveLength(2);
  });

  it('that nobody took up in time is refused by whoever serves later', async () => {
    const [name, node] = ['stale', 'node-5'];
    await served.put({ name, nodes: [node], spec: { schedule: windowIn(3_600_000, '10m') } });
    const asked = await trigger(name, '--start-within', '1s');
    expectExit(asked, 0);
    expect(asked.stderr).toContain('Nobody has answered');
    const one = served.start({ name: 'one' });
    const answer = await waitFor({
      what: 'the refusal',
      probe: async () => (await served.status(name)).trigger,
    }).catch((cause: unknown) => {
      throw new Error(saidBy(one), { cause });
    });
    expect(answer.answer).toMatch(/^refused: nothing was started by .* \(nobody served before\)/);
    expect(answer.finishedAt).toBeDefined();
    expect(await runNames(name)).toEqual([]);
  });
});

describe('a journal that cannot be written', () => {
  it('lets nothing be done, says so, and the run begins when there is room again', async () => {
    const [name, node] = ['full', 'node-6'];
    const journal = join(cluster.directory, `${name}.ndjson`);
    const one = served.start({ name: 'one' });
    await untilLeads(served, 'one');
    // As on a full disk, each write to a file fails (setrlimit(2), RLIMIT_FSIZE); pipes and sockets do not.
    await runCommandOk('prlimit', ['--pid', String(one.pid), '--fsize=0:unlimited']);
    await served.put({
      name,
      nodes: [node],
      script: waitingScript,
      spec: { schedule: windowIn(0, '30m'), journal: { file: journal } },
    });
    await waitFor({
      what: 'the failure to be told',
      probe: async () => (await ready(name))?.reason === 'Retrying',
    }).catch((cause: unknown) => {
      throw new Error(saidBy(one), { cause });
    });
    expect((await ready(name))?.message).toContain(journal);
    expect(await cordonOf(cluster, node)).toEqual({});
    expect(await hosts.host(node).counter('updates')).toBe(0);
    await runCommandOk('prlimit', ['--pid', String(one.pid), '--fsize=unlimited']);
    await untilScriptRuns(hosts.host(node));
    await waitFor({ what: 'the end of the trouble', probe: async () => (await ready(name))?.status === 'True' });
    await letGo(hosts.host(node));
    await untilEnded({ cluster, name, phase: 'Completed' }, () => saidBy(one));
    await expectOneTurn(name, node);
  });
});

describe('playbooks that are files', () => {
  it('are served as objects are: the window, SIGTERM in mid-job, a wrong edit', async () => {
    const [name, node] = ['filed', 'node-7'];
    const journal = join(cluster.directory, `${name}.ndjson`);
    const playbook = await writePlaybook({
      cluster,
      hosts,
      name,
      nodes: [node],
      script: waitingScript,
      spec: { schedule: windowIn(3000, '30m'), journal: { file: journal } },
    });
    const one = served.start({ name: 'one', args: ['-f', playbook] });
    await untilScriptRuns(hosts.host(node)).catch((cause: unknown) => {
      throw new Error(saidBy(one), { cause });
    });
    // From here on only processes that have read it know it.
    const other = served.start({ name: 'other', args: ['-f', playbook] });
    await waitFor({ what: 'the other to stand by', probe: () => other.stdout().includes('one/') });
    one.kill('SIGTERM');
    expect(await one.exited, saidBy(one)).toBe(0);
    await untilLeads(served, 'other');
    await letGo(hosts.host(node));
    await untilEnded({ cluster, name, phase: 'Completed' }, () => saidBy(one, other));
    await expectOneTurn(name, node);
    const run = (await runNames(name))[0] ?? '';
    const verdict = await runTurnus(['journal', 'verify', journal, '--run', run], {
      kubeconfig: cluster.kubeconfigPath,
    });
    expectExit(verdict, 0);

    const text = await readFile(playbook, 'utf8');
    await writeFile(playbook, text.replace('timeZone: UTC', 'timeZone: Mars/Olympus'));
    await waitFor({
      what: 'the mistake to be told',
      timeoutMs: 150_000,
      probe: () => other.stdout().includes('playbook.invalid'),
    });
    expect(other.stdout()).toContain('Mars/Olympus');
    expect(other.isRunning()).toBe(true);
    const refused = served.start({ name: 'third', args: ['-f', playbook] });
    expect(await refused.exited).toBe(2);
    expect(refused.stderr()).toContain('timeZone');
  }, 240_000);
});
