import { readFile } from 'node:fs/promises';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { clusterUid as readClusterUid } from '../cluster/clusterUid.js';
import { matchesLabels, parseLabelSelector } from '../cluster/labelSelector.js';
import { describePermission, missingPermissions } from '../cluster/permissions.js';
import { openWatchCache, type WatchCache } from '../cluster/watchCache.js';
import type { HostPorts } from '../host/hostPort.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import type { Playbook } from '../playbook/playbook.js';
import { findRun } from '../run/findRun.js';
import { currentRunName } from '../run/openRun.js';
import { makePlan, type Plan } from '../run/plan.js';
import { selectNodes } from '../run/selectNodes.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { say, type ClusterOptions, type CommandIo } from './io.js';
import { openPlaybook } from './openPlaybook.js';

export interface PlanOptions extends ClusterOptions {
  readonly file: string;
  readonly selector?: string;
  readonly node: readonly string[];
  readonly rehearse?: boolean;
  readonly yes?: boolean;
}

/** Everything that `plan` shows and `run` acts on. */
export interface Prepared {
  readonly playbook: Playbook;
  readonly plan: Plan;
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  /** Undefined in a rehearsal. */
  readonly hosts: HostPorts | undefined;
  /** Where the objects of Turnus are; '' for `plan`, which needs none. */
  readonly namespace: string;
  readonly requester: string;
  readonly only: ReadonlySet<string> | undefined;
  close(): Promise<void>;
}

/** Reads playbook, cluster and hosts and makes the plan. Refuses, before anything is touched, what cannot work. */
export async function preparePlan(
  io: CommandIo,
  options: PlanOptions & { readonly command: 'plan' | 'run'; readonly stop?: AbortSignal },
): Promise<Prepared> {
  const { command } = options;
  const playbook = await openPlaybook(io, options.file);
  const cluster = await connectCluster(io, options);
  const closing = new AbortController();
  const { signal } = closing;
  // Only while the plan is made: what follows needs the cluster to give a node back.
  const giveUp = () => {
    closing.abort(options.stop?.reason);
  };
  options.stop?.addEventListener('abort', giveUp);
  let cache: WatchCache | undefined;
  let hosts: HostPorts | undefined;
  const close = async () => {
    hosts?.close();
    await cache?.close();
    closing.abort();
    cluster.close();
  };
  try {
    options.stop?.throwIfAborted();
    await refuseUnreachable(cluster, signal);
    const clusterUid = await checkedClusterUid({ cluster, playbook, options }, signal);
    const { namespace } = command === 'run' ? await readInstallation(cluster, signal) : { namespace: '' };
    await refuseMissingPermissions({ cluster, command, namespace }, signal);
    const requester = await readUserName(cluster, signal);
    hosts = options.rehearse === true ? undefined : await openHosts(io, playbook);
    cache = await openWatchCache({
      cluster,
      clock: io.clock,
      random: io.random,
      signal,
      onProblem: ({ subject, failure }) => {
        say(io, `warning: ${subject} cannot be followed: ${failure.message}`);
      },
    });
    const now = io.clock.now();
    const rehearsal = options.rehearse ?? false;
    const run =
      command === 'run'
        ? await currentRunName({ cluster, namespace, playbook, now, rehearsal }, signal)
        : `${playbook.name} (not started)`;
    const found = command === 'run' ? await findRun({ cluster, namespace, name: run }, signal) : undefined;
    const only = narrowed({ options, playbook, cache });
    const plan = await makePlan(
      {
        playbook,
        cluster,
        cache,
        hosts,
        run,
        clusterUid,
        existing: found && {
          order: found.run.status.order ?? [],
          done: new Set(found.turns.filter((turn) => turn.status.phase === 'Done').map((turn) => turn.spec.node)),
        },
        only,
      },
      signal,
    );
    return { playbook, plan, cluster, cache, hosts, namespace, requester, only, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    options.stop?.removeEventListener('abort', giveUp);
  }
}

async function refuseUnreachable(cluster: ClusterPort, signal: AbortSignal): Promise<void> {
  const answer = await cluster.serverVersion(signal);
  if (answer.kind === 'ok') return;
  throw new TurnusError({
    code: `api-${answer.kind}`,
    message: `The API server ${cluster.target.server} (context ${cluster.target.context}) does not answer: ${answer.message}`,
    hint: 'Check the kubeconfig with: kubectl version',
  });
}

async function checkedClusterUid(
  check: { cluster: ClusterPort; playbook: Playbook; options: PlanOptions & { command: 'plan' | 'run' } },
  signal: AbortSignal,
): Promise<string> {
  const { cluster, playbook, options } = check;
  const answer = await readClusterUid(cluster, signal);
  if (answer.kind !== 'ok') {
    throw new TurnusError({
      code: 'cluster-uid-unreadable',
      message: `Namespace kube-system, whose uid identifies the cluster, cannot be read: ${answer.message}`,
      hint: 'Bind the ClusterRole turnus to the user.',
    });
  }
  const { target } = cluster;
  if (playbook.clusterUid !== undefined && playbook.clusterUid !== answer.value) {
    throw new TurnusError({
      code: 'wrong-cluster',
      message: `The playbook is for cluster ${playbook.clusterUid} (spec.cluster.uid), but ${target.server} (context ${target.context}) is cluster ${answer.value}.`,
      hint: 'Choose the context of the right cluster with --context; nothing was touched.',
    });
  }
  if (
    options.command === 'run' &&
    options.yes === true &&
    playbook.clusterUid === undefined &&
    options.context === undefined
  ) {
    throw new TurnusError({
      code: 'cluster-not-named',
      message: 'With --yes nobody is asked whether this is the right cluster, and the playbook does not say.',
      hint: `Write spec.cluster.uid: ${answer.value} into the playbook, or give --context.`,
    });
  }
  return answer.value;
}

async function refuseMissingPermissions(
  wanted: { cluster: ClusterPort; command: 'plan' | 'run'; namespace: string },
  signal: AbortSignal,
): Promise<void> {
  const { cluster, command, namespace } = wanted;
  const answer = await missingPermissions({ cluster, wanted: permissionsFor(command, namespace), signal });
  if (answer.kind !== 'ok') {
    throw new TurnusError({
      code: 'permissions-unknown',
      message: `The API server does not say what ${cluster.target.user} may do: ${answer.message}`,
    });
  }
  if (answer.value.length === 0) return;
  const missing = answer.value.map(({ permission }) => describePermission(permission));
  throw new TurnusError({
    code: 'permission-missing',
    message: `${cluster.target.user} may not: ${missing.join('; ')}.`,
    hint: 'Bind the roles that `turnus install` made to this user; nothing was touched.',
  });
}

const selfReviews = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews', namespaced: false };

/** Who we are for the API server; a run's requester must be that (admission policy). */
async function readUserName(cluster: ClusterPort, signal: AbortSignal): Promise<string> {
  const object = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
  const answer = await cluster.create({ resource: selfReviews, object }, signal);
  const status = answer.kind === 'ok' ? answer.value['status'] : undefined;
  const user = typeof status === 'object' && status !== null && 'userInfo' in status ? status.userInfo : undefined;
  return typeof user === 'object' && user !== null && 'username' in user && typeof user.username === 'string'
    ? user.username
    : cluster.target.user;
}

async function openHosts(io: CommandIo, playbook: Playbook): Promise<HostPorts> {
  const { createSshHosts } = await import('../ssh/sshHosts.js');
  return await createSshHosts({
    policy: playbook.host.ssh,
    readFile: (path) => readFile(path, 'utf8'),
    agentSocket: io.env['SSH_AUTH_SOCK'],
    clock: io.clock,
    onProblem: (text) => {
      say(io, `warning: ${text}`);
    },
  });
}

/** The nodes that --node and -l leave of the playbook's; undefined where neither was given. */
function narrowed(narrowing: {
  options: PlanOptions;
  playbook: Playbook;
  cache: WatchCache;
}): ReadonlySet<string> | undefined {
  const { options, playbook, cache } = narrowing;
  if (options.node.length === 0 && options.selector === undefined) return undefined;
  const selected = selectNodes(cache.view(), playbook.nodes);
  const unknown = options.node.filter((name) => !selected.some((node) => node.name === name));
  if (unknown.length > 0) {
    throw new TurnusError({
      code: 'node-not-selected',
      message: `${unknown.join(', ')}: no such node among those that the playbook ${playbook.name} selects.`,
      hint: `It selects: ${selected.map((node) => node.name).join(', ') || 'none'}.`,
    });
  }
  const parsed = parseLabelSelector(options.selector ?? '');
  if (parsed.kind === 'invalid')
    throw new TurnusError({
      code: 'selector-invalid',
      message: `--selector ${options.selector ?? ''}: ${parsed.message}`,
    });
  const only = selected
    .filter((node) => options.node.length === 0 || options.node.includes(node.name))
    .filter((node) => matchesLabels(parsed.selector, node.labels));
  if (only.length === 0) {
    throw new TurnusError({
      code: 'no-nodes',
      message: `--selector ${options.selector ?? ''} matches no node of the playbook ${playbook.name}.`,
    });
  }
  return new Set(only.map((node) => node.name));
}
