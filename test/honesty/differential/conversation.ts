import type { KubeObject } from '../../cluster/objects.js';
import { waitFor } from '../../cluster/waitFor.js';
import type { Side } from '../side.js';
import { askDeletions, askEvictions } from './askEnds.js';
import { askPatches } from './askPatches.js';
import { askReads } from './askReads.js';
import { askLeases, askWrites } from './askWrites.js';
import { beginTalk, pod } from './talk.js';

/**
 * Asks an API server what Turnus, kubectl and careless people ask of it, in a namespace of its own. Each line begins
 * with what was asked.
 */
export async function converse(side: Side, namespace: string): Promise<readonly string[]> {
  await side.createNamespace(namespace);
  const answers: string[] = [];
  const talk = beginTalk(side, namespace, answers);
  await pod(talk, 'runs');
  await askReads(talk);
  await askWrites(talk);
  await askPatches(talk);
  await askDeletions(talk);
  await askEvictions(talk);
  await askLeases(talk);
  return answers;
}

/** What a watch from a version that the server has forgotten tells first. */
export async function watchFromForgottenVersion(side: Side, resourceVersion: string): Promise<string> {
  const stopping = new AbortController();
  const told: { type: string; object: unknown }[] = [];
  const watched = side.api
    .watch({ kind: 'Pod', resourceVersion, signal: stopping.signal }, (event) => told.push(event))
    .catch((error: unknown) => {
      if (!stopping.signal.aborted) throw error;
    });
  const first = await waitFor({ what: 'an answer to the watch', probe: () => told[0] });
  stopping.abort();
  await watched;
  const { code, reason } = first.object as KubeObject & { code?: number; reason?: string };
  return `${first.type} ${String(code)} ${reason ?? ''}`;
}
