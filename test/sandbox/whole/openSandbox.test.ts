import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { resources } from '../../../src/cluster/resources.js';
import { connect } from '../../../src/kubernetes/connect.js';
import { loadPlaybook } from '../../../src/playbook/loadPlaybook.js';
import { openSandbox, type Sandbox } from '../../../src/sandbox/openSandbox.js';
import { demoPace } from '../../../src/sandbox/scene/scenePace.js';
import { systemClock } from '../../../src/systemClock.js';

const never = new AbortController().signal;
const scene = { nodes: 6, port: 0, pace: demoPace, clock: systemClock };

async function sandbox(): Promise<Sandbox> {
  const opened = await openSandbox(scene, never);
  onTestFinished(() => opened.close());
  return opened;
}

describe('a sandbox', { timeout: 60_000 }, () => {
  it('has what the story needs, behind a playbook without mistakes', async () => {
    const opened = await sandbox();
    const cluster = await connect({
      kubeconfigPath: opened.kubeconfigPath,
      inCluster: false,
      userAgent: 'test',
      clock: systemClock,
      requestTimeoutMs: 10_000,
    });
    onTestFinished(() => {
      cluster.close();
    });
    const list = async (resource: (typeof resources)[keyof typeof resources]) => {
      const answer = await cluster.list({ resource }, never);
      return answer.kind === 'ok' ? answer.value.items : [];
    };
    const nodes = await list(resources.nodes);
    expect(nodes.map(({ metadata }) => metadata.labels?.['topology.kubernetes.io/zone'])).toEqual([
      'zone-a',
      'zone-b',
      'zone-c',
      'zone-a',
      'zone-b',
      'zone-c',
    ]);
    const pods = await list(resources.pods);
    const nodesOf = (app: string) =>
      pods
        .filter(({ metadata }) => metadata.labels?.['app'] === app)
        .map((pod) => (pod['spec'] as { nodeName: string }).nodeName);
    expect(new Set(nodesOf('search'))).toEqual(new Set(['worker-4']));
    expect(nodesOf('search')).toHaveLength(3);
    expect(new Set(nodesOf('network-agent')).size).toBe(6);
    expect(new Set(nodesOf('web')).size).toBe(3);
    expect(nodesOf('nightly-report')).toHaveLength(1);

    const answer = await loadPlaybook({
      now: 0,
      file: opened.playbookPath,
      homeDirectory: '/nonexistent',
      readFile: async (path) => ({ kind: 'ok', bytes: await readFile(path) }),
    });
    expect(answer).toMatchObject({ kind: 'ok', warnings: [] });
  });

  it('keeps its token and its key to its user', async () => {
    const { directory, kubeconfigPath, playbookPath } = await sandbox();
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(directory)).toBe('700');
    for (const file of ['client_key', 'known_hosts', 'upgrade.sh', basename(kubeconfigPath), basename(playbookPath)])
      expect([file, await modeOf(join(directory, file))]).toEqual([file, '600']);
  });

  it('gives the stuck workload its second replica', async () => {
    const opened = await sandbox();
    await opened.mendStuck(never);
    expect(opened.newestRun()).toBeUndefined();
  });

  it('leaves nothing when it is closed, once or twice', async () => {
    const opened = await sandbox();
    await opened.close();
    await opened.close();
    expect(existsSync(opened.directory)).toBe(false);
  });

  it('opens nothing where it is stopped first', async () => {
    const reason = new Error('stopped');
    await expect(openSandbox(scene, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
