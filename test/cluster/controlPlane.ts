import { generateKeyPairSync } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Accounts, kubeconfig } from './accounts.js';
import type { UserName } from './accounts.js';
import { ports } from './addresses.js';
import { TestApi } from './api.js';
import { auditPolicy, readAuditLog } from './auditLog.js';
import type { AuditEntry } from './auditLog.js';
import { startChildProcess } from './childProcess.js';
import type { TestbedProcess } from './childProcess.js';
import {
  apiServerArgs,
  controllerManagerArgs,
  etcdArgs,
  schedulerArgs,
  schedulerConfiguration,
} from './componentArgs.js';
import { TestbedError } from './testbedError.js';
import { waitFor } from './waitFor.js';

export type ComponentName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler' | 'kwok';

export interface ControlPlaneOptions {
  /** From `ensureBinaries`. */
  binaries: string;
  /** Gets configuration, keys and logs. */
  directory: string;
  etcdDirectory: string;
  /** The loopback address to listen on, reserved for this control plane. */
  address: string;
}

/** A real, running Kubernetes control plane. */
export interface ControlPlane {
  readonly server: string;
  /** Of the user admin. */
  readonly kubeconfigPath: string;
  /** In PEM. */
  readonly certificateAuthority: string;
  /** As the user observer, whose reads the audit log leaves out. */
  readonly api: TestApi;
  kubeconfigFor(user: UserName): Promise<string>;
  apiAs(user: UserName): TestApi;
  auditLog(): Promise<AuditEntry[]>;
  /** Starts a further component that ends with the control plane. */
  start(name: ComponentName, args: string[]): Promise<TestbedProcess>;
  /** The component goes silent and keeps its connections. */
  pause(name: ComponentName): void;
  resume(name: ComponentName): void;
  /** Ends the component without warning. */
  kill(name: ComponentName): Promise<void>;
  /** Ends and starts it again with the same arguments; returns when it answers (kube-apiserver) or runs (others). */
  restart(name: ComponentName): Promise<void>;
  restartApiServer(): Promise<void>;
  processes(): TestbedProcess[];
  stop(): Promise<void>;
}

/** Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler; returns when the API server is ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { binaries, directory, etcdDirectory, address } = options;
  const server = `https://${address}:${ports.apiServer}`;
  const files = await writeFiles(directory);
  const running = new Map<ComponentName, { process: TestbedProcess; args: string[] }>();

  const start = async (name: ComponentName, args: string[]): Promise<TestbedProcess> => {
    const logPath = join(directory, 'log', `${name}.log`);
    const started = await startChildProcess({ name, command: join(binaries, name), args, logPath });
    running.set(name, { process: started, args });
    return started;
  };
  const stop = async (): Promise<void> => {
    // The reverse order of the start: without etcd, kube-apiserver does not end on SIGTERM.
    for (const { process } of [...running.values()].reverse()) await process.stop();
  };
  const component = (name: ComponentName): { process: TestbedProcess; args: string[] } => {
    const found = running.get(name);
    if (found === undefined) throw new TestbedError(`${name} was never started`);
    return found;
  };

  try {
    const etcd = await start('etcd', etcdArgs(address, etcdDirectory));
    await untilHealthy(etcd, `http://${address}:${ports.etcd}/health`);
    const apiServer = await start('kube-apiserver', apiServerArgs({ address, directory, ...files }));
    const certificateAuthority = await waitFor({
      what: "kube-apiserver's certificate",
      probe: () => ifRunning(apiServer, () => writtenCertificate(join(directory, 'apiserver'))),
    });
    const apiAs = (user: UserName): TestApi =>
      new TestApi({ server, certificateAuthority, token: files.accounts.token(user), userAgent: `testbed/${user}` });
    const kubeconfigFor = async (user: UserName): Promise<string> => {
      const path = join(directory, `kubeconfig-${user.replace(':', '-')}`);
      const token = files.accounts.token(user);
      await writeFile(path, kubeconfig({ server, certificateAuthority, user, token }), { mode: 0o600 });
      return path;
    };
    const api = apiAs('observer');
    const untilReady = (process: TestbedProcess): Promise<unknown> =>
      waitFor({
        what: `kube-apiserver ready at ${server}`,
        timeoutMs: 60_000,
        probe: () =>
          ifRunning(process, async () => {
            const { status } = await api.request({ method: 'GET', path: '/readyz', timeoutMs: 5000 });
            if (status !== 200) throw new Error(`/readyz answered ${status}`);
            return true;
          }),
      });
    await untilReady(apiServer);
    await start(
      'kube-controller-manager',
      controllerManagerArgs({
        address,
        directory,
        kubeconfigPath: await kubeconfigFor('system:kube-controller-manager'),
      }),
    );
    const schedulerConfigPath = join(directory, 'scheduler.json');
    const schedulerKubeconfig = await kubeconfigFor('system:kube-scheduler');
    await writeFile(schedulerConfigPath, JSON.stringify(schedulerConfiguration(schedulerKubeconfig)));
    await start('kube-scheduler', schedulerArgs(address, schedulerConfigPath));

    const restart = async (name: ComponentName): Promise<void> => {
      const { process, args } = component(name);
      await process.stop();
      // A Map keeps the place of a key that is set again: the order of the start stays.
      const started = await start(name, args);
      if (name === 'kube-apiserver') await untilReady(started);
    };
    return {
      server,
      kubeconfigPath: await kubeconfigFor('admin'),
      certificateAuthority,
      api,
      kubeconfigFor,
      apiAs,
      auditLog: () => readAuditLog(files.auditLogPath),
      start,
      pause: (name) => {
        component(name).process.pause();
      },
      resume: (name) => {
        component(name).process.resume();
      },
      kill: async (name) => {
        const { process } = component(name);
        process.signal('SIGKILL');
        await process.exited;
      },
      restart,
      restartApiServer: () => restart('kube-apiserver'),
      processes: () => [...running.values()].map(({ process }) => process),
      stop: async () => {
        api.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until a component's health URL (plain HTTP) answers 200. */
export async function untilHealthy(process: TestbedProcess, url: string): Promise<void> {
  await waitFor({
    what: `${process.name} healthy at ${url}`,
    probe: () => ifRunning(process, async () => (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok),
  });
}

/**
 * kube-apiserver makes its certificate, writes it without locking and then the key (k8s.io/apiserver
 * pkg/server/options/serving.go): until there is a key, the certificate may be empty or half of one.
 */
async function writtenCertificate(directory: string): Promise<string> {
  await access(join(directory, 'apiserver.key'));
  return await readFile(join(directory, 'apiserver.crt'), 'utf8');
}

/** Asks `probe` (a failure means: not yet), unless the process has ended: then waiting on is pointless. */
async function ifRunning<T>(process: TestbedProcess, probe: () => Promise<T>): Promise<T> {
  if (!process.isRunning()) {
    throw new TestbedError(`${process.name} has ended:\n${process.logTail()}`);
  }
  return await probe();
}

interface ControlPlaneFiles {
  accounts: Accounts;
  tokenFilePath: string;
  serviceAccountKeyPath: string;
  auditPolicyPath: string;
  auditLogPath: string;
}

async function writeFiles(directory: string): Promise<ControlPlaneFiles> {
  const accounts = new Accounts();
  const files = {
    accounts,
    tokenFilePath: join(directory, 'tokens.csv'),
    serviceAccountKeyPath: join(directory, 'sa.key'),
    auditPolicyPath: join(directory, 'audit-policy.json'),
    auditLogPath: join(directory, 'log', 'audit.log'),
  };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(files.tokenFilePath, accounts.tokenFile(), { mode: 0o600 });
  await writeFile(files.serviceAccountKeyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(files.auditPolicyPath, JSON.stringify(auditPolicy));
  return files;
}
