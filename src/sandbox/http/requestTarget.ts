import type { ServedResource } from '../api/simulatedApi.js';

/** What a path under /api or /apis means. */
export interface RequestTarget {
  readonly resource: ServedResource;
  readonly namespace?: string;
  /** Absent: the collection. */
  readonly name?: string;
  readonly subresource?: string;
}

/**
 * The resource, object or subresource at a path (apiserver, pkg/endpoints/request/requestinfo.go); undefined where
 * nothing is served.
 */
export function requestTargetOf(path: string, served: readonly ServedResource[]): RequestTarget | undefined {
  const parts = decodedParts(path);
  if (parts === undefined) return undefined;
  const [root, ...below] = parts;
  const [group, version, ...rest] = root === 'api' ? ['', ...below] : below;
  const find = (plural: string | undefined, namespaced: boolean) =>
    served.find(
      (resource) =>
        resource.group === group &&
        resource.version === version &&
        resource.plural === plural &&
        resource.namespaced === namespaced,
    );
  const [first, namespace, plural, ...inside] = rest;
  if (first === 'namespaces' && namespace !== undefined && plural !== undefined && !isOfNamespace(plural)) {
    return targetOf(find(plural, true), inside, namespace);
  }
  // Without a namespace, a namespaced resource has only its collection.
  return (
    targetOf(find(first, false), rest.slice(1)) ?? (rest.length === 1 ? targetOf(find(first, true), []) : undefined)
  );
}

function targetOf(
  resource: ServedResource | undefined,
  inside: readonly string[],
  namespace?: string,
): RequestTarget | undefined {
  const [name, subresource, ...further] = inside;
  if (resource === undefined || further.length > 0) return undefined;
  if (subresource !== undefined && !resource.subresources.includes(subresource)) return undefined;
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** Subresources of a namespace itself, where the name of a resource would stand. */
function isOfNamespace(part: string): boolean {
  return part === 'status' || part === 'finalize';
}

function decodedParts(path: string): readonly string[] | undefined {
  try {
    const parts = path.split('/').slice(1).map(decodeURIComponent);
    return parts.includes('') ? undefined : parts;
  } catch {
    return undefined;
  }
}
