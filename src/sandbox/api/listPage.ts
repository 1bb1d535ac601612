import type { ApiObject, ListRequest } from '../../cluster/clusterPort.js';
import { numberOf, parseJson, recordOf, stringOf } from '../../cluster/json.js';
import { firstAtLeast, keyOf } from './objectTable.js';
import type { ObjectStore } from './objectStore.js';
import { badRequest, expired, ok } from './refusals.js';
import type { ResourceDefinition } from './resourceDefinition.js';
import { selectionOf } from './selection.js';
import type { ApiPage, Reply } from './simulatedApi.js';

/**
 * One page of a list, in the order of keys. The pages after the first show what was there at the first one; that is
 * expired where the history since is forgotten.
 */
export function listPage(store: ObjectStore, resource: ResourceDefinition, request: ListRequest): Reply<ApiPage> {
  const selection = selectionOf(resource, request);
  if (selection.kind === 'refused') return selection;
  const token =
    request.continueToken === undefined ? { version: store.version, after: '' } : tokenOf(request.continueToken);
  if (token === undefined) return badRequest('continue key is not valid');
  const contents = store.table(resource).at(token.version);
  if (contents === undefined)
    return expired('The provided continue parameter is too old; start a new list without it.');

  const { namespace, name, matches } = selection;
  const resourceVersion = String(token.version);
  const { keys, objects } = contents;
  if (name !== undefined && (namespace !== undefined || !resource.namespaced)) {
    const only = objects.get(keyOf(namespace, name));
    return ok({ items: only !== undefined && matches(only) ? [only] : [], resourceVersion });
  }
  // A list from the server's cache comes in one piece.
  const limit = request.resourceVersion === '0' || request.limit === 0 ? Infinity : (request.limit ?? Infinity);
  const items: ApiObject[] = [];
  let last = '';
  const [first, end] = rangeOf(keys, namespace, token.after);
  for (let index = first; index < end; index += 1) {
    const key = keys[index] ?? '';
    const object = objects.get(key);
    if (object === undefined || !matches(object)) continue;
    if (items.length === limit) {
      const more = Buffer.from(JSON.stringify({ version: token.version, after: last })).toString('base64url');
      const isWhole = request.labelSelector === undefined && request.fieldSelector === undefined;
      const remaining = isWhole ? { remainingItemCount: end - index } : {};
      return ok({ items, resourceVersion, continueToken: more, ...remaining });
    }
    items.push(object);
    last = key;
  }
  return ok({ items, resourceVersion });
}

/** Where in the ordered keys those of a namespace, or all, begin after a key, and end. */
function rangeOf(keys: readonly string[], namespace: string | undefined, after: string): readonly [number, number] {
  const start = after !== '' ? `${after}\0` : namespace === undefined ? '' : `${namespace}/`;
  // The character after the slash.
  const end = namespace === undefined ? keys.length : firstAtLeast(keys, `${namespace}0`);
  return [firstAtLeast(keys, start), end];
}

function tokenOf(text: string): { readonly version: number; readonly after: string } | undefined {
  const token = recordOf(parseJson(Buffer.from(text, 'base64url').toString('utf8')));
  const version = numberOf(token['version']);
  const after = stringOf(token['after']);
  return version === undefined || after === undefined ? undefined : { version, after };
}
