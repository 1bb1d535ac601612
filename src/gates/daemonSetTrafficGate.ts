import { isFinished } from '../cluster/podPhase.js';
import type { ServiceView } from '../cluster/services.js';
import type { ClusterView, NodeView, PodView, PortOfHost } from '../cluster/view.js';
import { someOf } from '../drain/budgetWords.js';
import { isBehind } from '../drain/backendAllowance.js';
import type { Finding } from './finding.js';

/**
 * Do DaemonSet pods of the node serve traffic of others? They stay until the host goes down, and what is on its way to
 * them breaks, unless a `leave` script takes the node out of its load balancer first. One finding for all of them.
 */
export function daemonSetTrafficGate({
  view,
  node,
  services,
  hasLeaveScript,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
  /** Undefined: not known. */
  readonly services: readonly ServiceView[] | undefined;
  readonly hasLeaveScript: boolean;
}): readonly Finding[] {
  if (hasLeaveScript) return [];
  const ways = new Map<string, Set<string>>();
  for (const pod of view.pods.values()) {
    if (pod.nodeName !== node.name || pod.controller?.kind !== 'DaemonSet' || isFinished(pod)) continue;
    const name = `DaemonSet ${pod.namespace}/${pod.controller.name}`;
    const known = ways.get(name) ?? new Set();
    for (const way of waysTo(pod, services ?? [])) ways.set(name, known.add(way));
  }
  if (ways.size === 0) return [];
  const served = [...ways].sort(([one], [other]) => (one < other ? -1 : 1));
  const inWords = served.map(([name, by]) => `${name} (${[...by].sort().join(', ')})`);
  return [
    {
      code: 'daemonset-serves-traffic',
      severity: 'caution',
      node: node.name,
      objects: served.map(([name]) => name),
      message: `Traffic reaches node ${node.name} through ${someOf(inWords)}; it breaks when the host goes down, since these pods are not moved.`,
      hint: 'Give spec.host.leave a script that takes the node out of its load balancer before it is drained.',
    },
  ];
}

/** How traffic of others gets to a DaemonSet pod, in words. */
function waysTo(pod: PodView, services: readonly ServiceView[]): readonly string[] {
  const ports = pod.hostPorts.filter(servesOthers).map(({ port }) => port);
  return [
    ...(ports.length === 0 ? [] : [`host port ${[...new Set(ports)].join(' and ')}`]),
    ...services
      .filter((service) => service.sharesTraffic && isBehind(service, pod))
      .map(({ namespace, name }) => `Service ${namespace}/${name}`),
  ];
}

/** Ports that are only looked at (metrics, probes) by whoever finds the pod there. */
const observed =
  /(^|-)(metrics?|prom|prometheus|health|healthz|healthcheck|probes?|livez|liveness|readyz|readiness|monitoring|debug|pprof)(-|$)/;
/** Asked by the pods of the same node, which have left: node-local DNS caches. */
const dnsPort = 53;

function servesOthers({ port, hostIp, name }: PortOfHost): boolean {
  return port !== dnsPort && !hostIp.startsWith('127.') && hostIp !== '::1' && !observed.test(name ?? '');
}
