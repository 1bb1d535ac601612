import type { ApiObject } from '../cluster/clusterPort.js';
import type { Permission } from '../cluster/permissions.js';
import { apiGroup } from '../run/objects.js';
import { leadershipLeaseName, leaseName } from '../run/underLease.js';

/** A rule of a Role or ClusterRole; no namespace means cluster-wide. */
interface AccessRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const read = ['get', 'list', 'watch'];
/** What a copy is kept of, which is never read one by one. */
const follow = ['list', 'watch'];

/** Where our objects are and which schema they have. */
const definitionsRule: AccessRule = {
  apiGroups: ['apiextensions.k8s.io'],
  resources: ['customresourcedefinitions'],
  resourceNames: ['maintenanceruns', 'nodeturns', 'playbooks'].map((plural) => `${plural}.${apiGroup}`),
  verbs: ['get'],
};

/** Whether the volumes of evicted pods are detached, asked before a host is touched: `plan` does not need it. */
const attachmentsRule: AccessRule = {
  apiGroups: ['storage.k8s.io'],
  resources: ['volumeattachments'],
  verbs: follow,
};

/** What Turnus does anywhere in the cluster. */
const clusterRules: readonly AccessRule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: [...read, 'patch'] },
  // The uid of kube-system tells clusters apart.
  { apiGroups: [''], resources: ['namespaces'], verbs: read },
  { apiGroups: [''], resources: ['pods', 'replicationcontrollers'], verbs: follow },
  // Where the volumes of a pod can be reached decides whether it can run on another node.
  { apiGroups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes'], verbs: follow },
  attachmentsRule,
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: follow },
  { apiGroups: ['apps'], resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets'], verbs: follow },
  { apiGroups: ['*'], resources: ['*/scale'], verbs: ['get'] },
  definitionsRule,
];

/**
 * What other controllers might do to nodes. Not asked for before a run: most clusters do not serve these kinds, and
 * what cannot be read is a finding for the record (`other-rebooter`).
 */
const otherRebooterRules: readonly AccessRule[] = [
  { apiGroups: ['upgrade.cattle.io'], resources: ['plans'], verbs: ['list'] },
  { apiGroups: ['cluster.x-k8s.io', 'machine.openshift.io'], resources: ['machinehealthchecks'], verbs: ['list'] },
];

/**
 * Which pods the API server calls, and which DaemonSet pods serve traffic. Not asked for before a run either: without
 * them the plan says what is not known (`last-webhook-backend`).
 */
const serviceRules: readonly AccessRule[] = [
  { apiGroups: [''], resources: ['services'], verbs: ['list'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    verbs: ['list'],
  },
  { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: ['list'] },
];
/** What surging of singletons needs: it may change what every Deployment runs, so it is given only where asked for. */
const surgeRules: readonly AccessRule[] = [
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] },
];

/** The Leases, in Turnus' own namespace: who acts, and which process of `turnus serve` decides. */
const leaseRule: AccessRule = {
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  verbs: ['get', 'create', 'update'],
};

/** What Turnus does in its own namespace. */
const ownRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['maintenanceruns'], verbs: [...read, 'create', 'patch'] },
  { apiGroups: [apiGroup], resources: ['nodeturns'], verbs: [...read, 'create'] },
  { apiGroups: [apiGroup], resources: ['maintenanceruns/status', 'nodeturns/status'], verbs: ['patch'] },
  { apiGroups: [apiGroup], resources: ['maintenanceruns/finalizers'], verbs: ['update'] },
  leaseRule,
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
];

/**
 * What deleting old runs needs; the garbage collector takes their turns. Not asked for before a run: where it is missing
 * they stay, and the run says so.
 */
const pruneRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['maintenanceruns'], verbs: ['delete'] },
];

/**
 * What `turnus serve` needs beyond a run, in Turnus' own namespace: playbooks that are objects, and the files that they
 * name. A Secret is read when a run needs it, never listed or watched; which one is only known once a playbook names it.
 */
const serveRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['playbooks'], verbs: follow },
  { apiGroups: [apiGroup], resources: ['playbooks/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: read },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get'] },
];

/** What people need who write playbooks, and by that who trigger a run of one. */
const editorRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['playbooks'], verbs: [...read, 'create', 'update', 'patch', 'delete'] },
];

/** What `turnus trigger` needs: it writes annotations of the playbook, which the API knows no separate right for. */
const triggerRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['playbooks'], verbs: ['get', 'patch'] },
];

/** Events about nodes belong in namespace default, heartbeats of the kubelets are in kube-node-lease. */
const eventRules: readonly AccessRule[] = [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }];
const heartbeatRules: readonly AccessRule[] = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
];

/** What people need who look at runs (`status`) and playbooks. */
const viewRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['maintenanceruns', 'nodeturns', 'playbooks'], verbs: read },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [leaseName], verbs: ['get'] },
];

/**
 * What `turnus coverage` needs, for people and for monitoring: pods tell which nodes carry the control plane, and the
 * namespace which cluster it is.
 */
const coverageRules: readonly AccessRule[] = [
  { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['list'] },
  { apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] },
];
const recordRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['maintenanceruns', 'nodeturns'], verbs: ['list'] },
];

/** What people need who ask something of a run (`pause`, `retry`, ...) and leave the acting to others. */
const operateRules: readonly AccessRule[] = [
  { apiGroups: [apiGroup], resources: ['maintenanceruns'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: [apiGroup], resources: ['nodeturns'], verbs: ['list'] },
  {
    apiGroups: ['coordination.k8s.io'],
    resources: ['leases'],
    resourceNames: [leaseName, leadershipLeaseName],
    verbs: ['get'],
  },
];

/** What not every cluster lets Turnus do, by the word of `turnus install --with`. */
export type AccessExtra = 'surge' | 'serve';

/** ServiceAccount, roles and bindings: what Turnus needs, no more. */
export function accessObjects(namespace: string, extras: readonly AccessExtra[]): ApiObject[] {
  const subjects = [{ kind: 'ServiceAccount', name: 'turnus', namespace }];
  const role = (where: string, rules: readonly AccessRule[], name = 'turnus'): ApiObject[] => [
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace: where }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name, namespace: where },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects,
    },
  ];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'turnus', namespace } },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'turnus' },
      rules: [...clusterRules, ...otherRebooterRules, ...serviceRules, ...(extras.includes('surge') ? surgeRules : [])],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'turnus' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'turnus' },
      subjects,
    },
    ...role(namespace, [...ownRules, ...pruneRules]),
    ...(extras.includes('serve') ? role(namespace, serveRules, 'turnus-serve') : []),
    ...role('default', eventRules),
    ...role('kube-node-lease', heartbeatRules),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'turnus-view', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [definitionsRule, ...viewRules],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'turnus-operate' },
      rules: [definitionsRule, ...operateRules],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'turnus-coverage' },
      rules: [definitionsRule, ...coverageRules, ...recordRules],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      // Aggregated to no other role, and bound to nobody: a playbook says what runs as root on every host, so that who
      // writes one is root there, which an admin of a namespace is not meant to be.
      metadata: { name: 'turnus-playbook-editor' },
      rules: [definitionsRule, ...editorRules],
    },
  ];
}

/**
 * The permissions that `run` asks for before anything is touched; `plan` needs the reading ones of the cluster,
 * `operate` those of the commands that ask something of a run, `coverage`, `trigger` and `drain` what those commands do,
 * `drain` with the Lease where there is a namespace for it. `extras`: what the playbook of a run, or serving, needs beyond.
 */
export function permissionsFor(
  command: 'plan' | 'run' | 'operate' | 'trigger' | 'coverage' | 'drain',
  namespace: string,
  extras: readonly AccessExtra[] = [],
): Permission[] {
  if (command === 'operate' || command === 'trigger') {
    const rules = command === 'operate' ? operateRules : triggerRules;
    // Without a look at the second Lease less is known, and nothing fails.
    const wanted = rules
      .flatMap((rule) => expanded(rule, namespace))
      .filter(({ name }) => name !== leadershipLeaseName);
    return [...expanded(definitionsRule, undefined), ...wanted];
  }
  if (command === 'coverage') {
    return [
      ...[definitionsRule, ...coverageRules].flatMap((rule) => expanded(rule, undefined)),
      ...recordRules.flatMap((rule) => expanded(rule, namespace)),
    ];
  }
  const anywhere = clusterRules
    .filter((rule) => !rule.resources.includes('*/scale'))
    .flatMap((rule) => expanded(rule, undefined));
  if (command === 'plan') {
    return anywhere.filter(
      ({ verb, group }) => read.includes(verb) && group !== 'apiextensions.k8s.io' && group !== 'storage.k8s.io',
    );
  }
  if (command === 'drain') {
    return [
      ...anywhere.filter(({ group }) => group !== 'apiextensions.k8s.io'),
      ...extraPermissions(extras, namespace),
      ...(namespace === '' ? [] : expanded(leaseRule, namespace)),
    ];
  }
  return [
    ...anywhere,
    ...extraPermissions(extras, namespace),
    ...ownRules
      .filter((rule) => !rule.resources.includes('maintenanceruns/finalizers'))
      .flatMap((rule) => expanded(rule, namespace)),
    ...eventRules.flatMap((rule) => expanded(rule, 'default')),
    ...heartbeatRules.flatMap((rule) => expanded(rule, 'kube-node-lease')),
  ];
}

/** Whether `turnus install` grants it with `--with surge` alone. */
export function isForSurge({ verb, group, resource }: Permission): boolean {
  return surgeRules.some(
    (rule) => rule.apiGroups.includes(group) && rule.resources.includes(resource) && rule.verbs.includes(verb),
  );
}

function extraPermissions(extras: readonly AccessExtra[], namespace: string): Permission[] {
  return [
    ...(extras.includes('surge') ? surgeRules.flatMap((rule) => expanded(rule, undefined)) : []),
    ...(extras.includes('serve') ? serveRules.flatMap((rule) => expanded(rule, namespace)) : []),
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
