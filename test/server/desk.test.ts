import { afterEach, describe, expect, it } from 'vitest';
import { clusterFiles } from '../../src/cli/playbookFiles.js';
import type { ApiFailure, ClusterPort } from '../../src/cluster/clusterPort.js';
import { resources } from '../../src/cluster/resources.js';
import { manifests } from '../../src/install/manifests.js';
import { playbookStatusSchema, type PlaybookStatus } from '../../src/playbook/playbookStatus.js';
import { newRun, newTurn, parseRun, playbookResource, runResource, turnResource } from '../../src/run/objects.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { systemTimeline } from '../../src/sandbox/systemTimeline.js';
import type { Hindrance } from '../../src/server/acts/hindrance.js';
import { openDesk, type Desk, type DeskOptions } from '../../src/server/playbooks/desk.js';
import { followOwnObjects } from '../../src/server/ownObjects.js';
import { objectSource } from '../../src/server/playbooks/playbookSource.js';
import { openWakeUp } from '../../src/server/wakeUp.js';
import { systemClock } from '../../src/systemClock.js';
import type { Clock } from '../../src/time/clock.js';
import { runSpec } from '../run/runFixtures.js';
import { apiWith, create, read, setStatus } from '../sandbox/api/apiFixture.js';
import { resourceOf } from '../simulation/nightObjects.js';
import { clusterUid, namespace, playbookObject, script, specWith } from './readPlaybooks.js';

/** What is waited for by the clock comes a hundred times sooner. */
const clock: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) };

const closes: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closes.splice(0)) await close();
});

/** A desk on the sandbox's API, which can be told to answer otherwise. */
async function served(busy: DeskOptions['busy'] = () => undefined) {
  const { api } = apiWith({ timeline: systemTimeline });
  for (const object of manifests(namespace, ['serve'])) create(api, resourceOf(object), object);
  create(api, resources.secrets, { metadata: { name: 'login', namespace }, data: { id: 'a2V5' } });
  create(api, resources.configMaps, { metadata: { name: 'hosts', namespace }, data: { known_hosts: '' } });
  create(api, resources.configMaps, { metadata: { name: 'scripts', namespace }, data: { 'update.sh': script } });
  const trouble: { get?: ApiFailure; writes: string[]; refuses?: string } = { writes: [] };
  const port = simulatedPort({ api, caller: 'turnus' });
  const cluster: ClusterPort = {
    ...port,
    get: async (request, signal) => trouble.get ?? (await port.get(request, signal)),
    patch: async (request, signal) => {
      if (request.name === trouble.refuses) return { kind: 'invalid', message: 'too large' };
      trouble.writes.push(request.name);
      return await port.patch(request, signal);
    },
  };
  const ending = new AbortController();
  const { signal } = ending;
  const wakeUp = openWakeUp(clock);
  const own = await followOwnObjects({
    cluster,
    namespace,
    clock,
    random: () => 0.5,
    signal,
    withPlaybooks: true,
    onProblem: () => undefined,
  });
  const lines: string[] = [];
  const hindrances = new Map<string, Hindrance>();
  const forgotten: string[] = [];
  const { readFile } = clusterFiles({ cluster, namespace }, signal);
  const desk = openDesk({
    source: objectSource({ readFile, clock, objects: () => own.playbooks() }),
    own,
    cluster,
    clock,
    clusterUid,
    namespace,
    wakeUp,
    busy,
    log: (event, { playbook = '', run = '' }) => lines.push(`${event} ${playbook}${run}`),
    hindrances: () => hindrances,
    onJudged: () => undefined,
    onForgotten: (name) => forgotten.push(name),
  });
  const keeping = desk.keep(signal).catch(() => undefined);
  closes.push(async () => {
    ending.abort(new Error('the test has ended'));
    await keeping;
    await own.close();
    await wakeUp.close();
  });
  const status = (name = 'monthly'): PlaybookStatus =>
    playbookStatusSchema.parse(read(api, playbookResource, name, namespace)['status'] ?? {});
  return { api, own, desk, trouble, lines, forgotten, hindrances, status };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const endsAt = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > endsAt) throw new Error(`waited in vain for ${what}`);
    await systemClock.sleep(5, new AbortController().signal);
  }
}

function valid({ conditions = [] }: PlaybookStatus): string | undefined {
  return conditions.find(({ type }) => type === 'Valid')?.reason;
}

function edit(api: Awaited<ReturnType<typeof served>>['api'], spec: unknown, name = 'monthly'): void {
  const operations = [{ op: 'add' as const, path: '/spec', value: spec }];
  api.patch({ resource: playbookResource, name, namespace, patch: { type: 'json', operations } }, 'anna');
}

function inForceOf(desk: Desk): number | undefined {
  return desk.judged().find(({ name }) => name === 'monthly')?.inForce?.generation;
}

const fresh = (name = 'monthly', annotations = {}) =>
  playbookObject({ metadata: { namespace, name, annotations }, spec: specWith() });

describe('the desk', () => {
  it('knows nothing of playbooks in other namespaces', async () => {
    const { api, desk, status } = await served();
    const elsewhere = 'team';
    create(api, resources.namespaces, { metadata: { name: elsewhere } });
    const stray = { ...fresh('stray'), metadata: { namespace: elsewhere, name: 'stray' } };
    create(api, playbookResource, stray);
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    expect(desk.judged().map(({ name }) => name)).toEqual(['monthly']);
    expect(read(api, playbookResource, 'stray', elsewhere)).not.toHaveProperty('status');
  });

  it('judges nothing while the API server is away, keeps what it had and reads again afterwards', async () => {
    const { api, desk, trouble, lines, status } = await served();
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    trouble.get = { kind: 'unreachable', message: 'connection refused' };
    edit(api, specWith({ opens: 23 }));
    await until('the outage to be told', () => lines.includes('playbooks.unread '));
    expect(inForceOf(desk)).toBe(1);
    expect(status()).toMatchObject({
      observedGeneration: 1,
      conditions: [{ reason: 'Unhindered' }, { reason: 'InForce' }],
    });
    delete trouble.get;
    await until('the edit to be in force', () => status().inForce?.generation === 2);
    expect(lines.filter((line) => line.startsWith('playbook.invalid'))).toEqual([]);
    // Each outage is told once.
    expect(lines.filter((line) => line.startsWith('playbooks.unread'))).toHaveLength(1);
  });

  it('leaves in force what it has read where a ConfigMap has gone, and says so', async () => {
    const { api, desk, lines, status } = await served();
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    api.delete({ resource: resources.configMaps, name: 'scripts', namespace }, 'anna');
    await until('the mistake to be told', () => valid(status()) === 'Mistakes');
    expect(inForceOf(desk)).toBe(1);
    expect(lines).toContain('playbook.invalid monthly');
    create(api, resources.configMaps, { metadata: { name: 'scripts', namespace }, data: { 'update.sh': script } });
    await until('the playbook to be good again', () => valid(status()) === 'InForce');
  });

  it('writes a status when it says something else, and not when something else is written', async () => {
    const { api, own, desk, trouble, status } = await served();
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    const run = create(
      api,
      runResource,
      newRun({ name: 'weekly-2026-11', namespace, spec: { ...runSpec, playbook: { name: 'weekly', snapshot: '{}' } } }),
    );
    const writes = trouble.writes.length;
    for (let time = 1; time <= 5; time += 1) {
      const before = { own: own.version, desk: desk.version };
      setStatus(api, runResource, run, { phase: 'Running', message: String(time) });
      await until('the change to be seen', () => own.version > before.own && desk.version > before.desk);
    }
    expect(trouble.writes.length).toBe(writes);
  });

  it('writes a status anew that somebody else has written', async () => {
    const { api, status } = await served();
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    const own = status();
    setStatus(api, playbookResource, read(api, playbookResource, 'monthly', namespace), { observedGeneration: 7 });
    await until('the status to be right again', () => status().inForce !== undefined);
    expect(status()).toMatchObject({ observedGeneration: 1, inForce: { generation: own.inForce?.generation } });
  });

  it('tells what hinders the playbook, and when it does not any more', async () => {
    const { api, desk, hindrances, status } = await served();
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    const ready = () => status().conditions?.find(({ type }) => type === 'Ready')?.reason;
    hindrances.set('monthly', { kind: 'refused', message: 'Run x was made from another plan.' });
    desk.again();
    await until('the hindrance to be told', () => ready() === 'Refused');
    hindrances.delete('monthly');
    desk.again();
    await until('its end to be told', () => ready() === 'Unhindered');
  });

  it('writes the others where one status cannot be written', async () => {
    const { api, trouble, lines, status } = await served();
    trouble.refuses = 'first';
    create(api, playbookResource, fresh('first'));
    create(api, playbookResource, fresh('second'));
    await until('the second to be written', () => valid(status('second')) === 'InForce');
    await until('the first to be told', () => lines.includes('playbooks.unread '));
    expect(status('first')).toEqual({});
    delete trouble.refuses;
    await until('the first to be written', () => valid(status('first')) === 'InForce');
  });

  it('knows nothing of a playbook of the same name that was deleted', async () => {
    const { api, desk, forgotten, status } = await served();
    create(api, playbookResource, fresh());
    await until('the playbook to be in force', () => valid(status()) === 'InForce');
    desk.note('monthly', { trigger: { id: 't1', time: 'x', answer: 'refused: x', finishedAt: 'x' } });
    await until('the answer to be written', () => status().trigger?.id === 't1');
    api.delete({ resource: playbookResource, name: 'monthly', namespace }, 'anna');
    await until('it to be forgotten', () => forgotten.includes('monthly'));
    const spec = specWith({ more: '' });
    create(api, playbookResource, playbookObject({ metadata: { namespace, name: 'monthly' }, spec }));
    await until('the new one to be judged', () => valid(status()) === 'NoJournal');
    expect(status().trigger).toBeUndefined();
    expect(desk.triggerOf('monthly')).toBeUndefined();
    expect(inForceOf(desk)).toBeUndefined();
  });

  it('tells who asks for a start why it has to wait', async () => {
    const { api, status } = await served(() => ({ trigger: undefined, text: 'ben is at work' }));
    const written = { 'turnus.dev/trigger-id': 't1', 'turnus.dev/trigger-by': 'anna' };
    create(api, playbookResource, fresh('monthly', { ...written, 'turnus.dev/trigger-reason': 'urgent' }));
    create(api, playbookResource, fresh('odd', written));
    await until('the answer', () => status().trigger?.answer === 'waits: ben is at work');
    await until('the refusal', () => status('odd').trigger?.finishedAt !== undefined);
    expect(status('odd').trigger?.answer).toMatch(/^refused: /);
    expect(status().trigger?.finishedAt).toBeUndefined();
  });

  it('tells who asked for a start that nothing is in force at the moment, and which run it had begun', async () => {
    const { api, status } = await served();
    const annotations = {
      'turnus.dev/trigger-id': 't1',
      'turnus.dev/trigger-by': 'anna',
      'turnus.dev/trigger-reason': 'urgent',
    };
    const name = 'monthly-2026-11';
    const spec = { ...runSpec, playbook: { name: 'monthly', snapshot: '{}' }, trigger: 't1' };
    create(api, runResource, newRun({ name, namespace, spec }));
    create(
      api,
      playbookResource,
      playbookObject({ metadata: { namespace, name: 'monthly', annotations }, spec: specWith({ more: '' }) }),
    );
    await until('the answer', () => status().trigger !== undefined);
    const answer = expect.stringMatching(/^waits: nothing of the playbook is in force/) as string;
    expect(status().trigger).toEqual({ id: 't1', run: name, answer, time: expect.any(String) as string });
  });

  it('says loudly that nobody finishes the turn of a run whose playbook was deleted', async () => {
    const { api, lines, status } = await served();
    create(api, playbookResource, fresh());
    const object = create(api, runResource, newRun({ name: 'monthly-2026-11', namespace, spec: runSpec }));
    const run = parseRun(setStatus(api, runResource, object, { phase: 'Running' }));
    const spec = { run: run.name, node: 'node-1', nodeUid: 'u', rehearsal: false };
    setStatus(api, turnResource, create(api, turnResource, newTurn({ run, namespace, spec })), { phase: 'Draining' });
    await until('the run to be told of', () => status().lastRun?.phase === 'Running');
    expect(lines.filter((line) => line.startsWith('run.unserved'))).toEqual([]);
    api.delete({ resource: playbookResource, name: 'monthly', namespace }, 'anna');
    await until('it to be said', () => lines.includes('run.unserved monthlymonthly-2026-11'));
  });
});
