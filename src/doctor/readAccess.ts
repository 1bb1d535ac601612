import type { ApiAnswer, ApiObject } from '../cluster/clusterPort.js';
import { seeLease, type LeaseSight } from '../cluster/leaseSight.js';
import { missingPermissions, type MissingPermission } from '../cluster/permissions.js';
import { resources } from '../cluster/resources.js';
import { permissionsFor } from '../install/accessRules.js';
import { conditionPermissions } from '../install/conditionAccess.js';
import { schemaVersion } from '../install/customResources.js';
import { readInstallation } from '../install/installation.js';
import { defaultNamespace } from '../install/manifests.js';
import { wantsSurge, type Playbook } from '../playbook/playbook.js';
import { locateConditions } from '../run/readConditions.js';
import { leaseName } from '../run/underLease.js';
import { TurnusError } from '../turnusError.js';
import type { InstallationReading } from './accessChecks.js';
import type { ClusterReader } from './clusterReader.js';

/** Whether Turnus is installed, and what this user may do. */
export interface AccessFacts {
  readonly installation: InstallationReading;
  /** Where the objects of Turnus are, or would be. */
  readonly namespace: string;
  readonly namespaceObject: ApiAnswer<ApiObject>;
  /** How many permissions a run of the playbook needs. */
  readonly wanted: number;
  readonly missing: ApiAnswer<readonly MissingPermission[]>;
  readonly lease: LeaseSight;
  /** `namespace/name` */
  readonly leaseName: string;
}

/** Asks for what a run of this playbook asks for before it touches anything. */
export async function readAccess(reader: ClusterReader, playbook: Playbook): Promise<AccessFacts> {
  const { cluster, clock } = reader;
  const [installation, located] = await Promise.all([
    installationOf(reader),
    reader.askFor(
      (signal) => locateConditions({ cluster, conditions: playbook.gates.clusterHealth.conditions }, signal),
      () => [],
    ),
  ]);
  const namespace = installation.kind === 'installed' ? installation.namespace : defaultNamespace;
  const wanted = [
    ...permissionsFor('run', namespace, wantsSurge(playbook) ? ['surge'] : []),
    ...conditionPermissions(located.flatMap(({ place }) => (place.kind === 'found' ? [place.target] : []))),
  ];
  const [namespaceObject, missing, lease] = await Promise.all([
    reader.ask((signal) => cluster.get({ resource: resources.namespaces, name: namespace }, signal)),
    reader.ask((signal) => missingPermissions({ cluster, wanted, signal })),
    reader.askFor<LeaseSight>(
      (signal) => seeLease({ cluster, clock, namespace, name: leaseName }, signal),
      (message) => ({ kind: 'unknown', failure: { kind: 'unreachable', message } }),
    ),
  ]);
  return {
    installation,
    namespace,
    namespaceObject,
    wanted: wanted.length,
    missing,
    lease,
    leaseName: `${namespace}/${leaseName}`,
  };
}

async function installationOf(reader: ClusterReader): Promise<InstallationReading> {
  const hintOnce = 'Try again once the API server answers.';
  try {
    return await reader.askFor<InstallationReading>(
      async (signal) => ({
        kind: 'installed',
        schema: schemaVersion,
        ...(await readInstallation(reader.cluster, signal)),
      }),
      (message) => ({ kind: 'not-usable', message: `The CRDs of Turnus cannot be read: ${message}`, hint: hintOnce }),
    );
  } catch (error) {
    if (!(error instanceof TurnusError)) throw error;
    return { kind: 'not-usable', message: error.message, hint: error.hint ?? hintOnce };
  }
}
