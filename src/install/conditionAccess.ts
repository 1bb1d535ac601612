import type { ApiObject } from '../cluster/clusterPort.js';
import type { Permission } from '../cluster/permissions.js';
import type { ConditionTarget } from '../run/readConditions.js';

/** Label on the roles that the conditions of a playbook need: the name of the playbook. */
const conditionsLabel = 'turnus.dev/conditions-of';

/** What reading the conditions of a playbook needs: exactly these objects, each permission once. */
export function conditionPermissions(targets: readonly ConditionTarget[]): Permission[] {
  const permissions = targets.map(({ resource: { group, plural }, namespace, name }): Permission => ({
    verb: name === undefined ? 'list' : 'get',
    group,
    resource: plural,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  }));
  return [...new Map(permissions.map((permission) => [JSON.stringify(permission), permission])).values()];
}

/**
 * The roles for that, called `turnus-conditions-<playbook>`, bound to the ServiceAccount of Turnus in `namespace`: one
 * in each namespace that a condition names, and a ClusterRole for what is in none or in all.
 */
export function conditionAccess({
  playbook,
  namespace,
  targets,
}: {
  readonly playbook: string;
  readonly namespace: string;
  readonly targets: readonly ConditionTarget[];
}): ApiObject[] {
  const permissions = conditionPermissions(targets);
  return [...new Set(permissions.map((permission) => permission.namespace))].flatMap((scope) => {
    const metadata = {
      name: `turnus-conditions-${playbook}`,
      ...(scope === undefined ? {} : { namespace: scope }),
      labels: { [conditionsLabel]: playbook },
    };
    const kind = scope === undefined ? 'ClusterRole' : 'Role';
    return [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind,
        metadata,
        rules: permissions.filter((permission) => permission.namespace === scope).map(ruleOf),
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: `${kind}Binding`,
        metadata,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: 'turnus', namespace }],
      },
    ];
  });
}

function ruleOf({ group, resource, verb, name }: Permission): Readonly<Record<string, readonly string[]>> {
  return {
    apiGroups: [group],
    resources: [resource],
    ...(name === undefined ? {} : { resourceNames: [name] }),
    verbs: [verb],
  };
}
