import type { ClusterPort } from '../cluster/clusterPort.js';
import { cordonedByOf } from '../cluster/marks.js';
import { readRebooters } from '../cluster/rebooters.js';
import { readServices } from '../cluster/services.js';
import type { ClusterView } from '../cluster/view.js';
import { openWatchCache, type CacheProblem } from '../cluster/watchCache.js';
import type { Finding } from '../gates/finding.js';
import type { HostPorts } from '../host/hostPort.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import type { Playbook } from '../playbook/playbook.js';
import { readStoredPlaybook, type StoredPlaybook } from '../playbook/storedPlaybook.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { acceptedFindings } from './acceptedFindings.js';
import { explanation, momentOf, type Explanation } from './explanation.js';
import { lastRunOf } from './lastRunOf.js';
import { leftShortFor } from './leftDisplaced.js';
import { nodeFindings, readApiReadiness } from './nodeFindings.js';
import { wantedServices } from './nodeServices.js';
import { ownNodeOf, type ThisMachine } from './ownNode.js';
import { checkedClusterUid, refuseMissingPermissions, refuseUnreachable } from './preconditions.js';
import { readConditions } from './readConditions.js';
import type { RunState } from './state.js';
import { unknownNode } from './unknownNode.js';

export interface ExplainRequest {
  readonly cluster: ClusterPort;
  readonly node: string;
  /** Undefined: the playbook of the last run that has the node. */
  readonly playbook: Playbook | undefined;
  /** Undefined: the host is not asked. */
  readonly openHosts: (() => Promise<HostPorts>) | undefined;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  readonly thisMachine: ThisMachine;
  readonly onProblem: (problem: CacheProblem) => void;
}

/**
 * What stands in the way of a node at this moment: its turn, where a run has one, and every gate on the present view.
 * Changes nothing. With a playbook nothing needs to be installed in the cluster.
 *
 * @throws TurnusError `unknown-node`, `no-playbook`, `playbook-not-understood`, and what keeps a plan from being made
 */
export async function explainNode(request: ExplainRequest, signal: AbortSignal): Promise<Explanation> {
  const { cluster, node } = request;
  await refuseUnreachable(cluster, signal);
  if (request.playbook !== undefined) {
    await checkedClusterUid({ cluster, expected: request.playbook.clusterUid, mustBeNamed: false }, signal);
  }
  await refuseMissingPermissions({ cluster, wanted: permissionsFor('plan', '') }, signal);
  const { state, runsNotRead } = await readRun(request, signal);
  const cache = await openWatchCache({ ...request, signal });
  let hosts: HostPorts | undefined;
  try {
    const view = cache.view();
    if (!view.nodes.has(node) && state?.turns.has(node) !== true) throw unknownNode(node, [...view.nodes.keys()]);
    const playbook: StoredPlaybook = request.playbook ?? playbookOf(state, node);
    const moment = momentOf(state?.turns.get(node), view.nodes.get(node));
    if (moment === 'before-cordon') hosts = await request.openHosts?.();
    const findings =
      moment === undefined ? [] : await askGates({ ...request, playbook, view, state, moment, hosts }, signal);
    return explanation({
      node,
      view,
      playbook,
      playbookOf: request.playbook === undefined ? state?.name : undefined,
      state,
      runsNotRead,
      findings,
      isHostAsked: hosts !== undefined,
    });
  } finally {
    hosts?.close();
    await cache.close();
  }
}

interface Asking {
  readonly cluster: ClusterPort;
  readonly node: string;
  readonly thisMachine: ThisMachine;
  readonly playbook: StoredPlaybook;
  readonly view: ClusterView;
  readonly state: RunState | undefined;
  readonly moment: 'before-cordon' | 'after-cordon' | 'resumed';
  readonly hosts: HostPorts | undefined;
}

async function askGates(asking: Asking, signal: AbortSignal): Promise<readonly Finding[]> {
  const { cluster, node, playbook, view, state, moment, hosts } = asking;
  const { conditions } = playbook.gates.clusterHealth;
  const beforeCordon = moment === 'before-cordon';
  const [api, rebooters, readings, services] = await Promise.all([
    readApiReadiness(cluster, signal),
    readRebooters(cluster, signal),
    readConditions({ cluster, conditions }, signal),
    readServices({ cluster, wanted: wantedServices({ view, playbook, beforeCordon, node }) }, signal),
  ]);
  const { findings } = await nodeFindings(
    {
      api,
      rebooters,
      conditions: readings,
      services,
      restartedAs: state?.name ?? '',
      accepted: acceptedFindings(state?.turns.get(node)?.status ?? {}),
      leftShort: leftShortFor(isOver(state) ? [] : (state?.turns.values() ?? []), node),
      playbook,
      view,
      nodeName: node,
      moment,
      run: isOurCordon(asking) ? state?.name : undefined,
      ownNode: ownNodeOf(view.nodes.values(), asking.thisMachine),
      host: hosts && ((address) => hosts.hostOf({ name: node, address })),
    },
    signal,
  );
  return findings;
}

/** Nobody waits any more for what its turns have left. */
function isOver(state: RunState | undefined): boolean {
  return state?.status.phase === 'Completed' || state?.status.phase === 'Superseded';
}

/** Also between the cordon and its record, and where the record was lost. */
function isOurCordon({ node, view, state }: Asking): boolean {
  const marked = view.nodes.get(node);
  return (
    state !== undefined &&
    (state.turns.get(node)?.status.cordoned === true || (marked !== undefined && cordonedByOf(marked) === state.name))
  );
}

/** The run that tells of the node. Where the call has a playbook, one that cannot be read is no reason to end. */
async function readRun(
  { cluster, node, playbook }: ExplainRequest,
  signal: AbortSignal,
): Promise<{ state: RunState | undefined; runsNotRead: string | undefined }> {
  try {
    const { namespace } = await readInstallation(cluster, signal);
    const state = await lastRunOf({ cluster, namespace, node, playbook: playbook?.name }, signal);
    return { state, runsNotRead: undefined };
  } catch (error) {
    if (!(error instanceof TurnusError)) throw error;
    if (playbook !== undefined) return { state: undefined, runsNotRead: error.message };
    throw new TurnusError({
      code: 'no-playbook',
      message: `No playbook is given, and the runs in the cluster cannot be read: ${error.message}`,
      hint: 'Say with -f PLAYBOOK by which playbook the node is to be judged.',
      exitCode: error.exitCode,
      cause: error,
    });
  }
}

function playbookOf(state: RunState | undefined, node: string): StoredPlaybook {
  if (state === undefined) {
    throw new TurnusError({
      code: 'no-playbook',
      message: `No playbook is given, and there is no run whose playbook could tell what stands in the way of ${node}.`,
      hint: 'Say with -f PLAYBOOK by which playbook the node is to be judged.',
    });
  }
  const playbook = readStoredPlaybook(state.spec.playbook.snapshot);
  if (playbook !== undefined) return playbook;
  throw new TurnusError({
    code: 'playbook-not-understood',
    message: `The playbook in run ${state.name} was written by another version of Turnus; this one does not understand it.`,
    hint: 'Give the playbook with -f PLAYBOOK.',
  });
}
