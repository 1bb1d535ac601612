import type { ApiObject, Resource } from '../../cluster/clusterPort.js';
import type { SimulatedApi } from '../api/simulatedApi.js';
import { printedColumnsOf } from './printedColumns.js';

/** How the client wants objects written: as they are, or as the rows of a table (KEP-565: `kubectl get`). */
export interface Representation {
  object(object: ApiObject): unknown;
  list(list: { readonly items: readonly ApiObject[]; readonly metadata: unknown }): unknown;
  /** An object in a watch: only its first table names the columns. */
  event(object: ApiObject): unknown;
}

/** What the header Accept asks for; undefined where we have none of it. */
export function representationOf(request: {
  readonly accept: string | undefined;
  readonly includeObject: string | null;
  readonly resource: Resource & { readonly kind: string };
  readonly api: SimulatedApi;
  readonly nowMs: () => number;
}): Representation | undefined {
  const { accept, resource } = request;
  for (const range of (accept ?? '*/*').split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='));
    if (as === undefined) return plain(resource);
    if (as === 'as=table' && parameters.includes('v=v1')) return table(request);
  }
  return undefined;
}

function plain({ group, version, kind }: Resource & { readonly kind: string }): Representation {
  return {
    object: (object) => object,
    event: (object) => object,
    list: ({ items, metadata }) => ({
      kind: `${kind}List`,
      apiVersion: group === '' ? version : `${group}/${version}`,
      metadata,
      // Only custom resources carry their kind inside a list; a client must not count on it.
      items: isCustom(group) ? items : items.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest),
    }),
  };
}

function table(request: {
  readonly includeObject: string | null;
  readonly resource: Resource;
  readonly api: SimulatedApi;
  readonly nowMs: () => number;
}): Representation {
  const { resource, api, nowMs, includeObject } = request;
  const columns = printedColumnsOf(resource, api);
  const columnDefinitions = columns.map(({ name, type, priority }) => ({
    name,
    type,
    format: name === 'Name' ? 'name' : '',
    description: '',
    priority,
  }));
  const shown = (object: ApiObject): unknown => {
    if (includeObject === 'None') return null;
    if (includeObject === 'Object') return object;
    return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
  };
  const tableOf = (objects: readonly ApiObject[], metadata: unknown, withColumns: boolean) => ({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns ? columnDefinitions : null,
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, nowMs())),
      object: shown(object),
    })),
  });
  let isFirst = true;
  return {
    object: (object) => tableOf([object], { resourceVersion: object.metadata.resourceVersion }, true),
    list: ({ items, metadata }) => tableOf(items, metadata, true),
    event(object) {
      const withColumns = isFirst;
      isFirst = false;
      return tableOf([object], { resourceVersion: object.metadata.resourceVersion }, withColumns);
    },
  };
}

/** Groups of Kubernetes have no dot, or end in k8s.io. */
function isCustom(group: string): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io');
}
