import type { ApiObject, ClusterPort } from '../cluster/clusterPort.js';
import { resources } from '../cluster/resources.js';
import { apiGroup } from '../run/objects.js';
import { TurnusError } from '../turnusError.js';
import { namespaceAnnotation, schemaAnnotation, schemaVersion } from './customResources.js';
import { defaultNamespace } from './manifests.js';

const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  namespaced: false,
};

/**
 * The namespace of Turnus' own objects, as `install` recorded it. Refuses (exit 2) where the CRDs are missing or
 * older than this version: the API server would prune fields that we write, and a pruned field is lost state.
 */
export async function readInstallation(cluster: ClusterPort, signal: AbortSignal): Promise<{ namespace: string }> {
  let namespace = '';
  for (const plural of ['maintenanceruns', 'nodeturns', 'playbooks']) {
    const name = `${plural}.${apiGroup}`;
    const answer = await cluster.get({ resource: definitions, name }, signal);
    if (answer.kind === 'not-found') {
      throw new TurnusError({
        code: 'not-installed',
        message: `CustomResourceDefinition ${name} is not installed in the cluster ${cluster.target.server}.`,
        hint: 'Run `turnus install` (or apply what `turnus install --print` prints).',
      });
    }
    if (answer.kind !== 'ok') {
      throw new TurnusError({
        code: `installation-${answer.kind}`,
        message: `CustomResourceDefinition ${name} cannot be read: ${answer.message}`,
        hint:
          answer.kind === 'forbidden'
            ? 'Bind the ClusterRole turnus to the user, or turnus-view where it is only to look (see docs/install.md).'
            : 'Try again once the API server answers.',
        exitCode: answer.kind === 'forbidden' ? 2 : 1,
      });
    }
    namespace = checkedNamespace(answer.value, name);
  }
  return { namespace };
}

/**
 * The namespace whose Lease keeps two actors of this cluster apart: the one that `install` recorded, else `turnus-system`
 * where it exists. Undefined where Turnus is not installed: then nobody can hold a lease.
 */
export async function findLeaseNamespace(cluster: ClusterPort, signal: AbortSignal): Promise<string | undefined> {
  const definition = await cluster.get({ resource: definitions, name: `maintenanceruns.${apiGroup}` }, signal);
  const recorded = definition.kind === 'ok' ? definition.value.metadata.annotations?.[namespaceAnnotation] : undefined;
  if (recorded !== undefined) return recorded;
  const namespace = await cluster.get({ resource: resources.namespaces, name: defaultNamespace }, signal);
  for (const answer of [definition, namespace]) {
    if (answer.kind === 'ok' || answer.kind === 'not-found') continue;
    throw new TurnusError({
      code: `installation-${answer.kind}`,
      message: `Whether Turnus is installed, and in which namespace its Lease is, cannot be read: ${answer.message}`,
      hint:
        answer.kind === 'forbidden'
          ? 'Bind the ClusterRole turnus to the user (see docs/install.md); nothing was touched.'
          : 'Try again once the API server answers; nothing was touched.',
      exitCode: answer.kind === 'forbidden' ? 2 : 1,
    });
  }
  return namespace.kind === 'ok' ? defaultNamespace : undefined;
}

function checkedNamespace(definition: ApiObject, name: string): string {
  const annotations = definition.metadata.annotations ?? {};
  const installed = Number(annotations[schemaAnnotation] ?? 0);
  if (installed < schemaVersion) {
    throw new TurnusError({
      code: 'schema-older',
      message: `CustomResourceDefinition ${name} has schema ${String(installed)}; this version of Turnus writes schema ${String(schemaVersion)}.`,
      hint: 'Run `turnus install` to update it; nothing was changed.',
    });
  }
  if (installed > schemaVersion) {
    throw new TurnusError({
      code: 'schema-newer',
      message: `CustomResourceDefinition ${name} has schema ${String(installed)}; this version of Turnus knows schema ${String(schemaVersion)} and would lose fields of a newer one.`,
      hint: 'Use the version of Turnus that was installed into the cluster; nothing was changed.',
    });
  }
  const namespace = annotations[namespaceAnnotation];
  if (namespace === undefined) {
    throw new TurnusError({
      code: 'namespace-unknown',
      message: `CustomResourceDefinition ${name} does not say in which namespace Turnus keeps its objects.`,
      hint: 'Run `turnus install`, which records it.',
    });
  }
  return namespace;
}
