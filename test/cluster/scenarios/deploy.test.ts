import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { identity, renderChart, renderKustomization } from '../deploy/render.js';
import { prometheusOperatorKinds } from '../deploy/prometheusOperator.js';
import type { OtherObject, Pod } from '../objects.js';
import { isTrue } from '../objects.js';
import { isNamespaced, knownKind, resourcePath } from '../resourcePaths.js';
import { evictions, expectExit, systemNamespace } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { waitFor } from '../waitFor.js';

const monitoring = 'kustomize/components/monitoring';
const pods = { kind: 'Pod', namespace: systemNamespace, labelSelector: 'app.kubernetes.io/name=turnus' } as const;

let cluster: Cluster;
let deployed: OtherObject[];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3 });
  deployed = await renderKustomization({ resources: ['.'], components: [monitoring] });
  for (const definition of prometheusOperatorKinds) await cluster.api.apply(definition);
  for (const kind of ['ServiceMonitor', 'PrometheusRule'] as const) {
    await waitFor({ what: `${kind}s to be served`, probe: () => cluster.api.list({ kind }) });
  }
});

afterAll(async () => {
  await cluster.stop();
});

/** Server-side apply without effect, refused where a field is not known; with the warnings of the server. */
async function dryRun(object: OtherObject): Promise<{ status: number; message: string; warnings: string | undefined }> {
  const kind = knownKind(object.kind);
  const { name, namespace } = object.metadata;
  const path = resourcePath({ kind, name, namespace: isNamespaced(kind) ? namespace : undefined });
  const { status, body, headers } = await cluster.apiAs('admin').request({
    method: 'PATCH',
    path: `${path}?fieldManager=turnus-test&force=true&dryRun=All&fieldValidation=Strict`,
    body: object,
    contentType: 'application/apply-patch+yaml',
  });
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  const { warning } = headers;
  return { status, message, warnings: Array.isArray(warning) ? warning.join() : warning };
}

async function expectAccepted(objects: OtherObject[]): Promise<void> {
  for (const object of objects) {
    const { status, message, warnings } = await dryRun(object);
    expect(`${identity(object)}: ${String(status)} ${message}`).toMatch(/: (200|201) $/);
    expect(warnings, identity(object)).toBeUndefined();
  }
}

/** Applies what kustomize renders, and returns when as many replicas are Ready as are wanted. */
async function deploy(on: Cluster): Promise<void> {
  for (const object of await renderKustomization('.')) await on.api.apply(object);
  await untilReady(on, 2);
}

async function untilReady(on: Cluster, replicas: number): Promise<Pod[]> {
  return await waitFor({
    what: `${String(replicas)} replicas of Turnus to be Ready`,
    probe: async () => {
      const there = await on.api.list(pods);
      const ready = there.filter((pod) => pod.metadata.deletionTimestamp === undefined && isTrue(pod, 'Ready'));
      return ready.length === replicas && ready;
    },
  });
}

function nodesOf(replicas: Pod[]): string[] {
  return replicas.map(({ spec }) => spec.nodeName ?? '').sort();
}

async function setCordon(node: string, unschedulable: true | null): Promise<void> {
  await cluster.api.patch({ kind: 'Node', name: node }, { body: { spec: { unschedulable } } });
}

describe('a dry run on the API server', () => {
  beforeAll(async () => {
    // What is to lie in the namespace can only be tried where there is one.
    const [namespace] = deployed.filter(({ kind }) => kind === 'Namespace');
    if (namespace !== undefined) await cluster.api.apply(namespace);
    await cluster.api.patch(
      { kind: 'Namespace', name: systemNamespace },
      { body: { metadata: { labels: { 'pod-security.kubernetes.io/warn': 'restricted' } } } },
    );
  });

  it('accepts every object of kustomize, without a warning', async () => {
    expect(deployed.length).toBeGreaterThan(20);
    await expectAccepted(deployed);
  });

  it('accepts every object of the chart, without a warning', async () => {
    const everyMonitor = { serviceMonitor: { enabled: true }, alerts: { enabled: true }, dashboard: { enabled: true } };
    const { objects } = await renderChart({ installation: { surge: true }, monitoring: everyMonitor });
    expect(objects.length).toBeGreaterThanOrEqual(deployed.length - 1);
    await expectAccepted(objects);
  });

  it('refuses a field that there is not: what is accepted above was looked at', async () => {
    for (const object of deployed.filter(({ kind }) => kind === 'Deployment' || kind === 'PrometheusRule')) {
      const { status, message } = await dryRun({ ...object, spec: { ...object.spec, colour: 'red' } });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(message).toContain('colour');
    }
  });

  it('lets the pods into a restricted namespace, and would not let less careful ones in', async () => {
    const [deployment] = deployed.filter(({ kind }) => kind === 'Deployment') as (OtherObject & DeployedPods)[];
    if (deployment === undefined) throw new Error('There is no Deployment');
    const { metadata, spec } = deployment.spec.template;
    const [container] = spec.containers;
    const create = async (change: object): Promise<{ status: number; body: unknown }> => {
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...metadata, name: 'tried', namespace: systemNamespace },
        // The priority class and the account are tried where they are there, below.
        spec: { ...spec, priorityClassName: undefined, serviceAccountName: 'default', ...change },
      };
      const path = `${resourcePath({ kind: 'Pod', namespace: systemNamespace })}?dryRun=All&fieldValidation=Strict`;
      return await cluster.apiAs('admin').request({ method: 'POST', path, body: pod });
    };
    await waitFor({
      what: 'the ServiceAccount default',
      probe: () => cluster.api.find({ kind: 'ServiceAccount', namespace: systemNamespace, name: 'default' }),
    });
    expect(await create({})).toMatchObject({ status: 201 });
    for (const careless of [
      { securityContext: { ...spec.securityContext, seccompProfile: undefined } },
      { securityContext: { ...spec.securityContext, runAsUser: 0 } },
      { containers: [{ ...container, securityContext: undefined }] },
      { volumes: [...spec.volumes, { name: 'host', hostPath: { path: '/' } }] },
      { hostNetwork: true },
    ]) {
      const { status, body } = await create(careless);
      expect(status, JSON.stringify(careless)).toBe(403);
      expect(JSON.stringify(body)).toContain('PodSecurity');
    }
  });
});

/** As much of our Deployment as is changed here. */
interface DeployedPods {
  spec: {
    template: {
      metadata: object;
      spec: { containers: object[]; volumes: object[]; securityContext: object };
    };
  };
}

describe('Turnus in a cluster', () => {
  beforeAll(async () => {
    await deploy(cluster);
  });

  it('has its replicas on two nodes, under its account and a class that preempts nobody', async () => {
    const replicas = await untilReady(cluster, 2);
    expect(new Set(nodesOf(replicas)).size).toBe(2);
    for (const { spec } of replicas) {
      expect(spec).toMatchObject({
        serviceAccountName: 'turnus',
        priorityClassName: 'turnus',
        priority: 1_000_000_000,
        preemptionPolicy: 'Never',
      });
      expect(JSON.stringify(spec)).toContain('serviceAccountToken');
    }
  });

  it('leaves a node when Turnus drains it, and is on two nodes again', async () => {
    const [leaving = ''] = nodesOf(await untilReady(cluster, 2));
    onTestFinished(() => setCordon(leaving, null));
    const result = await runTurnus(['drain', leaving], { kubeconfig: cluster.kubeconfigPath });
    expectExit(result, 0);
    expect((await evictions(cluster)).map(({ pod }) => pod)).toHaveLength(1);
    const nodes = nodesOf(await untilReady(cluster, 2));
    expect(new Set(nodes).size).toBe(2);
    expect(nodes).not.toContain(leaving);
  });

  it('waits rather than putting both replicas on one node while the others are cordoned', async () => {
    const [kept = '', other = ''] = nodesOf(await untilReady(cluster, 2));
    const cordoned = cluster.nodeNames.filter((name) => name !== kept);
    for (const name of cordoned) await setCordon(name, true);
    onTestFinished(async () => {
      for (const name of cordoned) await setCordon(name, null);
    });
    const leaving = (await cluster.api.list(pods)).find(({ spec }) => spec.nodeName === other);
    expect((await cluster.api.evict({ name: leaving?.metadata.name ?? '', namespace: systemNamespace })).status).toBe(
      201,
    );
    const waiting = await waitFor({
      what: 'a replica that cannot be scheduled',
      probe: async () =>
        (await cluster.api.list(pods)).find(({ status }) =>
          status?.conditions?.some(({ reason }) => reason === 'Unschedulable'),
        ),
    });
    expect(JSON.stringify(waiting.status)).toContain('topology spread');
    await setCordon(other, null);
    expect(nodesOf(await untilReady(cluster, 2))).toContain(kept);
    expect(new Set(nodesOf(await untilReady(cluster, 2))).size).toBe(2);
  });

  it('has both replicas on the one node of a cluster that has no other', async () => {
    const small = await startCluster({ nodes: 1 });
    onTestFinished(() => small.stop());
    await deploy(small);
    expect(nodesOf(await untilReady(small, 2))).toEqual(['node-1', 'node-1']);
  });
});
