import type { ApiAnswer } from '../cluster/clusterPort.js';
import { parseNode } from '../cluster/parseNode.js';
import { parseOwner } from '../cluster/parseOwner.js';
import { parsePod } from '../cluster/parsePod.js';
import { resources } from '../cluster/resources.js';
import { ownerKey, podKey, type ClusterView, type NodeView, type OwnerView, type PodView } from '../cluster/view.js';
import type { ClusterReader } from './clusterReader.js';

/** As much of the cluster as the checks look at; what may not be read does not keep the rest from being looked at. */
export interface Inventory {
  readonly nodes: ApiAnswer<readonly NodeView[]>;
  readonly pods: ApiAnswer<readonly PodView[]>;
  readonly daemonSets: ApiAnswer<readonly OwnerView[]>;
}

/** Lists nodes, pods and DaemonSets. */
export async function readInventory(reader: ClusterReader): Promise<Inventory> {
  const [nodes, pods, daemonSets] = await Promise.all([
    reader.listAll(resources.nodes),
    reader.listAll(resources.pods),
    reader.listAll(resources.daemonSets),
  ]);
  return {
    nodes: parsed(nodes, parseNode),
    pods: parsed(pods, parsePod),
    daemonSets: parsed(daemonSets, (object) => parseOwner(object, 'DaemonSet')),
  };
}

/** What could be read, as the gates want it: without budgets, volumes and other owners, which nobody here asks about. */
export function viewOf({ nodes, pods, daemonSets }: Inventory, takenAt: number): ClusterView {
  return {
    takenAt,
    nodes: new Map(valuesOf(nodes).map((node) => [node.name, node])),
    pods: new Map(valuesOf(pods).map((pod) => [podKey(pod), pod])),
    owners: new Map(valuesOf(daemonSets).map((owner) => [ownerKey(owner), owner])),
    budgets: [],
    namespaces: new Map(),
    claims: new Map(),
    volumes: new Map(),
    ownerOfController: new Map(),
  };
}

function parsed<T, R>(answer: ApiAnswer<readonly T[]>, parse: (object: T) => R): ApiAnswer<readonly R[]> {
  return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.map(parse) } : answer;
}

function valuesOf<T>(answer: ApiAnswer<readonly T[]>): readonly T[] {
  return answer.kind === 'ok' ? answer.value : [];
}
