import { describe, expect, it } from 'vitest';
import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { fenced } from '../../src/cluster/fencedPort.js';
import { marks } from '../../src/cluster/marks.js';
import { pruneRuns } from '../../src/run/pruneRuns.js';
import { node } from '../drain/clusterFixtures.js';
import { runsOnApi, type RunsOnApi } from './runsOnApi.js';

const { signal } = new AbortController();
const [september, october, november] = ['monthly-2026-09', 'monthly-2026-10', 'monthly-2026-11'] as const;
const done = { n1: { phase: 'Done' }, n2: { phase: 'Done' } };

function threeRuns(): RunsOnApi {
  const api = runsOnApi();
  for (const name of [september, october, november]) api.addRun({ name, turns: done });
  return api;
}

/** What was said, and what was recorded before anything was deleted. */
async function prune(
  api: RunsOnApi,
  changes: { limit?: number; cluster?: ClusterPort; nodes?: Parameters<typeof pruneRuns>[0]['nodes'] } = {},
) {
  const said: string[] = [];
  const recorded: { runs: readonly string[]; limit: number; there: string[] }[] = [];
  await pruneRuns(
    {
      cluster: changes.cluster ?? api.port,
      namespace: api.namespace,
      playbook: { name: 'monthly', runHistoryLimit: changes.limit ?? 1 },
      current: november,
      nodes: changes.nodes ?? [],
      record: (evidence) => {
        recorded.push({ ...evidence, there: api.names('runs') });
        return Promise.resolve();
      },
      log: (line) => said.push(line),
    },
    signal,
  );
  return { said, recorded };
}

describe('deleting old runs', () => {
  it('takes the oldest with their turns, says so in one line, and records it before', async () => {
    const api = threeRuns();
    expect(api.names('turns')).toHaveLength(6);
    expect(await prune(api)).toEqual({
      said: [`Deleted, as spec.runHistoryLimit is 1: ${september}, ${october}.`],
      recorded: [{ runs: [september, october], limit: 1, there: [september, october, november] }],
    });
    expect(api.names('runs')).toEqual([november]);
    expect(api.names('turns').filter((name) => name.startsWith(november))).toHaveLength(2);
    expect(api.names('turns')).toHaveLength(2);
  });

  it('says and records nothing where there is nothing to delete', async () => {
    const api = threeRuns();
    expect(await prune(api, { limit: 3 })).toEqual({ said: [], recorded: [] });
    expect(api.names('runs')).toHaveLength(3);
  });

  it('leaves the run whose cordon stands on a node', async () => {
    const api = threeRuns();
    const cordoned = node('n1', { unschedulable: true, annotations: { [marks.cordonedBy]: september } });
    await prune(api, { nodes: [cordoned] });
    expect(api.names('runs')).toEqual([september, november]);
  });

  it('leaves a run that this version does not understand', async () => {
    const api = runsOnApi();
    const place = { namespace: api.namespace };
    const strange = {
      apiVersion: 'turnus.dev/v1alpha1',
      kind: 'MaintenanceRun',
      metadata: { name: 'monthly-2020-01', ...place },
    };
    const resource = { group: 'turnus.dev', version: 'v1alpha1', plural: 'maintenanceruns', namespaced: true };
    await api.port.create(
      { resource, ...place, object: { ...strange, spec: { playbook: { name: 'monthly' } } } },
      signal,
    );
    for (const name of [october, november]) api.addRun({ name });
    expect((await prune(api)).said).toEqual([`Deleted, as spec.runHistoryLimit is 1: ${october}.`]);
    expect(api.names('runs')).toEqual(['monthly-2020-01', november]);
  });
});

describe('where old runs cannot be deleted', () => {
  it.each<{ title: string; cluster: (port: ClusterPort) => ClusterPort; says: RegExp }>([
    {
      title: 'it may not delete',
      cluster: (port) => ({
        ...port,
        delete: () => Promise.resolve({ kind: 'forbidden', message: 'ada cannot delete it' }),
      }),
      says: /^warning: .*monthly-2026-09 could not be deleted \(`turnus install` gives the permission\): ada cannot delete it\. The next run tries again\.$/,
    },
    {
      title: 'the API server is away',
      cluster: (port) => ({ ...port, list: () => Promise.resolve({ kind: 'unreachable', message: 'no answer.' }) }),
      says: /^warning: .*no answer\. The next run tries again\.$/,
    },
    {
      title: 'the lease is lost',
      cluster: (port) => fenced(port, () => ({ kind: 'lost', reason: 'the lease was not renewed' })),
      says: /^warning: .*the lease was not renewed\. The next run tries again\.$/,
    },
  ])('because $title, one line says so and nothing else happens', async ({ cluster, says }) => {
    const api = threeRuns();
    const { said } = await prune(api, { cluster: cluster(api.port) });
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(says);
    expect(api.names('runs')).toEqual([september, october, november]);
  });
});
