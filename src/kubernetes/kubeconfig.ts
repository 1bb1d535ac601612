import { access, constants, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { isRecord, recordOf, recordsOf, stringOf, type JsonRecord } from '../cluster/json.js';
import { TurnusError } from '../turnusError.js';

/** One context of the kubeconfig with the cluster and the user it names; paths are absolute. */
export interface SelectedContext {
  readonly context: string;
  readonly clusterName: string;
  readonly userName: string;
  /** `clusters[].cluster` as it stands in the file. */
  readonly cluster: JsonRecord;
  /** `users[].user` as it stands in the file; empty where the context names none. */
  readonly user: JsonRecord;
  readonly server: string;
}

/**
 * Reads a list of kubeconfig files, separated by `:`, and selects a context. Files are merged as kubectl does: the
 * first file that names a cluster, user, context or current context wins; files of a longer list may be missing
 * (client-go, tools/clientcmd/loader.go). Reads only.
 *
 * @throws TurnusError `kubeconfig-missing`, `kubeconfig-unreadable`, `kubeconfig-broken`, `context-missing`,
 * `context-unknown`, `cluster-unknown`, `cluster-without-server`, `user-unknown`, `credential-unreadable`
 */
export async function readKubeconfig(options: {
  readonly path: string;
  readonly context?: string;
}): Promise<SelectedContext> {
  const paths = options.path.split(':').filter((path) => path !== '');
  const files: JsonRecord[] = [];
  for (const path of paths) {
    const file = await readFileOf(path, paths.length > 1);
    if (file !== undefined) files.push(file);
  }
  if (files.length === 0) {
    throw new TurnusError({
      code: 'kubeconfig-missing',
      message: `None of the kubeconfig files exists: ${paths.join(', ')}`,
      hint: 'Name an existing file with --kubeconfig or in KUBECONFIG.',
    });
  }
  const selected = selectContext(files, options.context, paths.join(':'));
  await requireReadable(selected);
  return selected;
}

async function readFileOf(path: string, mayBeMissing: boolean): Promise<JsonRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const missing = isRecord(cause) && cause['code'] === 'ENOENT';
    if (missing && mayBeMissing) return undefined;
    throw new TurnusError({
      code: missing ? 'kubeconfig-missing' : 'kubeconfig-unreadable',
      message: missing
        ? `The kubeconfig ${path} does not exist`
        : `The kubeconfig ${path} cannot be read: ${reasonOf(cause)}`,
      hint: 'Name a readable file with --kubeconfig or in KUBECONFIG.',
      cause,
    });
  }
  return absolutePaths(parseYaml(path, text), dirname(resolve(path)));
}

function parseYaml(path: string, text: string): JsonRecord {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  const broken = (where: string, what: string, cause?: unknown) =>
    new TurnusError({
      code: 'kubeconfig-broken',
      message: `The kubeconfig ${where} ${what}`,
      hint: 'Check it with "kubectl config view".',
      cause,
    });
  if (error !== undefined) {
    const place = lines.linePos(error.pos[0]);
    throw broken(`${path}:${String(place.line)}:${String(place.col)}`, `is not valid YAML: ${error.message}`, error);
  }
  const content: unknown = document.toJS();
  if (!isRecord(content)) throw broken(path, 'is not a kubeconfig: it holds no clusters, users and contexts');
  return content;
}

const clusterFiles = ['certificate-authority'];
const userFiles = ['client-certificate', 'client-key', 'tokenFile'];

/** Relative paths in a kubeconfig start at its own directory; a plugin's too where it is no bare command name. */
function absolutePaths(file: JsonRecord, directory: string): JsonRecord {
  const absolute = (record: JsonRecord, fields: readonly string[]): JsonRecord => {
    const result: Record<string, unknown> = { ...record };
    for (const field of fields) {
      const path = stringOf(record[field]);
      if (path !== undefined && path !== '') result[field] = isAbsolute(path) ? path : resolve(directory, path);
    }
    return result;
  };
  const userOf = (record: JsonRecord): JsonRecord => {
    const user = absolute(record, userFiles);
    const command = stringOf(recordOf(user['exec'])['command']);
    return command?.includes('/') === true ? { ...user, exec: absolute(recordOf(user['exec']), ['command']) } : user;
  };
  return {
    ...file,
    clusters: recordsOf(file['clusters']).map((entry) => ({
      ...entry,
      cluster: absolute(recordOf(entry['cluster']), clusterFiles),
    })),
    users: recordsOf(file['users']).map((entry) => ({ ...entry, user: userOf(recordOf(entry['user'])) })),
  };
}

function selectContext(files: readonly JsonRecord[], wanted: string | undefined, where: string): SelectedContext {
  const named = (list: 'clusters' | 'users' | 'contexts', field: string, name: string): JsonRecord | undefined => {
    const entry = files.flatMap((file) => recordsOf(file[list])).find((candidate) => candidate['name'] === name);
    return entry === undefined ? undefined : recordOf(entry[field]);
  };
  const contextNames = [
    ...new Set(files.flatMap((file) => recordsOf(file['contexts'])).flatMap((entry) => stringOf(entry['name']) ?? [])),
  ];
  const contexts = contextNames.length === 0 ? 'It holds no context.' : `Its contexts: ${contextNames.join(', ')}.`;
  const name =
    wanted ??
    files.map((file) => stringOf(file['current-context'])).find((current) => current !== undefined && current !== '');
  if (name === undefined) {
    throw new TurnusError({
      code: 'context-missing',
      message: `The kubeconfig ${where} has no current-context, and none was asked for`,
      hint: `Name one with --context. ${contexts}`,
    });
  }
  const context = named('contexts', 'context', name);
  if (context === undefined) {
    throw new TurnusError({
      code: 'context-unknown',
      message: `The kubeconfig ${where} has no context "${name}"`,
      hint: `Name another one with --context. ${contexts}`,
    });
  }
  const clusterName = stringOf(context['cluster']) ?? '';
  const cluster = named('clusters', 'cluster', clusterName);
  if (cluster === undefined) {
    throw new TurnusError({
      code: 'cluster-unknown',
      message: `The context "${name}" of the kubeconfig ${where} names the cluster "${clusterName}", which is not in it`,
      hint: `Add the cluster, or name another context with --context. ${contexts}`,
    });
  }
  const server = stringOf(cluster['server']) ?? '';
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw new TurnusError({
      code: 'cluster-without-server',
      message: `The cluster "${clusterName}" of the kubeconfig ${where} has ${server === '' ? 'no server' : `the server "${server}", which is no http(s) URL`}`,
      hint: `Set it with "kubectl config set-cluster ${clusterName} --server=https://…".`,
    });
  }
  const userName = stringOf(context['user']) ?? '';
  const user = named('users', 'user', userName);
  if (user === undefined && userName !== '') {
    throw new TurnusError({
      code: 'user-unknown',
      message: `The context "${name}" of the kubeconfig ${where} names the user "${userName}", who is not in it`,
      hint: `Add the user, or name another context with --context. ${contexts}`,
    });
  }
  return { context: name, clusterName, userName, cluster, user: user ?? {}, server: server.replace(/\/+$/, '') };
}

async function requireReadable(selected: SelectedContext): Promise<void> {
  const owners = [
    { owner: `cluster "${selected.clusterName}"`, record: selected.cluster, fields: clusterFiles },
    { owner: `user "${selected.userName}"`, record: selected.user, fields: userFiles },
  ];
  for (const { owner, record, fields } of owners) {
    for (const field of fields) {
      const path = stringOf(record[field]);
      if (path === undefined || path === '') continue;
      try {
        await access(path, constants.R_OK);
      } catch (cause) {
        throw new TurnusError({
          code: 'credential-unreadable',
          message: `The ${field} of ${owner}, ${path}, cannot be read: ${reasonOf(cause)}`,
          hint: 'Paths in a kubeconfig are relative to the file itself.',
          cause,
        });
      }
    }
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
