import { createHash } from 'node:crypto';
import type { ApiObject, Resource } from '../cluster/clusterPort.js';
import { TurnusError } from '../turnusError.js';
import { runSpecSchema, runStatusSchema, turnSpecSchema, turnStatusSchema } from './state.js';
import type { RunSpec, RunStatus, TurnSpec, TurnStatus } from './state.js';

export const apiGroup = 'turnus.dev';
export const apiVersion = `${apiGroup}/v1alpha1`;

export const runResource: Resource = {
  group: apiGroup,
  version: 'v1alpha1',
  plural: 'maintenanceruns',
  namespaced: true,
};
export const turnResource: Resource = { group: apiGroup, version: 'v1alpha1', plural: 'nodeturns', namespaced: true };

export const playbookResource: Resource = {
  group: apiGroup,
  version: 'v1alpha1',
  plural: 'playbooks',
  namespaced: true,
};

/** Label of a NodeTurn: name of its run. */
export const runLabel = 'turnus.dev/run';
/** Label of a NodeTurn: SHA-256 prefix of the node's name, because a label holds at most 63 characters. */
const nodeLabel = 'turnus.dev/node-hash';
/** Held on a run while a turn is in work. */
export const runFinalizer = 'turnus.dev/turn-in-work';

export interface RunObject {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly finalizers: readonly string[];
  readonly terminating: boolean;
  readonly spec: RunSpec;
  readonly status: RunStatus;
}

export interface TurnObject {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly spec: TurnSpec;
  readonly status: TurnStatus;
}

/** The run as it stands in an API object; a run that was just created is Planned. */
export function parseRun(object: ApiObject): RunObject {
  return {
    ...identityOf(object),
    finalizers: object.metadata.finalizers ?? [],
    terminating: object.metadata.deletionTimestamp !== undefined,
    spec: parsed(runSpecSchema, object['spec'], object),
    status: parsed(runStatusSchema, object['status'] ?? { phase: 'Planned' }, object),
  };
}

/** The turn as it stands in an API object; a turn that was just created is Pending. */
export function parseTurn(object: ApiObject): TurnObject {
  return {
    ...identityOf(object),
    spec: parsed(turnSpecSchema, object['spec'], object),
    status: parsed(turnStatusSchema, object['status'] ?? { phase: 'Pending' }, object),
  };
}

export function newRun(run: { name: string; namespace: string; spec: RunSpec }): ApiObject {
  return {
    apiVersion,
    kind: 'MaintenanceRun',
    metadata: { name: run.name, namespace: run.namespace },
    spec: run.spec,
  };
}

/** A NodeTurn owned by its run, named so that a run has at most one for each node. */
export function newTurn(turn: { run: RunObject; namespace: string; spec: TurnSpec }): ApiObject {
  const hash = createHash('sha256').update(turn.spec.node).digest('hex').slice(0, 10);
  return {
    apiVersion,
    kind: 'NodeTurn',
    metadata: {
      name: `${turn.run.name}-${hash}`,
      namespace: turn.namespace,
      labels: { [runLabel]: turn.run.name, [nodeLabel]: hash },
      ownerReferences: [
        {
          apiVersion,
          kind: 'MaintenanceRun',
          name: turn.run.name,
          uid: turn.run.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: turn.spec,
  };
}

function identityOf(object: ApiObject): { name: string; uid: string; resourceVersion: string } {
  const { name = '', uid = '', resourceVersion = '' } = object.metadata;
  return { name, uid, resourceVersion };
}

function parsed<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error } },
  value: unknown,
  object: ApiObject,
): T {
  const answer = schema.safeParse(value);
  if (answer.success) return answer.data;
  throw new TurnusError({
    code: 'object-unreadable',
    message: `${object.kind ?? 'Object'} ${object.metadata.name ?? ''} does not have the shape that this version of Turnus knows.`,
    hint: 'Use the version of Turnus that wrote it, or delete the object.',
    exitCode: 1,
    cause: answer.error,
  });
}
