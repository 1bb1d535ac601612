import { canonicalJson } from '../../../src/journal/canonicalJson.js';
import type { ApiRequest, ApiResponse } from '../../cluster/api.js';
import type { OtherObject, Pod } from '../../cluster/objects.js';
import { resourcePath } from '../../cluster/resourcePaths.js';
import { waitFor } from '../../cluster/waitFor.js';
import { barePod } from '../../cluster/workloads.js';
import type { WorkloadOptions } from '../../cluster/workloads.js';
import type { Side } from '../side.js';
import { stateOf } from './lane.js';
import { answerOf, placeless } from './normalise.js';

/** What the questions are asked of: a namespace with one pod that runs and the rest as each question makes it. */
export interface Talk {
  readonly side: Side;
  readonly namespace: string;
  /** Asks, and notes the answer; `detail` picks what else of it is to be the same in every cluster. */
  readonly ask: (
    about: string,
    request: Partial<ApiRequest> & { path: string },
    detail?: (body: Body) => unknown,
  ) => Promise<Body>;
  /** Path of an object in the namespace. */
  readonly path: (
    kind: 'Pod' | 'PodDisruptionBudget' | 'Deployment' | 'Lease',
    name?: string,
    subresource?: string,
  ) => string;
}

/** An object or a list, as it was answered. */
export type Body = OtherObject & { items?: OtherObject[] };

/** Questions that are mistakes: the words in which a server says so are its own. */
const mistakes = [
  'a page by a token that is none',
  'to create nothing',
  'a JSON patch that is none',
  'pods by a label selector that is none',
  'a resource that does not exist',
  'to replace it by another name',
  'a patch of no known type',
];

/** Begins to talk to a server; each answer is added to `answers` as a line that begins with what was asked. */
export function beginTalk(side: Side, namespace: string, answers: string[]): Talk {
  return {
    side,
    namespace,
    path: (kind, name, subresource) => resourcePath({ kind, namespace, name, subresource }),
    ask: async (about, request, detail) => {
      const response = await side.api.request({ method: 'GET', ...request });
      const further = detail === undefined ? '' : ` ${placeless(canonicalJson(detail(bodyOf(response)) ?? null))}`;
      answers.push(`${about}: ${answerOf(response, { words: !mistakes.includes(about) })}${further}`);
      return bodyOf(response);
    },
  };
}

function bodyOf({ body }: ApiResponse): Body {
  return (typeof body === 'object' && body !== null ? body : { metadata: { name: '' } }) as Body;
}

/** Creates a bare pod; returns when it runs, or cannot be placed because it was told to be nowhere. */
export async function pod(talk: Talk, name: string, options: Partial<WorkloadOptions> = {}): Promise<Pod> {
  const { side, namespace } = talk;
  await side.api.create(barePod({ name, namespace, startMs: 100, stopMs: 60_000, ...options }));
  const wanted = options.nodes?.length === 0 || options.nodeSelector !== undefined ? 'unbound' : 'ready';
  return await waitFor({
    what: `pod ${name} ${wanted}`,
    probe: async () => {
      const found = await side.api.get({ kind: 'Pod', namespace, name });
      return stateOf(found) === wanted ? found : undefined;
    },
  });
}
