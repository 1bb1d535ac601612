import type { ApiAnswer, ApiFailure, ApiObject, ClusterPort, Resource } from './clusterPort.js';
import { isRecord, recordOf, recordsOf, stringMapOf, stringOf, stringsOf } from './json.js';
import { isPassing } from './passingFailure.js';
import { resources } from './resources.js';

/** A Service with a selector. */
export interface ServiceView {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
  /**
   * Clients of other nodes reach its pods through it: it has an address (`clusterIP: None` is for those that look up
   * pods one by one) and does not keep the traffic on the client's node (`internalTrafficPolicy: Local`).
   */
  readonly sharesTraffic: boolean;
}

/** A Service that the API server itself calls, and without whose pods it refuses requests that keep the cluster going. */
export interface VitalService extends ServiceView {
  /** Who calls it: `ValidatingWebhookConfiguration policy`, `APIService v1.stock.example`. */
  readonly calledBy: readonly string[];
}

/** What is known of the Services of the cluster, as far as it can be read. */
export interface ClusterServices {
  readonly vital: readonly VitalService[];
  /** Undefined where they were not asked for, or may not be read. */
  readonly all: readonly ServiceView[] | undefined;
  readonly unread: readonly UnreadServices[];
}

export interface UnreadServices {
  /** For example `apiservices.apiregistration.k8s.io`. */
  readonly resource: string;
  readonly failure: ApiFailure;
}

export interface WantedServices {
  /** All Services, whoever calls them. */
  readonly all: boolean;
  /** Namespaces in which a vital Service counts: those of the pods that may go. */
  readonly namespaces: ReadonlySet<string>;
}

/**
 * Lists who is called by the API server (webhooks with `failurePolicy: Fail` whose rules may stop replacements, and
 * aggregated APIs), and the Services where anything depends on them. What cannot be read is part of the answer.
 */
export async function readServices(
  { cluster, wanted }: { readonly cluster: Pick<ClusterPort, 'list'>; readonly wanted: WantedServices },
  signal: AbortSignal,
): Promise<ClusterServices> {
  const unread: UnreadServices[] = [];
  const listed = async (resource: Resource): Promise<readonly ApiObject[] | undefined> => {
    const answer: ApiAnswer<{ readonly items: readonly ApiObject[] }> = await cluster.list({ resource }, signal);
    if (answer.kind === 'ok') return answer.value.items;
    if (answer.kind === 'not-found') return [];
    const { group, plural } = resource;
    unread.push({ resource: group === '' ? plural : `${plural}.${group}`, failure: answer });
    return undefined;
  };
  const [validating = [], mutating = [], aggregated = []] = await Promise.all([
    listed(resources.validatingWebhooks),
    listed(resources.mutatingWebhooks),
    listed(resources.apiServices),
  ]);
  const calls = [
    ...validating.flatMap((object) => webhookCalls(object, 'ValidatingWebhookConfiguration')),
    ...mutating.flatMap((object) => webhookCalls(object, 'MutatingWebhookConfiguration')),
    ...aggregated.flatMap(apiServiceCalls),
  ].filter(({ namespace }) => wanted.namespaces.has(namespace));
  if (calls.length === 0 && !wanted.all) return { vital: [], all: undefined, unread };
  const objects = await listed(resources.services);
  const all = objects?.flatMap((object) => parseService(object) ?? []);
  return { vital: (all ?? []).flatMap((service) => vitalOf(service, calls)), all, unread };
}

/** The first failure that the same question may not meet again. */
export function passingFailureOf({ unread }: ClusterServices): ApiFailure | undefined {
  return unread.map(({ failure }) => failure).find(isPassing);
}

interface Call {
  readonly namespace: string;
  readonly name: string;
  readonly by: string;
}

function vitalOf(service: ServiceView, calls: readonly Call[]): readonly VitalService[] {
  const calledBy = calls
    .filter(({ namespace, name }) => namespace === service.namespace && name === service.name)
    .map(({ by }) => by);
  return calledBy.length === 0 ? [] : [{ ...service, calledBy: [...new Set(calledBy)].sort() }];
}

/** The Services that a webhook configuration (admissionregistration.k8s.io/v1) has called, where that may stop replacements. */
export function webhookCalls(object: ApiObject, kind: string): readonly Call[] {
  return recordsOf(object['webhooks']).flatMap((webhook) => {
    // Fail is the default of v1.
    if (webhook['failurePolicy'] === 'Ignore' || !recordsOf(webhook['rules']).some(mayStopReplacements)) return [];
    return callOf(recordOf(webhook['clientConfig'])['service'], `${kind} ${object.metadata.name ?? ''}`);
  });
}

function apiServiceCalls(object: ApiObject): readonly Call[] {
  return callOf(recordOf(object['spec'])['service'], `APIService ${object.metadata.name ?? ''}`);
}

function callOf(service: unknown, by: string): readonly Call[] {
  if (!isRecord(service)) return [];
  return [{ namespace: stringOf(service['namespace']) ?? '', name: stringOf(service['name']) ?? '', by }];
}

/** What must be written so that a pod comes up elsewhere, serves, and its node stays Ready: group and resource. */
const neededForReplacements: readonly (readonly [group: string, resource: string])[] = [
  ['', 'pods'],
  ['', 'pods/binding'],
  ['', 'pods/eviction'],
  ['', 'pods/status'],
  ['', 'nodes'],
  ['', 'nodes/status'],
  ['', 'serviceaccounts/token'],
  ['coordination.k8s.io', 'leases'],
  ['discovery.k8s.io', 'endpointslices'],
];

/**
 * Whether the rule of a webhook matches any of that (RuleWithOperations in admissionregistration/v1): `*` is every
 * resource without subresources, `pods/*` every subresource of pods, `*` + `/status` that of every resource. Its
 * selectors are not looked at: they leave some namespaces out, and a node has pods of many.
 */
function mayStopReplacements(rule: Readonly<Record<string, unknown>>): boolean {
  const groups = stringsOf(rule['apiGroups']);
  const written = stringsOf(rule['resources']);
  const operations = stringsOf(rule['operations']);
  if (!operations.some((operation) => operation !== 'CONNECT')) return false;
  return neededForReplacements.some(
    ([group, resource]) =>
      (groups.includes('*') || groups.includes(group)) && written.some((pattern) => matchesResource(pattern, resource)),
  );
}

/** Whether what stands in a rule's `resources` means this resource: `pods`, `pods/eviction`. */
export function matchesResource(pattern: string, resource: string): boolean {
  if (pattern === '*/*') return true;
  const [wantedName = '', wantedPart] = pattern.split('/');
  const [name = '', part] = resource.split('/');
  const isPart = wantedPart === undefined ? part === undefined : part !== undefined && ['*', part].includes(wantedPart);
  return ['*', name].includes(wantedName) && isPart;
}

/** Undefined where no selector says which pods are behind it. */
export function parseService(object: ApiObject): ServiceView | undefined {
  const spec = recordOf(object['spec']);
  const selector = stringMapOf(spec['selector']);
  if (Object.keys(selector).length === 0 || spec['type'] === 'ExternalName') return undefined;
  const isLocal = spec['internalTrafficPolicy'] === 'Local' && (spec['type'] ?? 'ClusterIP') === 'ClusterIP';
  return {
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    selector,
    sharesTraffic: spec['clusterIP'] !== 'None' && !isLocal,
  };
}
