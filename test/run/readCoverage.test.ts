import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readFile } from '../../src/cli/readFile.js';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { canonicalJson } from '../../src/journal/canonicalJson.js';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import { readCoverage, type CoverageReading } from '../../src/run/readCoverage.js';
import { systemClock } from '../../src/systemClock.js';
import { directoryWith, goodFiles } from '../cli/runTurnus.js';
import { runsOnApi, type RunsOnApi, type WrittenRun } from './runsOnApi.js';

const { signal } = new AbortController();
const dayMs = 86_400_000;

async function playbookOf(changes: { name?: string; selector?: string } = {}): Promise<Playbook> {
  const { name = 'monthly', selector = '' } = changes;
  const text = goodFiles['monthly.yaml']
    .replace('name: monthly', `name: ${name}`)
    .replace(/ {2}cluster: .*\n/, `  schedule: {coverage: 40d}\n  nodes: {selector: '${selector}'}\n`);
  const directory = await directoryWith({ ...goodFiles, 'monthly.yaml': text });
  const answer = await loadPlaybook({
    file: join(directory, 'monthly.yaml'),
    readFile,
    homeDirectory: directory,
    now: 0,
  });
  if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer.mistakes));
  return answer.playbook;
}

/** What a run keeps of a playbook. */
function specOf({ name, normalised }: Playbook, rehearsal = false): NonNullable<WrittenRun['spec']> {
  return { playbook: { name, snapshot: canonicalJson(normalised) }, rehearsal };
}

let api: RunsOnApi;
let monthly: Playbook;

beforeEach(async () => {
  api = runsOnApi();
  monthly = await playbookOf();
});

async function read(playbook?: Playbook, cluster: ClusterPort = api.port): Promise<CoverageReading> {
  const clock = { ...systemClock, now: () => api.now() };
  return await readCoverage({ cluster, clock, playbook }, signal);
}

function verdicts({ coverage }: CoverageReading): string[] {
  return coverage.playbooks.flatMap(({ playbook, nodes }) =>
    nodes.map(({ node, verdict, isAlarm }) => `${playbook} ${node} ${verdict}${isAlarm ? '!' : ''}`),
  );
}

const doneNow = () => ({ phase: 'Done', finishedAt: new Date(api.now()).toISOString() });

describe('coverage as it is read from a cluster', () => {
  it('is judged by the playbook that the newest run keeps, and by what all runs have recorded', async () => {
    for (const name of ['n1', 'n2']) api.addNode(name);
    api.passDays(1);
    api.addRun({ name: 'monthly-2026-10', spec: specOf(monthly), turns: { n1: doneNow() } });
    api.passDays(30);
    api.addRun({
      name: 'monthly-2026-11',
      spec: specOf(monthly),
      phase: 'AwaitingWindow',
      turns: { n1: { phase: 'Pending' } },
    });
    expect(verdicts(await read())).toEqual(['monthly n2 never', 'monthly n1 covered']);
    api.passDays(20);
    const late = await read();
    expect(verdicts(late)).toEqual(['monthly n2 never!', 'monthly n1 overdue!']);
    expect(late.coverage.playbooks).toMatchObject([
      {
        snapshotOf: 'monthly-2026-11',
        coverageMs: 40 * dayMs,
        current: { run: 'monthly-2026-11', toCome: [{ node: 'n1', phase: 'Pending' }], notInRun: ['n2'] },
      },
    ]);
    expect(late.notUnderstood).toEqual([]);
  });

  it('takes each playbook in its newest form, and no rehearsal', async () => {
    api.addNode('n1');
    const narrow = await playbookOf({ selector: 'pool=gpu' });
    api.addRun({ name: 'monthly-2026-10', spec: specOf(narrow) });
    api.addRun({ name: 'monthly-2026-11', spec: specOf(monthly) });
    api.addRun({ name: 'monthly-2026-11-rehearsal-1', spec: specOf(narrow, true), turns: { n1: doneNow() } });
    api.addRun({ name: 'weekly-2026-11', spec: specOf(await playbookOf({ name: 'weekly' })) });
    const { coverage } = await read();
    expect(coverage.playbooks.map(({ playbook, snapshotOf }) => `${playbook} of ${snapshotOf ?? ''}`)).toEqual([
      'monthly of monthly-2026-11',
      'weekly of weekly-2026-11',
    ]);
    expect(coverage.playbooks[0]?.nodes).toMatchObject([{ node: 'n1', lastTurn: undefined }]);
  });

  it('does not count what a machine had that was registered anew, and counts the mark of a run that is gone', async () => {
    api.addNode('n1');
    api.addNode('n2', { time: api.now(), run: 'monthly-2026-09' });
    api.addRun({ name: 'monthly-2026-10', spec: specOf(monthly), turns: { n1: doneNow() } });
    api.removeNode('n1');
    api.addNode('n1');
    const { coverage } = await read();
    expect(coverage.playbooks[0]?.nodes).toMatchObject([
      { node: 'n2', verdict: 'covered', lastTurn: { run: 'monthly-2026-09', knownBy: 'annotation' } },
      { node: 'n1', verdict: 'never' },
    ]);
  });

  it('is judged by the playbook of the call alone, where there is one', async () => {
    api.addNode('n1');
    api.addRun({ name: 'weekly-2026-11', spec: specOf(await playbookOf({ name: 'weekly' })) });
    const { coverage } = await read(monthly);
    expect(coverage.playbooks).toMatchObject([{ playbook: 'monthly', snapshotOf: undefined, current: undefined }]);
  });

  it('goes back to the last form that it understands, and says where there is none', async () => {
    api.addNode('n1');
    const strange = (name: string) => ({ playbook: { name, snapshot: '{"apiVersion":"turnus.dev/v2"}' } });
    api.addRun({ name: 'monthly-2026-10', spec: specOf(monthly) });
    api.addRun({ name: 'monthly-2026-11', spec: strange('monthly') });
    api.addRun({ name: 'weekly-2026-11', spec: strange('weekly') });
    const { coverage, notUnderstood } = await read();
    expect(coverage.playbooks.map(({ snapshotOf }) => snapshotOf)).toEqual(['monthly-2026-10']);
    expect(notUnderstood).toEqual([
      'Playbook weekly, as its runs keep it, has a form that this version of Turnus does not know.',
    ]);
  });
});

describe('coverage that cannot be judged', () => {
  it.each(['nothing at all', 'rehearsals alone'])('because there is %s says so', async (what) => {
    api.addNode('n1');
    if (what !== 'nothing at all') api.addRun({ name: 'monthly-2026-11-rehearsal-1', spec: specOf(monthly, true) });
    await expect(read()).rejects.toMatchObject({ code: 'no-playbook', exitCode: 2 });
  });

  it('because the playbook of the call selects nothing says so', async () => {
    api.addNode('n1');
    await expect(read(await playbookOf({ selector: 'pool=gpu' }))).rejects.toMatchObject({ code: 'no-nodes' });
  });
});

describe('reading it', () => {
  it('only gets and lists, besides asking what one may do; pods only where they tell which nodes are meant', async () => {
    const asked = new Set<string>();
    const noted: ClusterPort = {
      ...api.port,
      get: async (request, aborted) => {
        asked.add(`get ${request.resource.plural}`);
        return await api.port.get(request, aborted);
      },
      list: async (request, aborted) => {
        asked.add(`list ${request.resource.plural}`);
        return await api.port.list(request, aborted);
      },
      create: async (request, aborted) => {
        asked.add(`create ${request.resource.plural}`);
        return await api.port.create(request, aborted);
      },
    };
    api.addNode('n1');
    api.addRun({ name: 'monthly-2026-11', spec: specOf(await playbookOf({ selector: 'a!=b' })) });
    await read(undefined, noted);
    const always = [
      'create selfsubjectaccessreviews',
      'get customresourcedefinitions',
      'list maintenanceruns',
      'list nodes',
      'list nodeturns',
    ];
    expect([...asked].sort()).toEqual(always);
    await read(monthly, noted);
    expect([...asked].sort()).toEqual([...always, 'get namespaces', 'list pods'].sort());
  });
});
