import { recordOf, stringOf } from '../../cluster/json.js';
import { matchesLabels } from '../../cluster/labelSelector.js';
import { admitsNode, parseNodeSelector, selectsNode } from '../../cluster/nodeSelector.js';
import { resources } from '../../cluster/resources.js';
import { tolerates } from '../../cluster/taints.js';
import type { PodAffinityTerm, LabelSelector, SpreadConstraint } from '../../cluster/view.js';
import type { ClusterState } from './clusterState.js';
import type { NodeRecord, PodRecord } from './records.js';
import type { SchedulingRules } from './schedulingRules.js';

/** What the scheduler has worked out of pods. */
export interface PodLore {
  /** What the pods of a node have taken. */
  readonly usageOf: (node: string) => NodeUsage;
  /** Pods with a required anti-affinity. */
  readonly repelling: () => Iterable<PodRecord>;
}

export interface NodeUsage {
  readonly pods: number;
  readonly milliCpu: number;
  readonly memoryBytes: number;
  readonly hostPorts: SchedulingRules['hostPorts'];
}

export function nodeUsage(pods: readonly PodRecord[]): NodeUsage {
  const all = pods.filter((pod) => !pod.finished).map((pod) => pod.rules());
  const sum = (amount: (rules: SchedulingRules) => number) => all.reduce((total, rules) => total + amount(rules), 0);
  return {
    pods: all.length,
    milliCpu: sum(({ milliCpu }) => milliCpu),
    memoryBytes: sum(({ memoryBytes }) => memoryBytes),
    hostPorts: all.flatMap(({ hostPorts }) => hostPorts),
  };
}

/**
 * What keeps a pod off each node, in the words of the scheduler; undefined where it fits
 * (the Filter plugins in pkg/scheduler/framework/plugins).
 */
export function nodeFit(state: ClusterState, pod: PodRecord, lore: PodLore) {
  const rules = pod.rules();
  const volumes = volumesOf(state, pod, rules);
  if (typeof volumes === 'string') return () => volumes;
  const repelled = repelledTopologies(state, pod, lore);
  const spreads = rules.hardSpread.map((constraint) => spreadFit(state, pod, constraint, rules));
  return (node: NodeRecord): string | undefined => {
    if (node.unschedulable && !tolerates(rules.tolerations, cordon)) return 'node(s) were unschedulable';
    const taint = node.taints.find(
      (one) => (one.effect === 'NoSchedule' || one.effect === 'NoExecute') && !tolerates(rules.tolerations, one),
    );
    if (taint !== undefined) return `node(s) had untolerated taint(s) {${taint.key}: ${taint.value}}`;
    if (node.ready !== 'True') return 'node(s) were not ready';
    if (!admitsNode(rules, node)) return "node(s) didn't match Pod's node affinity/selector";
    if (!volumes.every((terms) => selectsNode(terms, node))) {
      return "node(s) didn't match PersistentVolume's node affinity";
    }
    const usage = lore.usageOf(node.name);
    if (sharesPort(rules, usage)) return "node(s) didn't have free ports for the requested pod ports";
    const lacking = lackingResource(node, rules, usage);
    if (lacking !== undefined) return lacking;
    if (repelled.size > 0 && Object.entries(node.labels).some(([key, value]) => repelled.has(`${key}=${value}`))) {
      return "node(s) didn't match pod anti-affinity rules";
    }
    return spreads.every((fits) => fits(node)) ? undefined : "node(s) didn't match pod topology spread constraints";
  };
}

const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** The node affinities of the pod's volumes, or what is wrong with its claims. */
function volumesOf(state: ClusterState, pod: PodRecord, { claims }: SchedulingRules) {
  const affinities = [];
  for (const name of claims) {
    const claim = state.objects(resources.claims.plural).get(`${pod.namespace}/${name}`);
    if (claim === undefined) return `persistentvolumeclaim "${name}" not found`;
    const volume = stringOf(recordOf(claim['spec'])['volumeName']);
    if (volume === undefined || volume === '') continue;
    const bound = state.objects(resources.volumes.plural).get(volume);
    if (bound === undefined) return `persistentvolume "${volume}" not found`;
    const terms = parseNodeSelector(recordOf(recordOf(bound['spec'])['nodeAffinity'])['required']);
    if (terms !== undefined) affinities.push(terms);
  }
  return affinities;
}

function sharesPort({ hostPorts }: SchedulingRules, other: NodeUsage): boolean {
  const everywhere = '0.0.0.0';
  return hostPorts.some((mine) =>
    other.hostPorts.some(
      ({ port, protocol, hostIp }) =>
        port === mine.port &&
        protocol === mine.protocol &&
        (hostIp === mine.hostIp || hostIp === everywhere || mine.hostIp === everywhere),
    ),
  );
}

function lackingResource(node: NodeRecord, rules: SchedulingRules, usage: NodeUsage): string | undefined {
  const { milliCpu, memoryBytes, pods } = node.allocatable;
  if (usage.pods + 1 > pods) return 'Too many pods';
  if (rules.milliCpu > 0 && usage.milliCpu + rules.milliCpu > milliCpu) return 'Insufficient cpu';
  if (rules.memoryBytes > 0 && usage.memoryBytes + rules.memoryBytes > memoryBytes) return 'Insufficient memory';
  return undefined;
}

/** The topologies, as `key=value`, in which another pod is that this one or that one does not want beside it. */
function repelledTopologies(state: ClusterState, pod: PodRecord, lore: PodLore): ReadonlySet<string> {
  const repelled = new Set<string>();
  const repel = (term: PodAffinityTerm, other: PodRecord): void => {
    const value = state.nodes.get(other.nodeName ?? '')?.labels[term.topologyKey];
    if (value !== undefined && !other.finished && other.uid !== pod.uid) repelled.add(`${term.topologyKey}=${value}`);
  };
  for (const term of pod.rules().antiAffinity) {
    const isOwnOnly = term.namespaces.length === 0 && term.namespaceSelector === undefined;
    const others = isOwnOnly ? state.podsMatching(pod.namespace, term.selector) : state.pods.values();
    for (const other of others) if (isMeant(state, term, pod, other)) repel(term, other);
  }
  for (const other of lore.repelling()) {
    for (const term of other.rules().antiAffinity) if (isMeant(state, term, other, pod)) repel(term, other);
  }
  return repelled;
}

function isMeant(state: ClusterState, term: PodAffinityTerm, holder: PodRecord, subject: PodRecord): boolean {
  const { namespaces, namespaceSelector } = term;
  const isNamed =
    namespaces.length === 0 && namespaceSelector === undefined
      ? subject.namespace === holder.namespace
      : namespaces.includes(subject.namespace) ||
        matchesLabels(
          namespaceSelector,
          state.objects(resources.namespaces.plural).get(subject.namespace)?.metadata.labels ?? {},
        );
  return isNamed && matchesLabels(term.selector, subject.labels);
}

/** Whether one more on a node keeps the pods of a constraint even enough (podtopologyspread/filtering.go). */
function spreadFit(state: ClusterState, pod: PodRecord, constraint: SpreadConstraint, rules: SchedulingRules) {
  const { topologyKey, selector, maxSkew, minDomains } = constraint;
  const narrowed: LabelSelector | undefined = selector && {
    ...selector,
    matchLabels: {
      ...selector.matchLabels,
      ...Object.fromEntries(constraint.matchLabelKeys.map((key) => [key, pod.labels[key] ?? ''])),
    },
  };
  const counts = podsPerDomain(state, topologyKey, {
    pods: state.podsMatching(pod.namespace, narrowed).filter((other) => !other.terminating && !other.finished),
    counts: (node) => {
      if (rules.hardSpread.some((one) => node.labels[one.topologyKey] === undefined)) return false;
      if (constraint.honoursAffinity && !admitsNode(rules, node)) return false;
      return !constraint.honoursTaints || node.taints.every((taint) => tolerates(rules.tolerations, taint));
    },
  });
  const least = counts.size < minDomains ? 0 : Math.min(...counts.values());
  const own = matchesLabels(narrowed, pod.labels) ? 1 : 0;
  return (node: NodeRecord): boolean => {
    const domain = node.labels[topologyKey];
    if (domain === undefined) return false;
    return (counts.get(domain) ?? 0) + own - (Number.isFinite(least) ? least : 0) <= maxSkew;
  };
}

/** How many pods there are in each topology, over the nodes that count; topologies without any are there with 0. */
export function podsPerDomain(
  state: ClusterState,
  topologyKey: string,
  { pods, counts }: { readonly pods: readonly PodRecord[]; readonly counts: (node: NodeRecord) => boolean },
): ReadonlyMap<string, number> {
  const domains = new Map<string, number>();
  const domainOf = new Map<string, string>();
  for (const node of state.nodes.values()) {
    const domain = node.labels[topologyKey];
    if (domain === undefined || !counts(node)) continue;
    domainOf.set(node.name, domain);
    domains.set(domain, 0);
  }
  for (const { nodeName } of pods) {
    const domain = domainOf.get(nodeName ?? '');
    if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + 1);
  }
  return domains;
}
