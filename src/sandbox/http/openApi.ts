import type { ServedResource } from '../api/simulatedApi.js';

/**
 * As much of OpenAPI v3 as kubectl reads before it sends what a file says: that the server itself validates
 * (parameter `fieldValidation`). Without it kubectl refuses unless told `--validate=false`. There are no schemas.
 */
export function openApiAnswer(path: string, served: readonly ServedResource[]): unknown {
  const prefix = '/openapi/v3';
  if (path === prefix) {
    const entries = served.map((resource) => [
      rootOf(resource),
      { serverRelativeURL: `${prefix}/${rootOf(resource)}` },
    ]);
    return { paths: Object.fromEntries(entries) as unknown };
  }
  const resources = served.filter((resource) => path === `${prefix}/${rootOf(resource)}`);
  if (resources.length === 0) return undefined;
  const entries = resources.map((resource) => [
    `/${rootOf(resource)}/${resource.plural}/{name}`,
    { patch: patchOf(resource) },
  ]);
  return {
    openapi: '3.0.0',
    info: { title: 'Turnus sandbox', version: 'v1' },
    paths: Object.fromEntries(entries) as unknown,
  };
}

function patchOf({ group, version, kind }: ServedResource) {
  return {
    'x-kubernetes-group-version-kind': { group, version, kind },
    parameters: [{ name: 'fieldValidation', in: 'query' }],
    responses: {},
  };
}

function rootOf({ group, version }: ServedResource): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}
