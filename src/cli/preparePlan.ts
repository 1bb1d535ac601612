import { readFile } from 'node:fs/promises';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { openWatchCache, type WatchCache } from '../cluster/watchCache.js';
import type { HostPorts } from '../host/hostPort.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import type { Playbook } from '../playbook/playbook.js';
import { findRun } from '../run/findRun.js';
import { narrowNodes } from '../run/narrowNodes.js';
import type { TurnObject } from '../run/objects.js';
import { currentRunName } from '../run/openRun.js';
import { makePlan, type Plan } from '../run/plan.js';
import { checkedClusterUid, readUserName, refuseMissingPermissions, refuseUnreachable } from '../run/preconditions.js';
import { selectNodes } from '../run/selectNodes.js';
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
    const clusterUid = await checkedClusterUid(
      {
        cluster,
        expected: playbook.clusterUid,
        mustBeNamed: command === 'run' && options.yes === true && options.context === undefined,
      },
      signal,
    );
    const { namespace } = command === 'run' ? await readInstallation(cluster, signal) : { namespace: '' };
    await refuseMissingPermissions({ cluster, wanted: permissionsFor(command, namespace) }, signal);
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
    const only = narrowNodes({
      playbook: playbook.name,
      selected: selectNodes(cache.view(), playbook.nodes),
      names: options.node,
      selector: options.selector,
    });
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
          done: nodesWhere(found.turns, ({ status }) => status.phase === 'Done'),
          cordoned: nodesWhere(found.turns, ({ status }) => status.cordoned === true),
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

function nodesWhere(turns: readonly TurnObject[], holds: (turn: TurnObject) => boolean): ReadonlySet<string> {
  return new Set(turns.filter(holds).map((turn) => turn.spec.node));
}
