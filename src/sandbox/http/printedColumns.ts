import type { Resource } from '../../cluster/clusterPort.js';
import { numberOf, recordOf, recordsOf, stringOf } from '../../cluster/json.js';
import type { SimulatedApi } from '../api/simulatedApi.js';
import { ageOf, columnAt, textColumn, type PrintedColumn } from './printedColumn.js';
import {
  involvedObjectOf,
  jobStatusOf,
  nodeRolesOf,
  nodeStatusOf,
  podContainersOf,
  podStatusOf,
} from './printedStates.js';

const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  namespaced: false,
} as const satisfies Resource;

/** The columns of a resource: those of Kubernetes, those that its CustomResourceDefinition names, else name and age. */
export function printedColumnsOf(resource: Resource, api: SimulatedApi): readonly PrintedColumn[] {
  const known = columns[`${resource.group}/${resource.plural}`];
  if (known !== undefined) return known;
  const found = api.get({ resource: definitions, name: `${resource.plural}.${resource.group}` });
  const versions = found.kind === 'ok' ? recordsOf(recordOf(found.value['spec'])['versions']) : [];
  const version = versions.find(({ name }) => name === resource.version);
  const custom = recordsOf(version?.['additionalPrinterColumns']).map((column) =>
    columnAt(stringOf(column['name']) ?? '', stringOf(column['jsonPath']) ?? '', {
      type: stringOf(column['type']) ?? 'string',
      priority: numberOf(column['priority']) ?? 0,
    }),
  );
  return custom.length === 0 ? [name, age] : [name, ...custom];
}

const name = columnAt('Name', '.metadata.name');
const age = columnAt('Age', '.metadata.creationTimestamp', { type: 'date', absent: '<unknown>' });

const count = (title: string, path: string) => columnAt(title, path, { type: 'integer', absent: 0 });
const wide = (title: string, path: string, absent: string) => columnAt(title, path, { priority: 1, absent });
const outOf = (title: string, having: string, wanted: string) =>
  textColumn(title, (object, nowMs) =>
    [count('', having), columnAt('', wanted, { type: 'integer', absent: 1 })]
      .map(({ cell }) => String(cell(object, nowMs)))
      .join('/'),
  );
const ready = outOf('Ready', '.status.readyReplicas', '.spec.replicas');

/** By group and plural; titles and order are those of pkg/printers/internalversion/printers.go. */
const columns: Readonly<Record<string, readonly PrintedColumn[]>> = {
  '/nodes': [
    name,
    textColumn('Status', nodeStatusOf),
    textColumn('Roles', nodeRolesOf),
    age,
    columnAt('Version', '.status.nodeInfo.kubeletVersion'),
    wide('Internal-IP', '.status.addresses[?(@.type=="InternalIP")].address', '<none>'),
    wide('External-IP', '.status.addresses[?(@.type=="ExternalIP")].address', '<none>'),
    wide('OS-Image', '.status.nodeInfo.osImage', '<unknown>'),
    wide('Kernel-Version', '.status.nodeInfo.kernelVersion', '<unknown>'),
    wide('Container-Runtime', '.status.nodeInfo.containerRuntimeVersion', '<unknown>'),
  ],
  '/pods': [
    name,
    textColumn('Ready', (pod) => podContainersOf(pod).ready),
    textColumn('Status', podStatusOf),
    textColumn('Restarts', (pod) => podContainersOf(pod).restarts),
    age,
    wide('IP', '.status.podIP', '<none>'),
    wide('Node', '.spec.nodeName', '<none>'),
    wide('Nominated Node', '.status.nominatedNodeName', '<none>'),
    wide('Readiness Gates', '.spec.readinessGates[*].conditionType', '<none>'),
  ],
  'policy/poddisruptionbudgets': [
    name,
    columnAt('Min Available', '.spec.minAvailable', { absent: 'N/A' }),
    columnAt('Max Unavailable', '.spec.maxUnavailable', { absent: 'N/A' }),
    count('Allowed Disruptions', '.status.disruptionsAllowed'),
    age,
  ],
  'apps/deployments': [
    name,
    ready,
    count('Up-to-date', '.status.updatedReplicas'),
    count('Available', '.status.availableReplicas'),
    age,
  ],
  'apps/replicasets': [
    name,
    count('Desired', '.spec.replicas'),
    count('Current', '.status.replicas'),
    count('Ready', '.status.readyReplicas'),
    age,
  ],
  'apps/statefulsets': [name, ready, age],
  'apps/daemonsets': [
    name,
    count('Desired', '.status.desiredNumberScheduled'),
    count('Current', '.status.currentNumberScheduled'),
    count('Ready', '.status.numberReady'),
    count('Up-to-date', '.status.updatedNumberScheduled'),
    count('Available', '.status.numberAvailable'),
    age,
  ],
  'batch/jobs': [
    name,
    textColumn('Status', jobStatusOf),
    outOf('Completions', '.status.succeeded', '.spec.completions'),
    age,
  ],
  '/events': [
    textColumn('Last Seen', (event, now) => ageOf(event['lastTimestamp'] ?? event['eventTime'], now)),
    columnAt('Type', '.type'),
    columnAt('Reason', '.reason'),
    textColumn('Object', involvedObjectOf),
    columnAt('Message', '.message'),
  ],
  'coordination.k8s.io/leases': [name, columnAt('Holder', '.spec.holderIdentity'), age],
  '/namespaces': [name, columnAt('Status', '.status.phase'), age],
};
