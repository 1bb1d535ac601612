import { readFile } from 'node:fs/promises';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { cordonedByOf } from '../cluster/marks.js';
import type { ClusterView } from '../cluster/view.js';
import { openWatchCache, type WatchCache } from '../cluster/watchCache.js';
import type { HostPorts } from '../host/hostPort.js';
import { permissionsFor } from '../install/accessRules.js';
import { conditionPermissions } from '../install/conditionAccess.js';
import { readInstallation } from '../install/installation.js';
import type { Playbook } from '../playbook/playbook.js';
import { findRun } from '../run/findRun.js';
import { narrowNodes } from '../run/narrowNodes.js';
import type { RunObject, TurnObject } from '../run/objects.js';
import { chooseRun, type ChosenRun } from '../run/chooseRun.js';
import { ownNodeOf } from '../run/ownNode.js';
import { makePlan, type ExistingRun, type Plan } from '../run/plan.js';
import { planHash } from '../run/planHash.js';
import { checkedClusterUid, readUserName, refuseMissingPermissions, refuseUnreachable } from '../run/preconditions.js';
import { locateConditions } from '../run/readConditions.js';
import { selectNodes } from '../run/selectNodes.js';
import { connectCluster } from './connectCluster.js';
import { say, type ClusterOptions, type CommandIo } from './io.js';
import { openPlaybook } from './openPlaybook.js';
import { readThisMachine } from './thisMachine.js';

export interface PlanOptions extends ClusterOptions {
  readonly file: string;
  readonly selector?: string;
  readonly node: readonly string[];
  readonly rehearse?: boolean;
  readonly yes?: boolean;
  readonly replace?: boolean;
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
  /** The node that this process runs on, where that is known. */
  readonly ownNode: string | undefined;
  /** The unfinished run that this one supersedes. */
  readonly replaces: string | undefined;
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
    const { conditions } = playbook.gates.clusterHealth;
    const located = await locateConditions({ cluster, conditions }, signal);
    // Those that are not found are findings of the plan.
    const targets = located.flatMap(({ place }) => (place.kind === 'found' ? [place.target] : []));
    const wanted = [...permissionsFor(command, namespace), ...conditionPermissions(targets)];
    await refuseMissingPermissions({ cluster, wanted }, signal);
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
    const chosen: ChosenRun =
      command === 'run'
        ? await chooseRun(
            {
              cluster,
              namespace,
              playbook,
              planHash: planHash({ clusterUid, playbook }),
              now,
              rehearsal,
              replace: options.replace === true,
            },
            signal,
          )
        : { name: `${playbook.name} (not started)`, replaces: undefined };
    // What a superseded run has done and left counts for the run that supersedes it.
    const before = chosen.replaces ?? chosen.name;
    const found = command === 'run' ? await findRun({ cluster, namespace, name: before }, signal) : undefined;
    const only = narrowNodes({
      playbook: playbook.name,
      selected: selectNodes(cache.view(), playbook.nodes),
      names: options.node,
      selector: options.selector,
    });
    const ownNode = ownNodeOf(cache.view().nodes.values(), await readThisMachine(io));
    const plan = await makePlan(
      {
        playbook,
        cluster,
        cache,
        hosts,
        run: chosen.name,
        clusterUid,
        existing: found && existingRun(found, cache.view()),
        only,
        ownNode,
      },
      signal,
    );
    return {
      playbook,
      plan,
      cluster,
      cache,
      hosts,
      namespace,
      requester,
      only,
      ownNode,
      replaces: chosen.replaces,
      close,
    };
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

/** What a run has done and whose cordons are its own: also where the record of the turn was lost. */
function existingRun(found: { run: RunObject; turns: readonly TurnObject[] }, view: ClusterView): ExistingRun {
  const { run, turns } = found;
  const known = new Set(turns.map(({ spec }) => spec.node));
  const lost = [...view.nodes.values()].filter(
    (node) => node.unschedulable && cordonedByOf(node) === run.name && !known.has(node.name),
  );
  return {
    order: run.status.order ?? [],
    done: nodesWhere(turns, ({ status }) => status.phase === 'Done'),
    cordoned: new Set([
      ...nodesWhere(turns, ({ status }) => status.cordoned === true),
      ...lost.map(({ name }) => name),
    ]),
    cordonedBy: run.name,
  };
}

function nodesWhere(turns: readonly TurnObject[], holds: (turn: TurnObject) => boolean): ReadonlySet<string> {
  return new Set(turns.filter(holds).map((turn) => turn.spec.node));
}
