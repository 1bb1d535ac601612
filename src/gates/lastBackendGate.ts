import type { ClusterServices, UnreadServices, VitalService } from '../cluster/services.js';
import { podKey, type ClusterView, type NodeView, type PodView } from '../cluster/view.js';
import { backendsOf, vitalWords } from '../drain/backendAllowance.js';
import { someOf } from '../drain/budgetWords.js';
import type { DrainForecast } from '../drain/forecast.js';
import type { Finding } from './finding.js';

/**
 * Does everything that the API server calls keep a Ready pod? The forecast says so of pods that are evicted. Pods that
 * stay on the node go down with its host: where all Ready ones do, the node stays in service as well.
 */
export function lastBackendGate({
  view,
  node,
  forecast,
  services,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
  readonly forecast: DrainForecast;
  readonly services: ClusterServices | undefined;
}): readonly Finding[] {
  const staying = new Set(forecast.stays.map(({ pod }) => pod.uid));
  const goDown = (services?.vital ?? []).flatMap((service): readonly Finding[] => {
    const ready = backendsOf(service, view.pods.values()).filter((pod) => pod.ready && !pod.terminating);
    const allStay = ready.length > 0 && ready.every(({ uid }) => staying.has(uid));
    return allStay ? [goDownWithHost({ service, ready, node: node.name })] : [];
  });
  return [
    ...forecast.findings.filter(({ code }) => code === 'last-webhook-backend'),
    ...goDown,
    ...unreadFinding(services?.unread ?? [], node.name),
  ];
}

function goDownWithHost({
  service,
  ready,
  node,
}: {
  readonly service: VitalService;
  readonly ready: readonly PodView[];
  readonly node: string;
}): Finding {
  const { name, loss } = vitalWords(service);
  const pods = ready.map((pod) => `Pod ${podKey(pod)}`);
  return {
    code: 'last-webhook-backend',
    severity: 'block',
    node,
    objects: [name, ...service.calledBy, ...pods],
    message: `${someOf(pods)} would go down with the host of ${node}, and no other Ready pod is behind ${name}${loss}`,
    hint: `Give ${name} a second Ready pod on another node.`,
  };
}

function unreadFinding(unread: readonly UnreadServices[], node: string): readonly Finding[] {
  const [first] = unread;
  if (first === undefined) return [];
  const names = unread.map(({ resource }) => resource);
  return [
    {
      code: 'last-webhook-backend',
      severity: 'info',
      node,
      objects: names,
      message: `What depends on the pods of this node is not fully known, because ${names.join(', ')} cannot be listed: ${first.failure.message}`,
      hint:
        first.failure.kind === 'forbidden'
          ? 'Run `turnus install` of this version, whose ClusterRole allows it, and bind that role to the user.'
          : 'Look at the API server; they are asked for again before each turn.',
    },
  ];
}
