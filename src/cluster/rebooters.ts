import type { ApiObject, ClusterPort, Resource } from './clusterPort.js';
import { numberOf, recordOf, recordsOf, stringOf } from './json.js';
import { parseLabelSelectorObject } from './labelSelector.js';
import type { LabelSelector } from './view.js';

/** Objects by which other controllers take nodes down or machines away, as far as they can be read. */
export interface Rebooters {
  readonly upgradePlans: readonly UpgradePlan[];
  readonly machineHealthChecks: readonly MachineHealthCheck[];
  /** Kinds that the cluster serves and that could not be read. */
  readonly unread: readonly UnreadKind[];
}

/** A Plan of the system-upgrade-controller. */
export interface UpgradePlan {
  readonly namespace: string;
  readonly name: string;
  /** The nodes that it upgrades; undefined: none. */
  readonly nodeSelector: LabelSelector | undefined;
}

/** A MachineHealthCheck of Cluster API or of OpenShift. */
export interface MachineHealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly group: string;
  /** How long a node may be not Ready before its machine is remediated; undefined where it does not look at that. */
  readonly notReadyTimeoutMs: number | undefined;
  /** Annotation cluster.x-k8s.io/paused: it remediates nothing. */
  readonly paused: boolean;
}

export interface UnreadKind {
  /** For example `plans.upgrade.cattle.io`. */
  readonly resource: string;
  readonly forbidden: boolean;
  readonly message: string;
}

const upgradePlanVersions = ['upgrade.cattle.io/v1'];
/** One of them is enough: the API server serves the same objects in each. */
const machineHealthCheckVersions = [
  ['cluster.x-k8s.io/v1beta2', 'cluster.x-k8s.io/v1beta1'],
  ['machine.openshift.io/v1beta1'],
];

/** Reads them. A kind that the cluster does not serve has no objects. */
export async function readRebooters(cluster: ClusterPort, signal: AbortSignal): Promise<Rebooters> {
  const [plans, ...checks] = await Promise.all([
    objectsOf(cluster, { kind: 'Plan', plural: 'plans', apiVersions: upgradePlanVersions }, signal),
    ...machineHealthCheckVersions.map((apiVersions) =>
      objectsOf(cluster, { kind: 'MachineHealthCheck', plural: 'machinehealthchecks', apiVersions }, signal),
    ),
  ]);
  return {
    upgradePlans: plans.objects.map(parseUpgradePlan),
    machineHealthChecks: checks.flatMap(({ group, objects }) =>
      objects.map((object) => parseMachineHealthCheck(object, group)),
    ),
    unread: [plans, ...checks].flatMap(({ unread }) => unread),
  };
}

interface ReadKind {
  readonly group: string;
  readonly objects: readonly ApiObject[];
  readonly unread: readonly UnreadKind[];
}

/** Discovery tells a kind that is not served from one that may not be read: a list answers 403 to both. */
async function objectsOf(
  cluster: ClusterPort,
  wanted: { readonly kind: string; readonly plural: string; readonly apiVersions: readonly string[] },
  signal: AbortSignal,
): Promise<ReadKind> {
  const group = wanted.apiVersions[0]?.split('/')[0] ?? '';
  for (const apiVersion of wanted.apiVersions) {
    const served = await cluster.discover({ apiVersion, kind: wanted.kind }, signal);
    if (served.kind === 'not-found') continue;
    const listed = served.kind === 'ok' ? await listAll(cluster, served.value, signal) : served;
    if (listed.kind === 'ok') return { group, objects: listed.value, unread: [] };
    // Its definition was deleted in between.
    if (listed.kind === 'not-found') continue;
    const resource = `${wanted.plural}.${group}`;
    const unread = { resource, forbidden: listed.kind === 'forbidden', message: listed.message };
    return { group, objects: [], unread: [unread] };
  }
  return { group, objects: [], unread: [] };
}

/** There are few of them: one page. */
async function listAll(cluster: ClusterPort, { group, version, plural, namespaced }: Resource, signal: AbortSignal) {
  const answer = await cluster.list({ resource: { group, version, plural, namespaced } }, signal);
  return answer.kind === 'ok' ? { kind: 'ok' as const, value: answer.value.items } : answer;
}

/** A Plan of upgrade.cattle.io/v1 (pkg/apis/upgrade.cattle.io/v1/types.go of the system-upgrade-controller). */
export function parseUpgradePlan(object: ApiObject): UpgradePlan {
  return {
    namespace: stringOf(object.metadata.namespace) ?? '',
    name: stringOf(object.metadata.name) ?? '',
    nodeSelector: parseLabelSelectorObject(recordOf(object['spec'])['nodeSelector']),
  };
}

/**
 * A MachineHealthCheck in any of its forms: `unhealthyConditions` with a Go duration (cluster.x-k8s.io/v1beta1,
 * machine.openshift.io/v1beta1), or `checks.unhealthyNodeConditions` with seconds (cluster.x-k8s.io/v1beta2).
 */
export function parseMachineHealthCheck(object: ApiObject, group: string): MachineHealthCheck {
  const spec = recordOf(object['spec']);
  const conditions = [
    ...recordsOf(spec['unhealthyConditions']),
    ...recordsOf(recordOf(spec['checks'])['unhealthyNodeConditions']),
  ];
  const timeouts = conditions
    .filter(({ type, status }) => type === 'Ready' && status !== 'True')
    .flatMap((condition) => timeoutMsOf(condition) ?? []);
  return {
    namespace: stringOf(object.metadata.namespace) ?? '',
    name: stringOf(object.metadata.name) ?? '',
    group,
    notReadyTimeoutMs: timeouts.length === 0 ? undefined : Math.min(...timeouts),
    paused: Object.hasOwn(object.metadata.annotations ?? {}, 'cluster.x-k8s.io/paused'),
  };
}

function timeoutMsOf(condition: Readonly<Record<string, unknown>>): number | undefined {
  const seconds = numberOf(condition['timeoutSeconds']);
  return seconds === undefined ? goDurationMs(stringOf(condition['timeout']) ?? '') : seconds * 1000;
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of a duration as Go writes it (time.ParseDuration): `300s`, `1h30m`, `2.5m`. */
function goDurationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g)) {
    totalMs += Number(amount) * (unitMs[unit] ?? 0);
  }
  return totalMs;
}
