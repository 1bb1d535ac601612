import type { ServedResource } from '../api/simulatedApi.js';

/** The newest Kubernetes whose answers the model was compared with. */
export const versionAnswer = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3+turnus.sandbox',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'turnus/sandbox',
};

/** What discovery answers at a path below /api and /apis; undefined where the path is none of discovery's. */
export function discoveryAnswer(path: string, served: readonly ServedResource[]): unknown {
  const [root, ...below] = path.split('/').slice(1);
  if (root === 'api') {
    if (below.length === 0) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    return below.length === 1 ? resourceList('', below[0], served) : undefined;
  }
  if (root !== 'apis') return undefined;
  const groups = groupsOf(served);
  const [group, version] = below;
  if (group === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  if (version === undefined) {
    const found = groups.find(({ name }) => name === group);
    return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...found };
  }
  return below.length === 2 ? resourceList(group, version, served) : undefined;
}

function groupsOf(served: readonly ServedResource[]) {
  const names = new Set(served.map(({ group }) => group).filter((group) => group !== ''));
  return [...names].map((name) => {
    const versions = [...new Set(served.filter(({ group }) => group === name).map(({ version }) => version))].map(
      (version) => ({ groupVersion: `${name}/${version}`, version }),
    );
    return { name, versions, preferredVersion: versions[0] };
  });
}

function resourceList(group: string, version: string | undefined, served: readonly ServedResource[]): unknown {
  const resources = served.filter((resource) => resource.group === group && resource.version === version);
  if (version === undefined || resources.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: resources.flatMap((resource) => [entryOf(resource), ...resource.subresources.map(subentryOf(resource))]),
  };
}

function entryOf(resource: ServedResource) {
  const { plural, singular, namespaced, kind, shortNames, categories } = resource;
  const isReview = ['authorization.k8s.io', 'authentication.k8s.io'].includes(resource.group);
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: isReview ? ['create'] : ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}

function subentryOf({ plural, namespaced, kind }: ServedResource) {
  return (subresource: string) => {
    const entry = { name: `${plural}/${subresource}`, singularName: '', namespaced };
    switch (subresource) {
      // kubectl drain looks for this kind, with group and version, before it evicts (kubectl, pkg/drain/drain.go).
      case 'eviction':
        return { ...entry, group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] };
      case 'scale':
        return { ...entry, group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] };
      default:
        return { ...entry, kind, verbs: ['get', 'patch', 'update'] };
    }
  };
}
