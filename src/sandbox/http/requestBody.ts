import { parse as parseYaml } from 'yaml';
import { isApiObject } from '../../cluster/apiObject.js';
import type { ApiObject, JsonPatchOperation } from '../../cluster/clusterPort.js';
import { isRecord, numberOf, parseJson, recordOf, recordsOf, stringOf, stringsOf } from '../../cluster/json.js';
import { badRequest, refused } from '../api/refusals.js';
import type { ApiEviction, ApiPatch, DeleteRequest, Reply } from '../api/simulatedApi.js';
import type { RequestTarget } from './requestTarget.js';
import { refusals } from './statusAnswer.js';

/** The body of a request, not yet understood. */
export interface RequestBody {
  /** Without parameters, in lower case. */
  readonly contentType: string;
  readonly text: string;
}

const objectTypes = ['application/json', 'application/yaml'];

/** The object of a POST or PUT, which must be of the kind, and have the name, that the path says. */
export function objectOf(body: RequestBody, target: RequestTarget): Reply<ApiObject> {
  const read = valueOf(body, objectTypes);
  if (read.kind !== 'ok') return read;
  const object = read.value;
  if (!isApiObject(object)) return badRequest('the body is no object of the API: it has no metadata');
  const { resource, name, subresource } = target;
  const wanted = `${resource.group === '' ? '' : `${resource.group}/`}${resource.version} ${resource.kind}`;
  const found = `${String(object.apiVersion)} ${String(object.kind)}`;
  if (subresource !== 'scale' && found !== wanted) return badRequest(`the body is a ${found}, and must be a ${wanted}`);
  if (name !== undefined && object.metadata.name !== name) {
    return badRequest(`the body names ${String(object.metadata.name)}, and the path ${name}`);
  }
  return { kind: 'ok', value: object };
}

/** A patch, by its media type. `force` counts for server-side apply. */
export function patchOf(body: RequestBody, force: boolean): Reply<ApiPatch> {
  const read = valueOf(body, [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
  ]);
  if (read.kind !== 'ok') return read;
  const { value } = read;
  if (body.contentType === 'application/json-patch+json') {
    return Array.isArray(value) && value.every(isOperation)
      ? { kind: 'ok', value: { type: 'json', operations: value } }
      : badRequest('a JSON Patch is a list of the operations add, remove, replace and test');
  }
  if (!isRecord(value)) return badRequest('the patch is no JSON object');
  if (body.contentType === 'application/merge-patch+json') return { kind: 'ok', value: { type: 'merge', body: value } };
  if (body.contentType !== 'application/apply-patch+yaml') {
    return { kind: 'ok', value: { type: 'strategic', body: value } };
  }
  return isApiObject(value)
    ? { kind: 'ok', value: { type: 'apply', body: value, force } }
    : badRequest('what is applied has no metadata');
}

/** DeleteOptions from the body, or from the query where the body does not say. */
export function deleteOptionsOf(
  body: RequestBody,
  query: URLSearchParams,
): Reply<Pick<DeleteRequest, 'uid' | 'gracePeriodSeconds' | 'propagationPolicy' | 'dryRun'>> {
  const read = body.text === '' ? { kind: 'ok' as const, value: {} } : valueOf(body, objectTypes);
  if (read.kind !== 'ok') return read;
  const options = recordOf(read.value);
  const uid = stringOf(recordOf(options['preconditions'])['uid']);
  const seconds = numberOf(options['gracePeriodSeconds']) ?? wholeNumberOf(query.get('gracePeriodSeconds'));
  const policy = stringOf(options['propagationPolicy']) ?? query.get('propagationPolicy') ?? undefined;
  if (policy !== undefined && !isPropagation(policy)) {
    return badRequest(`invalid propagationPolicy "${policy}": it is Background, Foreground or Orphan`);
  }
  return {
    kind: 'ok',
    value: {
      ...(uid === undefined ? {} : { uid }),
      ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
      ...(policy === undefined ? {} : { propagationPolicy: policy }),
      dryRun: isDryRun(options, query),
    },
  };
}

/**
 * An eviction. As the server, it takes policy/v1 and the older policy/v1beta1, which mean the same
 * (pkg/registry/core/pod/storage/eviction.go, AcceptsGroupVersion).
 */
export function evictionOf(
  body: RequestBody,
  pod: { readonly namespace: string; readonly name: string },
  query: URLSearchParams,
): Reply<ApiEviction> {
  const read = valueOf(body, objectTypes);
  if (read.kind !== 'ok') return read;
  const eviction = recordOf(read.value);
  const version = String(eviction['apiVersion']);
  if (eviction['kind'] !== 'Eviction' || !['policy/v1', 'policy/v1beta1'].includes(version)) {
    return badRequest(`the body is a ${version} ${String(eviction['kind'])}, and must be a policy/v1 Eviction`);
  }
  const name = stringOf(recordOf(eviction['metadata'])['name']) ?? '';
  if (name !== pod.name) return badRequest('name in URL does not match name in Eviction object');
  const options = recordOf(eviction['deleteOptions']);
  const uid = stringOf(recordOf(options['preconditions'])['uid']);
  const gracePeriodSeconds = numberOf(options['gracePeriodSeconds']);
  return {
    kind: 'ok',
    value: {
      ...pod,
      ...(uid === undefined ? {} : { uid }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      dryRun: isDryRun(options, query),
    },
  };
}

/** The JSON, or YAML, value of a body in one of the given media types. */
export function valueOf({ contentType, text }: RequestBody, known: readonly string[]): Reply<unknown> {
  // curl and others name no type; what they send is JSON.
  const isKnown = known.includes(contentType) || (contentType === '' && known.includes('application/json'));
  if (!isKnown) return refused(refusals.mediaType(contentType, known));
  const json = parseJson(text);
  if (json !== undefined) return { kind: 'ok', value: json };
  if (!contentType.endsWith('yaml')) return badRequest('the body is no JSON');
  try {
    return { kind: 'ok', value: parseYaml(text, { maxAliasCount: 0 }) };
  } catch {
    return badRequest('the body is neither JSON nor YAML');
  }
}

/** A whole number in the query; undefined where there is none. */
export function wholeNumberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function isDryRun(options: Readonly<Record<string, unknown>>, query: URLSearchParams): boolean {
  return stringsOf(options['dryRun']).includes('All') || query.getAll('dryRun').includes('All');
}

function isPropagation(policy: string): policy is NonNullable<DeleteRequest['propagationPolicy']> {
  return policy === 'Background' || policy === 'Foreground' || policy === 'Orphan';
}

function isOperation(value: unknown): value is JsonPatchOperation {
  const [operation] = recordsOf([value]);
  return (
    ['add', 'remove', 'replace', 'test'].includes(String(operation?.['op'])) && typeof operation?.['path'] === 'string'
  );
}
