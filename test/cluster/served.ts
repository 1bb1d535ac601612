import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Cluster } from './cluster.js';
import { maintenanceUserName } from './hosts/host.js';
import type { Hosts } from './hosts/startHosts.js';
import { countingUpdate } from './playbook.js';
import { runs, systemNamespace } from './runReport.js';
import { TestbedError } from './testbedError.js';
import { startTurnus, type RunningTurnus } from './turnus.js';
import { waitFor } from './waitFor.js';

/** Processes of `turnus serve` as the ServiceAccount of the deployment, and the objects that they serve. */
export interface Served {
  /** `name`: what the pod would be called; `node`: on which node it would run. */
  start(process: { name: string; node?: string; args?: string[]; env?: NodeJS.ProcessEnv }): RunningTurnus;
  /** Creates or changes a Playbook object, with its script in a ConfigMap and its key in a Secret. */
  put(playbook: { name: string; nodes: string[]; script?: string; spec?: Record<string, unknown> }): Promise<void>;
  status(name: string): Promise<ServedStatus>;
  /** The process that leads. */
  leader(): Promise<string>;
  /** Ends all that were started. */
  endAll(): Promise<void>;
}

export interface ServedStatus {
  readonly observedGeneration?: number;
  readonly inForce?: { generation: number };
  readonly nextWindow?: { opensAt: string; closesAt?: string };
  readonly lastRun?: { name: string; phase: string };
  readonly coverage?: { nodes: number; overdue: number };
  readonly trigger?: { id: string; answer: string; run?: string; finishedAt?: string };
  readonly conditions?: { type: string; status: string; reason: string; message: string }[];
}

export async function serveOn({ cluster, hosts }: { cluster: Cluster; hosts: Hosts }): Promise<Served> {
  const kubeconfigPath = await serviceAccountKubeconfig(cluster);
  const started: RunningTurnus[] = [];
  await cluster.api.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'ssh', namespace: systemNamespace },
    stringData: { id_ed25519: await readFile(hosts.identityPath, 'utf8') },
  });
  await cluster.api.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'hosts', namespace: systemNamespace },
    data: { known_hosts: await readFile(hosts.knownHostsPath, 'utf8') },
  });
  return {
    start({ name, node, args = [], env = {} }) {
      const turnus = startTurnus(['serve', '--listen', '127.0.0.1:0', '--log-level', 'debug', ...args], {
        kubeconfig: kubeconfigPath,
        env: { ...env, POD_NAME: name, ...(node === undefined ? {} : { TURNUS_NODE_NAME: node }) },
      });
      started.push(turnus);
      return turnus;
    },
    async put({ name, nodes, script = countingUpdate, spec = {} }) {
      await apply(cluster, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: `${name}-scripts`, namespace: systemNamespace },
        data: { 'update.sh': script },
      });
      await apply(cluster, {
        apiVersion: 'turnus.dev/v1alpha1',
        kind: 'Playbook',
        metadata: { name, namespace: systemNamespace },
        spec: {
          schedule: { timeZone: 'UTC', windows: [] },
          journal: { stdout: true },
          nodes: { selector: `kubernetes.io/hostname in (${nodes.join(',')})`, canaries: 0 },
          drain: { timeout: '1m' },
          host: {
            ssh: {
              user: maintenanceUserName,
              port: hosts.port,
              address: 'InternalIP',
              knownHosts: { configMapKeyRef: { name: 'hosts', key: 'known_hosts' } },
              identity: { secretKeyRef: { name: 'ssh', key: 'id_ed25519' } },
              sudo: true,
            },
            update: { script: { configMapKeyRef: { name: `${name}-scripts`, key: 'update.sh' } }, timeout: '2m' },
            reboot: { when: 'required', timeout: '1m' },
          },
          health: { consecutive: 2, interval: '500ms', timeout: '1m' },
          settle: { time: '1s', timeout: '1m' },
          ...spec,
        },
      });
    },
    async status(name) {
      const object = await cluster.api.get({ kind: 'Playbook', namespace: systemNamespace, name });
      return 'status' in object ? object.status : {};
    },
    async leader() {
      const lease = await cluster.api.get({ kind: 'Lease', namespace: systemNamespace, name: 'turnus-serve' });
      return (lease.spec.holderIdentity ?? '').split('/')[0] ?? '';
    },
    async endAll() {
      // A process that leads gives its Lease up, so that the next one need not wait for its end.
      for (const turnus of started.splice(0)) {
        turnus.kill('SIGTERM');
        await waitFor({ what: 'the end of turnus serve', probe: () => !turnus.isRunning() }).catch(() => undefined);
        turnus.kill('SIGKILL');
        await turnus.exited;
      }
    },
  };
}

type Applied = Parameters<Cluster['api']['create']>[0];

/** Created, or changed as a merge patch does. */
async function apply(cluster: Cluster, object: unknown): Promise<void> {
  const { kind, metadata } = object as {
    kind: 'Playbook' | 'ConfigMap';
    metadata: { name: string; namespace: string };
  };
  const found = (await cluster.api.list({ kind, namespace: metadata.namespace })).some(
    (each) => each.metadata.name === metadata.name,
  );
  if (!found) await cluster.api.create(object as Applied);
  else {
    await cluster.api.patch({ kind, ...metadata }, { body: object });
  }
}

/** With a token of the ServiceAccount that the manifests make. */
async function serviceAccountKubeconfig(cluster: Cluster): Promise<string> {
  const path = `/api/v1/namespaces/${systemNamespace}/serviceaccounts/turnus/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 7200 } };
  const answer = await cluster.apiAs('admin').request({ method: 'POST', path, body, contentType: 'application/json' });
  const { status } = answer.body as { status?: { token?: string } };
  if (status?.token === undefined) throw new TestbedError(`No token for the ServiceAccount: ${String(answer.status)}`);
  const config = parse(await readFile(cluster.kubeconfigPath, 'utf8')) as { users: { user: unknown }[] };
  for (const entry of config.users) entry.user = { token: status.token };
  const file = join(cluster.directory, 'serviceaccount.yaml');
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}

/** Waits until the process leads. */
export async function untilLeads(served: Served, name: string, timeoutMs = 60_000): Promise<void> {
  await waitFor({ what: `${name} to lead`, timeoutMs, probe: async () => (await served.leader()) === name });
}

/** Waits until a run of the playbook is in this phase. `said`: what to tell where it is in vain. */
export async function untilEnded(
  { cluster, name, phase }: { cluster: Cluster; name: string; phase: string },
  said: () => string,
  timeoutMs = 120_000,
): Promise<void> {
  await waitFor({
    what: `the run of ${name} to be ${phase}`,
    timeoutMs,
    probe: async () =>
      (await runs(cluster)).some((run) => run.name.startsWith(`${name}-`) && run.status.phase === phase),
  }).catch((cause: unknown) => {
    throw new Error(said(), { cause });
  });
}

/** A schedule with one window. */
export function windowIn(opensInMs: number, duration: string): Record<string, unknown> {
  const from = new Date(Date.now() + opensInMs).toISOString().slice(0, 19);
  return { timeZone: 'UTC', windows: [{ from, duration }] };
}

/** What was written, for the message of a test that fails. */
export function saidBy(...processes: RunningTurnus[]): string {
  return processes.map((each) => `${each.stdout()}\n${each.stderr()}`).join('\n-----\n');
}
