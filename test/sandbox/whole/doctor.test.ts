import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiObject, ClusterPort } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import type { Check, DoctorReport } from '../../../src/doctor/check.js';
import { connect } from '../../../src/kubernetes/connect.js';
import { openSandbox, type Sandbox } from '../../../src/sandbox/openSandbox.js';
import { demoPace } from '../../../src/sandbox/scene/scenePace.js';
import { systemClock } from '../../../src/systemClock.js';
import { runTurnus as runHere } from '../../cli/runTurnus.js';
import { turnusProcess } from './turnusProcess.js';

const never = new AbortController().signal;
let sandbox: Sandbox;
let cluster: ClusterPort;

beforeAll(async () => {
  sandbox = await openSandbox({ nodes: 5, port: 0, pace: demoPace, clock: systemClock }, never);
  cluster = await connect({
    kubeconfigPath: sandbox.kubeconfigPath,
    inCluster: false,
    userAgent: 'test',
    clock: systemClock,
    requestTimeoutMs: 10_000,
  });
}, 60_000);

afterAll(async () => {
  cluster.close();
  await sandbox.close();
});

async function doctor(...args: string[]): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const turnus = await turnusProcess(['doctor', '-f', sandbox.playbookPath, ...args], sandbox.kubeconfigPath);
  const exitCode = await turnus.exited;
  return { exitCode, stdout: turnus.stdout(), stderr: turnus.stderr() };
}

async function reported(exitCode: number, ...args: string[]): Promise<DoctorReport> {
  const end = await doctor('-o', 'json', ...args);
  expect(end.exitCode, `${end.stdout}\n${end.stderr}`).toBe(exitCode);
  expect(end.stderr).toBe('');
  return JSON.parse(end.stdout) as DoctorReport;
}

/** `subject check` of whatever is in this state. */
function inState({ checks }: DoctorReport, state: Check['state']): string[] {
  return checks
    .filter((check) => check.state === state)
    .map(({ subject, check }) => `${subject.kind === 'host' ? subject.node : 'cluster'} ${check}`);
}

async function created(resource: (typeof resources)[keyof typeof resources], object: ApiObject): Promise<void> {
  const { namespace } = object.metadata;
  const request = { resource, object, ...(namespace === undefined ? {} : { namespace }) };
  expect(await cluster.create(request, never)).toMatchObject({ kind: 'ok' });
}

const hostFile = (node: string, ...path: string[]) => join(sandbox.directory, 'hosts', node, ...path);

/** Puts another text into a file until the test is over. */
async function changed(path: string, change: (text: string) => string): Promise<() => Promise<void>> {
  const before = await readFile(path, 'utf8');
  await writeFile(path, change(before));
  return async () => {
    await writeFile(path, before);
  };
}

describe('turnus doctor on a sandbox', { timeout: 60_000 }, () => {
  it('finds nothing that stands in the way, and says so in one line a host; exit 0', async () => {
    const end = await doctor();
    expect(end, end.stdout).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/\nok +api-reachable +https:\/\/127\.0\.0\.1:\d+ answers in \d+ ms/);
    expect(end.stdout).toMatch(/\nok +eviction-webhook +No webhook is asked about evictions\.\n/);
    const hosts = end.stdout.split('\nHOST ')[1]?.split('\n').slice(1, 6);
    expect(hosts).toEqual(
      sandbox.nodes.map((node) => expect.stringMatching(`^ok +${node} +127.77.0.\\d +12 ok$`) as string),
    );
    expect(end.stdout).toMatch(/\n0 failed, 0 warnings, \d+ ok\. Nothing of what was looked at stands in the way/);

    const report = await reported(0);
    expect(report).toMatchObject({
      schemaVersion: 1,
      verdict: 'ok',
      target: { context: 'turnus-sandbox' },
      counts: { warning: 0, failed: 0, skipped: 0 },
    });
    expect(report.counts.ok).toBe(report.checks.length);
  });

  it('names each thing that is broken, at its host, without keeping the others from being looked at; exit 3', async () => {
    const [strange = '', down = '', noSudo = '', noBash = '', well = ''] = sandbox.nodes;
    const knownHosts = join(sandbox.directory, 'known_hosts');
    const line = (await readFile(knownHosts, 'utf8')).split('\n')[0] ?? '';
    const mends = [
      await changed(knownHosts, (text) => text.replace(`${line}\n`, '')),
      await changed(
        hostFile(noSudo, 'bin', 'sudo'),
        () => '#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n',
      ),
      await changed(join(sandbox.directory, 'upgrade.sh'), (text) =>
        text.replace(/^#!.*/, '#!/usr/bin/env turnus-shell'),
      ),
    ];
    for (const node of sandbox.nodes.filter((name) => name !== noBash)) {
      await writeFile(hostFile(node, 'bin', 'turnus-shell'), '#!/bin/sh\nexec /bin/sh "$@"\n');
      await chmod(hostFile(node, 'bin', 'turnus-shell'), 0o755);
    }
    const broken = await turnusProcess(['sandbox', 'break', 'lose-host', down], sandbox.kubeconfigPath);
    expect(await broken.exited).toBe(0);

    const report = await reported(3);
    expect(report.verdict).toBe('failed');
    expect(inState(report, 'failed')).toEqual([
      `${strange} host-key`,
      `${down} reachable`,
      `${noSudo} sudo`,
      `${noBash} programs`,
    ]);
    expect(report.checks.filter(({ subject }) => subject.kind === 'host' && subject.node === well)).toHaveLength(12);
    expect(report.checks.find(({ check, state }) => check === 'host-key' && state === 'failed')).toMatchObject({
      knownHostsLine: line,
      fingerprint: expect.stringMatching(/^SHA256:/) as string,
    });

    const { exitCode, stdout } = await doctor('--node', strange, '--node', noSudo);
    expect(exitCode).toBe(3);
    expect(stdout.split('\n')).toContain(line);
    expect(stdout).toMatch(/To do: Compare SHA256:\S+ on/);
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/FAILED sudo .*a password is required.*NOPASSWD/);
    expect(stdout).toContain('this call looks at 2 of them');
    expect(stdout).not.toContain(`${down} `);

    for (const mend of mends) await mend();
    expect(await (await turnusProcess(['sandbox', 'mend'], sandbox.kubeconfigPath)).exited).toBe(0);
    expect(inState(await reported(0), 'failed')).toEqual([]);
  });

  it('tells a webhook that may refuse evictions from one that refuses them all', async () => {
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] }];
    const webhook = (name: string, service: string) => ({
      name,
      rules,
      clientConfig: { service: { namespace: 'guard', name: service } },
      namespaceSelector: { matchLabels: { team: 'nobody' } },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    });
    await created(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'guard' } });
    await created(resources.services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'guard', name: 'dead' },
      spec: { selector: { app: 'dead' }, ports: [{ port: 443 }] },
    });
    await created(resources.validatingWebhooks, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'guard' },
      webhooks: [
        webhook('dead.example.com', 'dead'),
        { ...webhook('open.example.com', 'gone'), failurePolicy: 'Ignore' },
      ],
    });
    const report = await reported(3);
    expect(inState(report, 'failed')).toEqual(['cluster eviction-webhook']);
    expect(inState(report, 'warning')).toEqual(['cluster eviction-webhook']);
    const [dead, open] = report.checks.filter(({ check }) => check === 'eviction-webhook');
    expect(dead).toMatchObject({ state: 'failed', message: expect.stringContaining('dead.example.com') as string });
    expect(open?.message).toContain('open.example.com');
    const name = 'guard';
    expect(await cluster.delete({ resource: resources.validatingWebhooks, name }, never)).toMatchObject({ kind: 'ok' });
  });

  it('measures the clock of the API server by its own words', async () => {
    const env = { HOME: sandbox.directory, KUBECONFIG: sandbox.kubeconfigPath };
    const clock = { ...systemClock, now: () => Date.now() + 10 * 60_000 };
    const end = await runHere(['doctor', '-f', sandbox.playbookPath, '-o', 'json'], { env, clock });
    expect(end.exitCode, end.stdout).toBe(3);
    const report = JSON.parse(end.stdout) as DoctorReport;
    expect(inState(report, 'failed')).toEqual(['cluster server-clock']);
    expect(report.checks.find(({ check }) => check === 'server-clock')?.message).toMatch(
      /at least (9 min 5\d s|10 min) behind this one/,
    );
    expect(inState(report, 'warning')).toEqual(sandbox.nodes.map((node) => `${node} host-clock`));
  });

  it('says of a cluster that does not answer what it could not look at; exit 3', async () => {
    const kubeconfig = await readFile(sandbox.kubeconfigPath, 'utf8');
    const elsewhere = join(sandbox.directory, 'elsewhere');
    await writeFile(elsewhere, kubeconfig.replace(/https:\/\/127\.0\.0\.1:\d+/, 'https://127.0.0.1:1'));
    const report = await reported(3, '--kubeconfig', elsewhere);
    expect(inState(report, 'failed')).toEqual(['cluster api-reachable']);
    expect(inState(report, 'skipped')).toEqual(['cluster nodes']);
    expect(report).not.toHaveProperty('clusterUid');
  });

  it('leaves an invalid playbook and a node that is not there to their exit code 2', async () => {
    const bad = join(sandbox.directory, 'bad.yaml');
    await writeFile(bad, (await readFile(sandbox.playbookPath, 'utf8')).replace('kind: Playbook', 'kind: Playbok'));
    const turnus = await turnusProcess(['doctor', '-f', bad], sandbox.kubeconfigPath);
    expect(await turnus.exited).toBe(2);
    expect(turnus.stderr()).toContain('nothing was touched');
    expect(await doctor('--node', 'worker-99')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
