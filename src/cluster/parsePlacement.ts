import { numberOf, recordOf, recordsOf, stringOf, stringsOf, type JsonRecord } from './json.js';
import { parseLabelSelectorObject } from './labelSelector.js';
import { parseNodeSelector } from './nodeSelector.js';
import type { PodAffinityTerm, PodView, PortOfHost, SpreadConstraint, Toleration } from './view.js';

/** What a pod demands of the node it runs on. What is only preferred is left out. */
export type PlacementRules = Pick<
  PodView,
  'hostPorts' | 'nodeAffinity' | 'affinity' | 'antiAffinity' | 'hardSpread' | 'tolerations'
>;

/** The placement rules of a pod's spec. Most pods have none: these share their empty lists. */
export function parsePlacement(spec: JsonRecord, longRunningContainers: readonly JsonRecord[]): PlacementRules {
  const affinity = recordOf(spec['affinity']);
  const required = (kind: string): unknown =>
    recordOf(affinity[kind])['requiredDuringSchedulingIgnoredDuringExecution'];
  return {
    hostPorts: shared(hostPortsOf(longRunningContainers)),
    nodeAffinity: parseNodeSelector(required('nodeAffinity')),
    affinity: shared(recordsOf(required('podAffinity')).map(affinityTermOf)),
    antiAffinity: shared(recordsOf(required('podAntiAffinity')).map(affinityTermOf)),
    hardSpread: shared(
      recordsOf(spec['topologySpreadConstraints'])
        .filter((constraint) => constraint['whenUnsatisfiable'] === 'DoNotSchedule')
        .map(spreadConstraintOf),
    ),
    tolerations: shared(tolerationsOf(spec)),
  };
}

function hostPortsOf(containers: readonly JsonRecord[]): PortOfHost[] {
  return containers
    .flatMap((container) => recordsOf(container['ports']))
    .flatMap((written) => {
      const port = numberOf(written['hostPort']) ?? 0;
      const hostIp = stringOf(written['hostIP']) ?? '';
      if (port <= 0) return [];
      const name = stringOf(written['name']);
      return [
        {
          port,
          protocol: stringOf(written['protocol']) ?? 'TCP',
          hostIp: hostIp === '' ? '0.0.0.0' : hostIp,
          ...(name === undefined ? {} : { name }),
        },
      ];
    });
}

/** The API server has merged matchLabelKeys and mismatchLabelKeys into the selector (pkg/registry/core/pod/strategy.go). */
function affinityTermOf(term: JsonRecord): PodAffinityTerm {
  return {
    topologyKey: stringOf(term['topologyKey']) ?? '',
    selector: parseLabelSelectorObject(term['labelSelector']),
    namespaces: stringsOf(term['namespaces']),
    namespaceSelector: parseLabelSelectorObject(term['namespaceSelector']),
  };
}

function spreadConstraintOf(constraint: JsonRecord): SpreadConstraint {
  return {
    topologyKey: stringOf(constraint['topologyKey']) ?? '',
    maxSkew: numberOf(constraint['maxSkew']) ?? 1,
    minDomains: numberOf(constraint['minDomains']) ?? 1,
    selector: parseLabelSelectorObject(constraint['labelSelector']),
    matchLabelKeys: stringsOf(constraint['matchLabelKeys']),
    honoursAffinity: constraint['nodeAffinityPolicy'] !== 'Ignore',
    honoursTaints: constraint['nodeTaintsPolicy'] === 'Honor',
  };
}

/** Every pod gets these two from the API server (plugin DefaultTolerationSeconds); they say nothing about placement. */
const momentary = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

function tolerationsOf(spec: JsonRecord): Toleration[] {
  return recordsOf(spec['tolerations'])
    .map((toleration) => ({
      key: stringOf(toleration['key']) ?? '',
      operator: stringOf(toleration['operator']) ?? 'Equal',
      value: stringOf(toleration['value']) ?? '',
      effect: stringOf(toleration['effect']) ?? '',
    }))
    .filter(({ key }) => !momentary.includes(key));
}

const nothing: readonly never[] = Object.freeze([]);

function shared<T>(items: T[]): readonly T[] {
  return items.length === 0 ? nothing : items;
}
