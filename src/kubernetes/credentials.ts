import type { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { isRecord, recordOf, stringOf, type JsonRecord } from '../cluster/json.js';
import { orAborted } from '../cluster/orAborted.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import type { SelectedContext } from './kubeconfig.js';

/** What a connection needs to be trusted by the server, and to trust it. */
export interface Connection {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;
  /** The agent that leads through the kubeconfig's proxy-url; undefined where there is none. */
  readonly proxyAgent: Agent | undefined;
}

/** Where the credentials of each request come from. */
export interface Credentials {
  /** Those to use now. Rejects with the signal's reason, or with a TurnusError where a plugin or file fails. */
  current(signal: AbortSignal): Promise<Connection>;
  /** Forgets what is cached, after the server refused it. False where asking again can bring nothing new. */
  renew(): boolean;
}

/** How long credentials of a plugin are used before the client is asked again (it runs plugins without an expiry each time). */
const pluginCacheMs = 4 * 60_000;

/** Credentials of a kubeconfig's context: certificates and tokens, files re-read, exec plugins cached. */
export function credentialsOf(selected: SelectedContext, clock: Clock): Credentials {
  const plugin = stringOf(recordOf(selected.user['exec'])['command']);
  const renewable = ['exec', 'auth-provider', 'tokenFile'].some(
    (field) => isRecord(selected.user[field]) || stringOf(selected.user[field]) !== undefined,
  );
  return credentials({
    load: () => kubeConfigOf(selected),
    clock,
    renewable,
    cacheMs: plugin === undefined ? 0 : pluginCacheMs,
    failed: (cause) =>
      plugin === undefined
        ? new TurnusError({
            code: 'credentials-failed',
            message: `The credentials of user "${selected.userName}" cannot be used: ${lastLineOf(cause)}`,
            hint: 'Check them with "kubectl auth whoami".',
            cause,
          })
        : new TurnusError({
            code: 'exec-plugin-failed',
            message: `The credential plugin "${plugin}" of user "${selected.userName}" failed: ${lastLineOf(cause)}`,
            hint: 'Run "kubectl auth whoami" with the same kubeconfig; log in again where the plugin asks for it.',
            cause,
          }),
  });
}

/**
 * Credentials of the service account a pod runs under.
 *
 * @throws TurnusError `not-in-cluster`
 */
export function inClusterCredentials(clock: Clock): { readonly server: string; readonly credentials: Credentials } {
  const load = () => {
    const config = new KubeConfig();
    config.loadFromCluster();
    return config;
  };
  const server = load().getCurrentCluster()?.server ?? '';
  if (!URL.canParse(server)) {
    throw new TurnusError({
      code: 'not-in-cluster',
      message: 'This process does not run in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set',
      hint: 'Name a kubeconfig with --kubeconfig or in KUBECONFIG.',
    });
  }
  const failed = (cause: unknown) =>
    new TurnusError({
      code: 'credentials-failed',
      message: `The pod's service account token cannot be used: ${lastLineOf(cause)}`,
      hint: 'Check that automountServiceAccountToken is not false.',
      cause,
    });
  return { server, credentials: credentials({ load, clock, renewable: true, cacheMs: 0, failed }) };
}

interface CredentialSource {
  readonly load: () => KubeConfig;
  readonly clock: Clock;
  readonly renewable: boolean;
  readonly cacheMs: number;
  readonly failed: (cause: unknown) => TurnusError;
}

function credentials({ load, clock, renewable, cacheMs, failed }: CredentialSource): Credentials {
  let config = load();
  let cached: { readonly connection: Promise<Connection>; readonly until: number } | undefined;
  const connect = async (): Promise<Connection> => {
    try {
      return await connectionOf(config);
    } catch (cause) {
      cached = undefined;
      throw failed(cause);
    }
  };
  return {
    async current(signal) {
      if (cacheMs === 0) return await orAborted(connect(), signal);
      if (cached === undefined || cached.until <= clock.monotonic()) {
        cached = { connection: connect(), until: clock.monotonic() + cacheMs };
      }
      return await orAborted(cached.connection, signal);
    },
    renew() {
      if (!renewable) return false;
      cached = undefined;
      config = load();
      return true;
    },
  };
}

async function connectionOf(config: KubeConfig): Promise<Connection> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(recordOf(options.headers))) {
    // A token file may end in a newline, which no header may hold.
    if (typeof value === 'string') headers[name] = value.trim();
  }
  if (typeof options.auth === 'string')
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { ca, cert, key, servername, rejectUnauthorized, agent } = options;
  return {
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
    proxyAgent: config.getCurrentCluster()?.proxyUrl === undefined || typeof agent === 'boolean' ? undefined : agent,
  };
}

/** The client's KubeConfig of one context, mended where the client knows less than kubectl. */
function kubeConfigOf(selected: SelectedContext): KubeConfig {
  const { tokenFile, ...user } = selected.user;
  const plainHttp = selected.server.startsWith('http:');
  const userName = selected.userName === '' ? 'anonymous' : selected.userName;
  const config = new KubeConfig();
  const content = {
    clusters: [
      {
        name: selected.clusterName,
        cluster: {
          ...selected.cluster,
          server: selected.server,
          // The client refuses http: without it.
          ...(plainHttp ? { 'insecure-skip-tls-verify': true } : {}),
        },
      },
    ],
    users: [
      {
        name: userName,
        user: {
          ...user,
          // The client knows tokenFile only as a provider; that one re-reads the file once a minute.
          ...(tokenFile === undefined ? {} : { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } }),
          ...(isRecord(user['exec']) ? { exec: withExecInfo(user['exec'], selected) } : {}),
        },
      },
    ],
    contexts: [{ name: selected.context, context: { cluster: selected.clusterName, user: userName } }],
    'current-context': selected.context,
  };
  config.loadFromString(JSON.stringify(content));
  return config;
}

/** Plugins read KUBERNETES_EXEC_INFO (client-go, pkg/apis/clientauthentication), which the client does not set. */
function withExecInfo(exec: JsonRecord, { cluster, server }: SelectedContext): JsonRecord {
  const provided = {
    server,
    'certificate-authority-data': cluster['certificate-authority-data'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'tls-server-name': cluster['tls-server-name'],
    'proxy-url': cluster['proxy-url'],
  };
  const info = {
    apiVersion: stringOf(exec['apiVersion']) ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(exec['provideClusterInfo'] === true ? { cluster: provided } : {}) },
  };
  const environment = Array.isArray(exec['env']) ? exec['env'].filter(isRecord) : [];
  return { ...exec, env: [...environment, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }] };
}

function lastLineOf(cause: unknown): string {
  const lines = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n');
  return lines.at(-1)?.slice(0, 300) ?? '';
}
