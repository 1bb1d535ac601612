import type { ApiObject } from '../cluster/clusterPort.js';
import { apiGroup } from '../run/objects.js';
import { playbookStatusSchema } from '../playbook/playbookStatus.js';
import { playbookSchema } from '../playbook/schema.js';
import { runSpecSchema, runStatusSchema, turnSpecSchema, turnStatusSchema } from '../run/state.js';
import { openSchema } from './openSchema.js';
import { structuralSchema, type StructuralSchema } from './structuralSchema.js';

/** Annotation of our CRDs: the namespace in which our objects count. */
export const namespaceAnnotation = 'turnus.dev/namespace';
/** Annotation of our CRDs: see {@link schemaVersion}. */
export const schemaAnnotation = 'turnus.dev/schema';
/** Counts up with every change of the schemas: an older installed schema would prune fields that we write. */
export const schemaVersion = 7;

/** Every spec field but `desired` stays as it was created (CEL, KEP-2876). */
const immutableSpec = {
  rule: ['playbook', 'planHash', 'clusterUid', 'requester', 'rehearsal', '?change', '?reason', '?trigger', '?replaces']
    .map(unchanged)
    .join(' && '),
  message: 'spec is fixed when the run is created; only spec.desired may change',
};

/** The CustomResourceDefinitions of Turnus. */
export function customResourceDefinitions(namespace: string): ApiObject[] {
  return [
    definition({
      namespace,
      kind: 'MaintenanceRun',
      plural: 'maintenanceruns',
      shortNames: ['mrun'],
      description: "One period's maintenance: one playbook over its nodes.",
      spec: { ...structuralSchema(runSpecSchema), 'x-kubernetes-validations': [immutableSpec] },
      status: structuralSchema(runStatusSchema),
      columns: [
        { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
        { name: 'Nodes', type: 'integer', jsonPath: '.status.counts.total' },
        { name: 'Done', type: 'integer', jsonPath: '.status.counts.done' },
        { name: 'Failed', type: 'integer', jsonPath: '.status.counts.failed' },
        { name: 'Blocked', type: 'integer', jsonPath: '.status.counts.blocked' },
        { name: 'Rehearsal', type: 'boolean', jsonPath: '.spec.rehearsal' },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        { name: 'Requester', type: 'string', jsonPath: '.spec.requester', priority: 1 },
        { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      ],
    }),
    definition({
      namespace,
      kind: 'NodeTurn',
      plural: 'nodeturns',
      shortNames: ['turn'],
      description: "One node's passage in a run: check, cordon, drain, update, reboot, verify, uncordon, settle.",
      spec: {
        ...structuralSchema(turnSpecSchema),
        'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'spec is fixed when the turn is created' }],
      },
      status: structuralSchema(turnStatusSchema),
      columns: [
        { name: 'Node', type: 'string', jsonPath: '.spec.node' },
        { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
        { name: 'Run', type: 'string', jsonPath: '.spec.run' },
        { name: 'Started', type: 'date', jsonPath: '.status.startedAt' },
        { name: 'Finished', type: 'date', jsonPath: '.status.finishedAt' },
        { name: 'Waiting for', type: 'string', jsonPath: '.status.waitingFor.what' },
        { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
      ],
    }),
    definition({
      namespace,
      kind: 'Playbook',
      plural: 'playbooks',
      shortNames: ['pb'],
      description: 'How the nodes of the cluster are taken through their maintenance, and when.',
      isOpen: true,
      spec: openSchema(playbookSchema.shape.spec),
      status: structuralSchema(playbookStatusSchema),
      columns: [
        { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
        { name: 'Valid', type: 'string', jsonPath: '.status.conditions[?(@.type=="Valid")].status' },
        // kubectl shows a date as an age, which a moment to come has not.
        { name: 'Next window', type: 'string', jsonPath: '.status.nextWindow.opensAt' },
        { name: 'Last run', type: 'string', jsonPath: '.status.lastRun.name' },
        { name: 'Phase', type: 'string', jsonPath: '.status.lastRun.phase' },
        { name: 'Overdue', type: 'integer', jsonPath: '.status.coverage.overdue' },
        { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    }),
  ];
}

interface Definition {
  readonly namespace: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  /** People write it, and what they misspell is kept for Turnus to judge. */
  readonly isOpen?: true;
  readonly spec: StructuralSchema;
  readonly status: StructuralSchema;
  readonly columns: readonly { name: string; type: string; jsonPath: string; priority?: number }[];
}

function definition(resource: Definition): ApiObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${resource.plural}.${apiGroup}`,
      annotations: { [namespaceAnnotation]: resource.namespace, [schemaAnnotation]: String(schemaVersion) },
    },
    spec: {
      group: apiGroup,
      scope: 'Namespaced',
      names: {
        kind: resource.kind,
        listKind: `${resource.kind}List`,
        plural: resource.plural,
        singular: resource.kind.toLowerCase(),
        shortNames: resource.shortNames,
        categories: ['turnus'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: resource.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: resource.description,
              ...(resource.isOpen === true ? { 'x-kubernetes-preserve-unknown-fields': true } : { required: ['spec'] }),
              properties: { spec: resource.spec, status: resource.status },
            },
          },
        },
      ],
    },
  };
}

function unchanged(field: string): string {
  if (!field.startsWith('?')) return `self.${field} == oldSelf.${field}`;
  const name = field.slice(1);
  return `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || self.${name} == oldSelf.${name})`;
}
