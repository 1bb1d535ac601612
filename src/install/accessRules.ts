import type { ApiObject } from '../cluster/clusterPort.js';
import type { Permission } from '../cluster/permissions.js';
import { apiGroup } from '../run/objects.js';

/** A rule of a Role or ClusterRole; no namespace means cluster-wide. */
interface AccessRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const read = ['get', 'list', 'watch'];

/** What Turnus does anywhere in the cluster. */
const clusterRules: readonly AccessRule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: [...read, 'patch'] },
  { apiGroups: [''], resources: ['pods', 'replicationcontrollers'], verbs: read },
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: read },
  { apiGroups: ['apps'], resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets'], verbs: read },
  { apiGroups: ['*'], resources: ['*/scale'], verbs: ['get'] },
  {
    apiGroups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions'],
    resourceNames: [`maintenanceruns.${apiGroup}`, `nodeturns.${apiGroup}`],
    verbs: ['get'],
  },
];

/** What Turnus does in its own namespace. */
const ownRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['maintenanceruns', 'nodeturns'], verbs: [...read, 'create', 'patch'] },
  { apiGroups: [apiGroup], resources: ['maintenanceruns/status', 'nodeturns/status'], verbs: ['get', 'patch'] },
  { apiGroups: [apiGroup], resources: ['maintenanceruns/finalizers'], verbs: ['update'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
];

/** Events about nodes belong in namespace default, heartbeats of the kubelets are in kube-node-lease. */
const eventRules: readonly AccessRule[] = [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }];
const heartbeatRules: readonly AccessRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
];

/** ServiceAccount, roles and bindings: what Turnus needs, no more. */
export function accessObjects(namespace: string): ApiObject[] {
  const subjects = [{ kind: 'ServiceAccount', name: 'turnus', namespace }];
  const role = (where: string, rules: readonly AccessRule[]): ApiObject[] => [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'turnus', namespace: where }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'turnus', namespace: where },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'turnus' },
      subjects,
    },
  ];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'turnus', namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'turnus' },
      rules: clusterRules,
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'turnus' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'turnus' },
      subjects,
    },
    ...role(namespace, ownRules),
    ...role('default', eventRules),
    ...role('kube-node-lease', heartbeatRules),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'turnus-view', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ apiGroups: [apiGroup], resources: ['maintenanceruns', 'nodeturns'], verbs: read }],
    },
  ];
}

/** The permissions that `run` asks for before anything is touched; `plan` needs the reading ones of the cluster. */
export function permissionsFor(command: 'plan' | 'run', namespace: string): Permission[] {
  const anywhere = clusterRules
    .filter((rule) => !rule.resources.includes('*/scale'))
    .flatMap((rule) => expanded(rule, undefined));
  if (command === 'plan') {
    return anywhere.filter(
      (permission) => read.includes(permission.verb) && permission.group !== 'apiextensions.k8s.io',
    );
  }
  return [
    ...anywhere,
    ...ownRules
      .filter((rule) => !rule.resources.includes('maintenanceruns/finalizers'))
      .flatMap((rule) => expanded(rule, namespace)),
    ...eventRules.flatMap((rule) => expanded(rule, 'default')),
    ...heartbeatRules.flatMap((rule) => expanded(rule, 'kube-node-lease')),
  ];
}

function expanded(rule: AccessRule, namespace: string | undefined): Permission[] {
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((named) => {
      const [resource = '', subresource] = named.split('/');
      return (rule.resourceNames ?? [undefined]).flatMap((name) =>
        rule.verbs.map((verb) => ({
          group,
          resource,
          verb,
          ...(subresource === undefined ? {} : { subresource }),
          ...(namespace === undefined ? {} : { namespace }),
          ...(name === undefined ? {} : { name }),
        })),
      );
    }),
  );
}
