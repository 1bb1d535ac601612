import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { accessObjects } from '../../../src/install/accessRules.js';
import { systemNamespace } from '../runReport.js';
import type { Asked } from './asked.js';

/** One verb of one resource that a role grants. */
export interface Granted {
  readonly role: string;
  readonly verb: string;
  readonly group: string;
  /** `*`: of any resource. */
  readonly resource: string;
  readonly subresource: string;
  /** Undefined in a ClusterRole: anywhere. */
  readonly namespace: string | undefined;
  /** Undefined: of any name. */
  readonly name: string | undefined;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Everything that the roles of `turnus install` grant, with all that `--with` adds. */
export function grantedByRoles(): readonly Granted[] {
  return accessObjects(systemNamespace, ['surge', 'serve'])
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
    .flatMap((role) => (role['rules'] as readonly Rule[]).flatMap((rule) => grantedBy(role, rule)));
}

/** Whether this is what was asked for. RBAC knows no name of what is created, listed or watched as a whole. */
export function grants(granted: Granted, asked: Asked): boolean {
  const { verb, group, resource, subresource, namespace, name } = granted;
  return (
    verb === asked.verb &&
    (group === '*' || group === asked.group) &&
    (resource === '*' || resource === asked.resource) &&
    subresource === asked.subresource &&
    (namespace === undefined || namespace === asked.namespace) &&
    (name === undefined || name === asked.name)
  );
}

/** As `kubectl auth can-i` names it. */
export function textOf({ verb, group, resource, subresource, namespace, name }: Granted | Asked): string {
  const kind = `${resource}${group === '' ? '' : `.${group}`}${subresource === '' ? '' : `/${subresource}`}`;
  return `${verb} ${kind}${name === undefined || name === '' ? '' : ` ${name}`}${namespace === undefined || namespace === '' ? '' : ` in ${namespace}`}`;
}

function grantedBy({ metadata }: ApiObject, rule: Rule): Granted[] {
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((each) => {
      const [resource = '', subresource = ''] = each.split('/');
      return (rule.resourceNames ?? [undefined]).flatMap((name) =>
        rule.verbs.map((verb) => ({
          role: metadata.name ?? '',
          verb,
          group,
          resource,
          subresource,
          namespace: metadata.namespace,
          name,
        })),
      );
    }),
  );
}
