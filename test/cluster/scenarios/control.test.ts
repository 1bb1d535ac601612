import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runTurnus as runHere } from '../../cli/runTurnus.js';
import { attemptsOn, expectEnd, untilScriptRuns, waitingScript } from '../attempts.js';
import type { Attempts } from '../attempts.js';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import type { OtherObject } from '../objects.js';
import { updateScript, writePlaybook } from '../playbook.js';
import { expectExit, installTurnus, runOf, systemNamespace, turnusWrites } from '../runReport.js';
import type { CommandResult } from '../runCommand.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';

interface Request {
  id: string;
  verb: string;
  node?: string;
  by?: string;
  reason?: string;
}

/** As much of a MaintenanceRun as these tests read. */
interface Asked {
  version: string;
  desired: { state?: string; by?: string; reason?: string; requests?: Request[] };
}

const lease = { kind: 'Lease', namespace: systemNamespace, name: 'turnus' } as const;

let cluster: Cluster;
let hosts: Hosts;
let attempts: Attempts;
/** Names of the runs. */
let completed: string;
/** node-2 has Failed, node-3 is Pending. */
let failed: string;
/** node-4 is Updating; the actor was killed. */
let interrupted: string;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 4 });
  hosts = await startHosts({ cluster, bootDelayMs: 500 });
  await installTurnus(cluster);
  attempts = attemptsOn(cluster);

  await expectEnd(attempts.start(await writePlaybook({ cluster, hosts, name: 'completed', nodes: ['node-1'] })), 0);
  const nodes = ['node-2', 'node-3'];
  await expectEnd(
    attempts.start(await writePlaybook({ cluster, hosts, name: 'failed', nodes, script: updateScript('exit 1') })),
    4,
  );
  const four = await writePlaybook({ cluster, hosts, name: 'interrupted', nodes: ['node-4'], script: waitingScript });
  const turnus = attempts.start(four);
  await untilScriptRuns(hosts.host('node-4'));
  turnus.kill('SIGKILL');
  await turnus.exited;
  [completed, failed, interrupted] = (await Promise.all(
    ['completed', 'failed', 'interrupted'].map(async (playbook) => (await runOf(cluster, playbook)).name),
  )) as [string, string, string];
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

/** Runs the command and expects that it ends well and says each of these. */
async function expectSaid(args: string[], ...says: (string | RegExp)[]): Promise<void> {
  const result = await turnus(...args);
  expectExit(result, 0);
  expect(result.stdout).toBe('');
  for (const text of says) expect(result.stderr).toMatch(text);
}

/** Runs the command and expects exit code 2, each of these words, and that nothing was written. */
async function expectRefused(args: string[], ...says: (string | RegExp)[]): Promise<void> {
  const before = await turnusWrites(cluster);
  const result = await turnus(...args);
  expectExit(result, 2);
  for (const text of says) expect(result.stderr).toMatch(text);
  expect(await turnusWrites(cluster)).toEqual(before);
}

async function asked(run: string): Promise<Asked> {
  const object = await cluster.api.get({ kind: 'MaintenanceRun', namespace: systemNamespace, name: run });
  const { desired = {} } = (object as OtherObject & { spec: Partial<Asked> }).spec;
  return { version: object.metadata.resourceVersion ?? '', desired };
}

async function write(run: string, desired: unknown): Promise<void> {
  await cluster
    .apiAs('admin')
    .patch({ kind: 'MaintenanceRun', namespace: systemNamespace, name: run }, { body: { spec: { desired } } });
}

/** Whatever a test before has asked. */
async function askNothing(run: string): Promise<void> {
  await write(run, null);
}

/** A run whose turns have not begun. */
async function createRun(name: string, nodes: string[]): Promise<void> {
  const create = async (
    kind: 'MaintenanceRun' | 'NodeTurn',
    object: { name: string; spec: object; labels?: object },
  ) => {
    const { spec, ...metadata } = object;
    await cluster.api.create({
      apiVersion: 'turnus.dev/v1alpha1',
      kind,
      metadata: { ...metadata, namespace: systemNamespace } as OtherObject['metadata'],
      spec,
    });
    const body = { status: { phase: kind === 'NodeTurn' ? 'Pending' : 'Running' } };
    await cluster.api.patch({ kind, namespace: systemNamespace, name: object.name }, { body, subresource: 'status' });
  };
  const playbook = { name: 'by-hand', snapshot: '{}' };
  const spec = { playbook, planHash: 'a'.repeat(64), clusterUid: cluster.uid, requester: 'observer', rehearsal: false };
  await create('MaintenanceRun', { name, spec });
  for (const node of nodes) {
    const labels = { 'turnus.dev/run': name };
    await create('NodeTurn', {
      name: `${name}-${node}`,
      labels,
      spec: { run: name, node, nodeUid: node, rehearsal: false },
    });
  }
}

describe('while nobody is at work', () => {
  it('a pause is recorded with who and why, and says who answers and how', async () => {
    await expectSaid(
      ['pause', interrupted, '--reason', 'flood in the data centre'],
      `Recorded: run ${interrupted} is to pause.`,
      'The turn of node-4 (Updating) is finished.',
      /Nobody is at work: .+ holds the lease, but does not renew it\./,
      'The turn of node-4 (Updating) stays as it is until an actor takes it up: start `turnus run -f PLAYBOOK` (playbook interrupted).',
    );
    const { version, desired } = await asked(interrupted);
    expect(desired).toEqual({ state: 'Pause', by: 'admin', reason: 'flood in the data centre' });

    await expectSaid(['pause', interrupted], /admin asked for that already.*nothing was written/);
    expect((await asked(interrupted)).version).toBe(version);
    // The next ones need not look for a sign of life.
    await cluster.api.patch(lease, { body: { spec: { holderIdentity: '' } } });
  });

  it('a resume takes it back, with the reason that goes with it', async () => {
    await write(interrupted, { state: 'Pause', by: 'admin', reason: 'flood' });
    await expectSaid(['resume', interrupted], `Recorded: run ${interrupted} is to go on.`);
    expect((await asked(interrupted)).desired).toEqual({ state: 'Run', by: 'admin' });
    await expectSaid(['resume', interrupted], /nothing holds it up; nothing was written/);
  });

  it('an abort may be made one at once, but is never softened', async () => {
    await expectSaid(['abort', interrupted], 'The turn of node-4 (Updating) is finished first');
    expect((await asked(interrupted)).desired.state).toBe('Abort');
    await expectRefused(['pause', interrupted], /is being aborted \(asked for by admin\)/, /turnus resume/);
    await expectSaid(['abort', interrupted, '--now'], 'stops after its present call and is Failed');
    expect((await asked(interrupted)).desired.state).toBe('AbortNow');
    await expectRefused(['abort', interrupted], /that is not softened/);
    await expectSaid(['abort', interrupted, '--now'], /admin asked for that already/);
    await expectSaid(['resume', interrupted], 'is to go on');
    expect((await asked(interrupted)).desired).toEqual({ state: 'Run', by: 'admin' });
  });

  it('requests are recorded, each once; the latest word on a node counts', async () => {
    await askNothing(failed);
    await expectSaid(
      ['retry', failed, 'node-2', '--reason', 'disk replaced'],
      'Recorded: the turn of node-2 is to go on at the step that failed.',
      '(playbook failed) to have it answered.',
    );
    await expectSaid(['retry', failed, 'node-2'], /admin asked for retry of node-2 already/);
    await expectSaid(['skip', failed, 'node-3'], 'Recorded: node-3 is to be left out of run');
    const { requests = [] } = (await asked(failed)).desired;
    expect(requests).toEqual([
      { id: expect.any(String) as string, verb: 'retry', node: 'node-2', by: 'admin', reason: 'disk replaced' },
      { id: expect.any(String) as string, verb: 'skip', node: 'node-3', by: 'admin' },
    ]);
    expect(requests[0]?.id).not.toBe(requests[1]?.id);

    await expectSaid(
      ['retry', failed, 'node-2', '--again'],
      'its script is run once more',
      'It replaces the retry of node-2 that admin asked for, which nobody answered.',
    );
    expect((await asked(failed)).desired.requests).toEqual([
      requests[1],
      { id: expect.any(String) as string, verb: 'retry-again', node: 'node-2', by: 'admin' },
    ]);
  });

  it('resume lets failures stand', async () => {
    await askNothing(failed);
    await expectSaid(['pause', failed]);
    await expectSaid(['resume', failed], 'It goes on in spite of node-2, which stays as it is.');
    expect((await asked(failed)).desired).toEqual({
      state: 'Run',
      by: 'admin',
      requests: [{ id: expect.any(String) as string, verb: 'resume', by: 'admin' }],
    });
  });

  it('people who ask at the same moment are all heard', async () => {
    const nodes = Array.from({ length: 8 }, (_, place) => `node-${String(place)}`);
    await createRun('by-hand', nodes);
    const { kubeconfigPath } = cluster;
    // In this process, so that they read and write at the same time.
    const results = await Promise.all(
      [...nodes.map((node) => ['skip', 'by-hand', node]), ['pause', 'by-hand']].map((args) =>
        runHere([...args, '--kubeconfig', kubeconfigPath]),
      ),
    );
    for (const result of results) expectExit(result, 0);
    const { state, requests = [] } = (await asked('by-hand')).desired;
    expect(state).toBe('Pause');
    expect(requests.map(({ node }) => node).sort()).toEqual(nodes);
  });

  it('nonsense by hand is taken by the API server, and put right by the next command', async () => {
    await write(failed, { state: 'Stop', by: null, reason: null, requests: null });
    await expectSaid(
      ['retry', failed, 'node-2'],
      'spec.desired.state is "Stop", which is none of Run, Pause, Abort, AbortNow; it counts as Pause. It is put right.',
      `is paused: the turn begins after: turnus resume ${failed}`,
    );
    expect((await asked(failed)).desired).toMatchObject({ state: 'Pause', requests: [{ verb: 'retry' }] });
  });
});

describe('bad input', () => {
  const everyCommand = ['pause', 'resume', 'abort', 'abort --now', 'retry node-1', 'skip node-1'].map((words) => {
    const [command = '', ...more] = words.split(' ');
    return { words, command, more };
  });

  it.each(everyCommand)('$words of an unknown run names those there are', async ({ command, more }) => {
    const known = [completed, failed, interrupted].map((run) => `${run} (`);
    await expectRefused([command, 'monthly-1999-01', ...more], 'There is no run "monthly-1999-01"', ...known);
  });

  it.each(['', '..', 'a/b', 'Monthly', '-'])('the run "%s" is none', async (run) => {
    await expectRefused(['pause', '--', run], `There is no run ${JSON.stringify(run)}`);
  });

  it.each(['retry', 'skip'])('%s of an unknown node names the nodes of the run', async (command) => {
    await expectRefused([command, failed, 'node-9'], 'has no turn of node node-9; it has: node-2, node-3.');
  });

  it('retry of a turn that has not failed says what it is', async () => {
    await expectRefused(['retry', failed, 'node-3'], 'The turn of node-3 is Pending, not Failed');
    await expectRefused(['retry', interrupted, 'node-4', '--again'], 'The turn of node-4 is Updating, not Failed');
  });

  it('skip of a turn in work says how it is ended', async () => {
    await expectRefused(['skip', interrupted, 'node-4'], `end it first with: turnus abort ${interrupted}`);
  });

  it.each(everyCommand)('$words of a completed run is refused', async ({ command, more }) => {
    await expectRefused([command, completed, ...more], `Run ${completed} is Completed`);
  });
});

describe('somebody who may only ask', () => {
  const rbac = 'rbac.authorization.k8s.io';

  it('is refused by name without the rights, and needs no more than turnus-operate', async () => {
    await askNothing(interrupted);
    const kubeconfig = await cluster.kubeconfigFor('operator');
    const before = await asked(interrupted);
    const refused = await runTurnus(['pause', interrupted], { kubeconfig });
    expectExit(refused, 2);
    expect(refused.stderr).toMatch(/customresourcedefinitions|maintenanceruns/);

    await cluster.api.create({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'operators' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'turnus-operate' },
      subjects: [{ kind: 'User', apiGroup: rbac, name: 'operator' }],
    });
    expect((await asked(interrupted)).version).toBe(before.version);
    await waitFor({
      what: 'the rights of the operator',
      probe: async () => (await runTurnus(['pause', interrupted], { kubeconfig })).exitCode === 0,
    });
    expect((await asked(interrupted)).desired).toEqual({ state: 'Pause', by: 'operator' });
    const run = await runTurnus(['pause', 'monthly-1999-01'], { kubeconfig });
    expectExit(run, 2);
    expect(run.stderr).toContain(`There are: `);
  });
});

/** An actor that is alive, as lease and run show it, and does what the test says; the real one is tried elsewhere. */
async function withActor(run: string, body: () => Promise<void>): Promise<void> {
  await writeStatus(run, { actor: 'cron@ops/1' });
  const renewing = new AbortController();
  const renewed = (async () => {
    while (!renewing.signal.aborted) {
      const renewTime = new Date().toISOString().replace('Z', '000Z');
      await cluster.api.patch(lease, { body: { spec: { holderIdentity: 'cron@ops/1', renewTime } } });
      await waitFor({ what: 'the next renewal', probe: () => renewing.signal.aborted, timeoutMs: 1000 }).catch(
        () => undefined,
      );
    }
    await cluster.api.patch(lease, { body: { spec: { holderIdentity: '' } } });
  })();
  try {
    await body();
  } finally {
    renewing.abort();
    await renewed;
  }
}

async function writeStatus(run: string, status: unknown): Promise<void> {
  await cluster.api.patch(
    { kind: 'MaintenanceRun', namespace: systemNamespace, name: run },
    { body: { status }, subresource: 'status' },
  );
}

describe('while an actor is at work', () => {
  it.each([
    { result: 'done: node-3 is skipped', exitCode: 0 },
    { result: 'refused: the turn of node-3 is in work', exitCode: 2 },
  ])('its answer to a request is waited for: $result', async ({ result, exitCode }) => {
    await askNothing(failed);
    await withActor(failed, async () => {
      const command = turnus('skip', failed, 'node-3');
      const request = await waitFor({
        what: 'the request',
        probe: async () => (await asked(failed)).desired.requests?.[0],
      });
      await writeStatus(failed, { handledRequests: [{ id: request.id, result, time: new Date().toISOString() }] });
      const end = await command;
      expectExit(end, exitCode);
      expect(end.stderr).toContain(`Answered: ${result}`);
    });
    await expectSaid(['retry', failed, 'node-2'], 'Nobody is at work.');
    // What is answered is dropped.
    expect((await asked(failed)).desired.requests).toMatchObject([{ verb: 'retry' }]);
  });

  it('of another run, it is said that this one has nobody', async () => {
    await askNothing(failed);
    await withActor(interrupted, async () => {
      await writeStatus(failed, { actor: 'somebody@ops/0' });
      await expectSaid(['pause', failed], 'cron@ops/1 is at work in this cluster, but not on this run.');
    });
  });

  it('a state is waited for until the run shows it, and given up in time', async () => {
    await askNothing(interrupted);
    await withActor(interrupted, async () => {
      const before = Date.now();
      await expectSaid(['pause', interrupted], 'cron@ops/1 is at work and answers as soon as it can.');
      expect(Date.now() - before).toBeLessThan(30_000);
      const command = turnus('abort', interrupted);
      await waitFor({ what: 'the abort', probe: async () => (await asked(interrupted)).desired.state === 'Abort' });
      await writeStatus(interrupted, { phase: 'Aborted' });
      const end = await command;
      expectExit(end, 0);
      expect(end.stderr).toContain(`Run ${interrupted} is Aborted.`);
    });
    await expectSaid(['abort', interrupted], `Run ${interrupted} is Aborted already; nothing was written.`);
    await expectSaid(['resume', interrupted], 'is to go on');
    expect((await asked(interrupted)).desired.state).toBe('Run');
  });
});
