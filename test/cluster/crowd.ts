import { randomUUID } from 'node:crypto';
import type { Cluster } from './cluster.js';
import { nodeObject } from './nodes.js';

/** Of each app: its pods lie on so many nodes that follow each other. */
const replicas = 10;
/** Requests under way at a time. */
const atOnce = 40;

/**
 * More nodes and pods than kwok plays here: written as kubelets would have left them, and left alone. Ends the controllers
 * and the scheduler, which would take the nodes for dead.
 */
export async function crowd(
  cluster: Cluster,
  { nodes, podsANode }: { readonly nodes: number; readonly podsANode: number },
): Promise<void> {
  const { api } = cluster;
  for (const name of ['kwok', 'kube-scheduler', 'kube-controller-manager'] as const) await cluster.kill(name);
  const there = cluster.nodeNames.length;
  const numbers = Array.from({ length: nodes - there }, (_, index) => there + index + 1);
  await inParallel(numbers, async (number) => {
    const node = nodeObject({ number, zones: 3, address: `127.250.${String(number >> 8)}.${String(number & 255)}` });
    const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready' }];
    await api.create({ ...node, status: { ...node.status, conditions } });
  });
  const all = Array.from({ length: nodes }, (_, index) => `node-${String(index + 1)}`);
  const pods = all.flatMap((node, row) =>
    Array.from({ length: podsANode }, (_, index) => ({
      node,
      index,
      app: `app-${String(Math.floor(row / replicas) * podsANode + index)}`,
    })),
  );
  const uids = new Map([...new Set(pods.map(({ app }) => app))].map((app) => [app, randomUUID()]));
  await inParallel(pods, async ({ node, index, app }) => {
    const name = `${app}-${node}-${String(index)}`;
    await api.create(podObject({ name, node, app, ownerUid: uids.get(app) ?? '' }));
    await api.patch(
      { kind: 'Pod', namespace: 'default', name },
      { body: { status: runningStatus() }, subresource: 'status' },
    );
  });
}

/** As large as pods are that a chart has made: about 5 KiB with its status. */
function podObject({ name, node, app, ownerUid }: { name: string; node: string; app: string; ownerUid: string }) {
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, failureThreshold: 3 };
  const container = (of: string) => ({
    name: of,
    image: `registry.example/team/${app}-${of}@sha256:${'0123456789abcdef'.repeat(4)}`,
    ports: [{ containerPort: 8080, name: 'http' }],
    env: Array.from({ length: 15 }, (_, index) => ({ name: `SETTING_${String(index)}`, value: `value-of-${app}` })),
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    readinessProbe: probe,
    livenessProbe: probe,
  });
  return {
    apiVersion: 'v1' as const,
    kind: 'Pod' as const,
    metadata: {
      name,
      namespace: 'default',
      labels: { app, 'app.kubernetes.io/name': app, 'pod-template-hash': '5d4f8c7b9d' },
      annotations: { 'checksum/config': 'f'.repeat(64) },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-5d4f8c7b9d`, uid: ownerUid, controller: true },
      ],
    },
    spec: {
      nodeName: node,
      containers: [container('main'), container('proxy')],
      tolerations: [{ operator: 'Exists' as const }],
    },
  };
}

function runningStatus() {
  const at = new Date().toISOString();
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: at });
  const container = (name: string) => ({
    name,
    ready: true,
    started: true,
    restartCount: 0,
    image: `registry.example/team/${name}:1.0`,
    imageID: `registry.example/team/${name}@sha256:${'f'.repeat(64)}`,
    containerID: `containerd://${'a'.repeat(64)}`,
    state: { running: { startedAt: at } },
  });
  return {
    phase: 'Running',
    podIP: '10.200.0.1',
    startTime: at,
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
    containerStatuses: [container('main'), container('proxy')],
  };
}

async function inParallel<T>(all: readonly T[], act: (each: T) => Promise<void>): Promise<void> {
  const queue = all[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const each of queue) await act(each);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
