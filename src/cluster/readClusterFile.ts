import { TurnusError } from '../turnusError.js';
import type { ClusterFile } from './clusterFile.js';
import type { ApiObject, ClusterPort } from './clusterPort.js';
import { stringMapOf } from './json.js';
import { isPassing } from './passingFailure.js';
import { resources } from './resources.js';

/** `message` names what is missing, or is the API server's own; it never holds anything of the content. */
export type ClusterFileAnswer =
  | { readonly kind: 'ok'; readonly bytes: Uint8Array }
  /** `code`: which of the two is missing, or what the API server said. */
  | { readonly kind: 'missing'; readonly code: 'no-object' | 'no-key'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly code: string; readonly message: string };

/**
 * The content of a file in the cluster, read from the API server at each call: nothing is kept.
 *
 * @throws TurnusError `cluster-file-unavailable` where the API server does not answer for the moment, which says
 * nothing about the file
 */
export async function readClusterFile(
  request: { readonly cluster: ClusterPort; readonly namespace: string; readonly file: ClusterFile },
  signal: AbortSignal,
): Promise<ClusterFileAnswer> {
  const { cluster, namespace, file } = request;
  const { kind, name } = file;
  const resource = kind === 'Secret' ? resources.secrets : resources.configMaps;
  const answer = await cluster.get({ resource, namespace, name }, signal);
  if (answer.kind === 'ok') return contentOf(answer.value, file, namespace);
  if (answer.kind === 'not-found') {
    return { kind: 'missing', code: 'no-object', message: `there is no ${kind} ${name} in namespace ${namespace}` };
  }
  if (isPassing(answer)) {
    throw new TurnusError({
      code: 'cluster-file-unavailable',
      message: `${kind} ${name} in namespace ${namespace} cannot be read for the moment: ${answer.message}`,
      hint: 'Try again once the API server answers.',
      exitCode: 1,
    });
  }
  const hint = answer.kind === 'forbidden' ? '; `turnus install --with serve` makes the role that may' : '';
  return { kind: 'unreadable', code: answer.kind, message: `${answer.message}${hint}` };
}

function contentOf(object: ApiObject, { kind, name, key }: ClusterFile, namespace: string): ClusterFileAnswer {
  const texts = stringMapOf(kind === 'ConfigMap' ? object['data'] : undefined);
  const encoded = stringMapOf(kind === 'ConfigMap' ? object['binaryData'] : object['data']);
  const [text, base64] = [valueOf(texts, key), valueOf(encoded, key)];
  if (text !== undefined) return { kind: 'ok', bytes: new TextEncoder().encode(text) };
  if (base64 !== undefined) return { kind: 'ok', bytes: Buffer.from(base64, 'base64') };
  const keys = [...Object.keys(texts), ...Object.keys(encoded)].sort().slice(0, mostKeys);
  // What a Secret is made of is only for those who may read it.
  const there = kind === 'Secret' || keys.length === 0 ? '' : `; it has ${keys.join(', ')}`;
  const message = `${kind} ${name} in namespace ${namespace} has no key ${key}${there}`;
  return { kind: 'missing', code: 'no-key', message };
}

/** Keys that a missing one is answered with. */
const mostKeys = 10;

function valueOf(map: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
