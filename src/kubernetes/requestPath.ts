import type { Resource } from '../cluster/clusterPort.js';

/** Path of a resource, an object or a subresource, with its query. Undefined parameters are left out. */
export function requestPath(target: {
  readonly resource: Resource;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  readonly query?: Readonly<Record<string, string | undefined>>;
}): string {
  const { resource, namespace, name, subresource } = target;
  const parts = [
    ...groupVersionParts(resource),
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource.plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  const query = new URLSearchParams();
  for (const [parameter, value] of Object.entries(target.query ?? {})) {
    if (value !== undefined) query.set(parameter, value);
  }
  const suffix = query.size === 0 ? '' : `?${query.toString()}`;
  return `/${parts.map(encodeURIComponent).join('/')}${suffix}`;
}

/** Path of a group version's discovery. */
export function groupVersionPath(target: { readonly group: string; readonly version: string }): string {
  return `/${groupVersionParts(target).map(encodeURIComponent).join('/')}`;
}

/** The core group lives under /api, the others under /apis. */
function groupVersionParts({ group, version }: { readonly group: string; readonly version: string }): string[] {
  return group === '' ? ['api', version] : ['apis', group, version];
}
