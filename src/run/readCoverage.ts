import type { ApiObject, ClusterPort, Resource } from '../cluster/clusterPort.js';
import { listKept } from '../cluster/listObjects.js';
import { parseNode } from '../cluster/parseNode.js';
import { parsePod } from '../cluster/parsePod.js';
import { resources } from '../cluster/resources.js';
import { podKey, type ClusterView, type PodView } from '../cluster/view.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import type { Playbook } from '../playbook/playbook.js';
import { readStoredPlaybook, type StoredPlaybook } from '../playbook/storedPlaybook.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { coverage, type Coverage, type JudgedPlaybook } from './coverage.js';
import { readFailure } from './listRuns.js';
import { noNodes } from './noNodes.js';
import { checkedClusterUid, refuseMissingPermissions, refuseUnreachable } from './preconditions.js';
import { readRecords, type Records } from './recordedRuns.js';

export interface CoverageRequest {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  /** Undefined: every playbook, as its newest run keeps it. */
  readonly playbook: Playbook | undefined;
}

/** The coverage, as far as it can be judged. */
export interface CoverageReading {
  readonly coverage: Coverage;
  /** What another version of Turnus wrote and this one does not know, one sentence each: it counts for nothing. */
  readonly notUnderstood: readonly string[];
}

/**
 * Reads nodes, runs and turns once, and judges by them. Changes nothing.
 *
 * @throws TurnusError `no-playbook`, `no-nodes`, and what keeps the cluster from being read
 */
export async function readCoverage(request: CoverageRequest, signal: AbortSignal): Promise<CoverageReading> {
  const { cluster, clock, playbook } = request;
  await refuseUnreachable(cluster, signal);
  const { namespace } = await readInstallation(cluster, signal);
  await refuseMissingPermissions({ cluster, wanted: permissionsFor('coverage', namespace) }, signal);
  if (playbook !== undefined) {
    await checkedClusterUid({ cluster, expected: playbook.clusterUid, mustBeNamed: false }, signal);
  }
  const records = await readRecords({ cluster, namespace }, signal);
  const kept: KeptPlaybooks =
    playbook === undefined
      ? keptPlaybooks(records)
      : { found: [{ playbook, snapshotOf: undefined }], notUnderstood: [] };
  const notUnderstood = [...records.notUnderstood, ...kept.notUnderstood];
  if (kept.found.length === 0 && notUnderstood.length === 0) throw noPlaybook(namespace);
  const playbooks = kept.found.map(({ playbook: judged, snapshotOf }): JudgedPlaybook => ({
    name: judged.name,
    snapshotOf,
    nodes: judged.nodes,
    coverageMs: judged.schedule.coverageMs,
  }));
  const view = await readView(cluster, playbooks, signal);
  const judged = coverage({ view, playbooks, runs: records.runs, now: clock.now() });
  if (playbook !== undefined && judged.playbooks.every(({ nodes }) => nodes.length === 0)) throw noNodes(playbook);
  return { coverage: judged, notUnderstood };
}

interface KeptPlaybooks {
  readonly found: readonly { readonly playbook: StoredPlaybook; readonly snapshotOf: string | undefined }[];
  readonly notUnderstood: readonly string[];
}

/** Each playbook as the newest of its runs keeps it that this version understands; rehearsals do not count. */
function keptPlaybooks({ runs }: Records): KeptPlaybooks {
  const counted = runs.filter(({ rehearsal }) => !rehearsal);
  const found = new Map<string, KeptPlaybooks['found'][number]>();
  for (const { name: snapshotOf, playbook: name, snapshot } of counted) {
    const playbook = found.has(name) ? undefined : readStoredPlaybook(snapshot);
    if (playbook !== undefined) found.set(name, { playbook, snapshotOf });
  }
  const names = [...new Set(counted.map(({ playbook }) => playbook))].sort();
  return {
    found: names.flatMap((name) => found.get(name) ?? []),
    notUnderstood: names
      .filter((name) => !found.has(name))
      .map((name) => `Playbook ${name}, as its runs keep it, has a form that this version of Turnus does not know.`),
  };
}

/** Nodes, and pods where they tell which nodes are selected. */
async function readView(
  cluster: ClusterPort,
  playbooks: readonly JudgedPlaybook[],
  signal: AbortSignal,
): Promise<Pick<ClusterView, 'nodes' | 'pods'>> {
  const nodes = await listed({ cluster, resource: resources.nodes, keep: parseNode }, signal);
  const asksForPods = playbooks.some(({ nodes: { selector } }) => selector === '');
  // Static pods prove that a node carries the control plane; of the others nothing is asked.
  const pods = asksForPods ? await listed({ cluster, resource: resources.pods, keep: mirrorPod }, signal) : [];
  return {
    nodes: new Map(nodes.map((node) => [node.name, node])),
    pods: new Map(pods.map((pod) => [podKey(pod), pod])),
  };
}

async function listed<Kept>(
  request: {
    readonly cluster: ClusterPort;
    readonly resource: Resource;
    readonly keep: (object: ApiObject) => Kept | undefined;
  },
  signal: AbortSignal,
): Promise<readonly Kept[]> {
  const answer = await listKept(request, signal);
  if (answer.kind !== 'ok') throw readFailure(answer, `the ${request.resource.plural}`);
  return answer.value;
}

function mirrorPod(object: ApiObject): PodView | undefined {
  const pod = parsePod(object);
  return pod.mirror ? pod : undefined;
}

function noPlaybook(namespace: string): TurnusError {
  return new TurnusError({
    code: 'no-playbook',
    message: `No playbook is given, and there is no run in namespace ${namespace}, rehearsals left out, that could tell by which playbook the nodes are to be judged.`,
    hint: 'Say it with -f PLAYBOOK.',
  });
}
