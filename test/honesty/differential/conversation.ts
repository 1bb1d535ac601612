import { canonicalJson } from '../../../src/journal/canonicalJson.js';
import type { ApiRequest, ApiResponse } from '../../cluster/api.js';
import type { KubeObject, OtherObject, Pod } from '../../cluster/objects.js';
import { resourcePath } from '../../cluster/resourcePaths.js';
import { waitFor } from '../../cluster/waitFor.js';
import { barePod, deployment, disruptionBudget } from '../../cluster/workloads.js';
import type { WorkloadOptions } from '../../cluster/workloads.js';
import type { Side } from '../side.js';
import { stateOf } from './lane.js';
import { answerOf, placeless } from './normalise.js';

/** The answers of one API server, each a line that begins with what was asked. */
export type Answers = readonly string[];

/** What the questions are asked of: a namespace with one pod that runs and the rest as each question makes it. */
interface Talk {
  readonly side: Side;
  readonly namespace: string;
  /** Asks, and notes the answer; `detail` picks what else of it is to be the same in every cluster. */
  ask(about: string, request: Partial<ApiRequest> & { path: string }, detail?: (body: Body) => unknown): Promise<Body>;
  /** Path of an object in the namespace. */
  path(kind: 'Pod' | 'PodDisruptionBudget' | 'Deployment' | 'Lease', name?: string, subresource?: string): string;
}

type Body = OtherObject & { items?: OtherObject[] };

const json = 'application/json-patch+json';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';

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

/** Asks an API server what Turnus, kubectl and careless people ask of it, in a namespace of its own. */
export async function converse(side: Side, namespace: string): Promise<Answers> {
  await side.createNamespace(namespace);
  const answers: string[] = [];
  const talk: Talk = {
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
  await pod(talk, 'runs');
  await aboutPaths(talk);
  await aboutReads(talk);
  await aboutWrites(talk);
  await aboutPatches(talk);
  await aboutDeletions(talk);
  await aboutEvictions(talk);
  await aboutLeases(talk);
  return answers;
}

function bodyOf({ body }: ApiResponse): Body {
  return (typeof body === 'object' && body !== null ? body : { metadata: { name: '' } }) as Body;
}

/** A bare pod; returns when it runs, or stays where it was told to stay. */
async function pod(talk: Talk, name: string, options: Partial<WorkloadOptions> = {}): Promise<Pod> {
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

async function aboutPaths({ ask, path }: Talk): Promise<void> {
  await ask('a resource that does not exist', { path: '/api/v1/things' });
  await ask('a pod that does not exist', { path: path('Pod', 'nobody') }, ({ details }) => details);
  await ask('a budget that does not exist', { path: path('PodDisruptionBudget', 'nobody') }, ({ details }) => details);
  await ask('a node that does not exist', { path: '/api/v1/nodes/nobody' }, ({ details }) => details);
  await ask('a method that is not allowed', { path: path('Pod', 'runs', 'eviction'), method: 'DELETE' });
  await ask('the scale of a Deployment that does not exist', { path: path('Deployment', 'nobody', 'scale') });
  await ask('whether it is ready', { path: '/readyz' });
  await ask('the version', { path: '/version' }, (body) => Object.keys(body).includes('gitVersion'));
}

async function aboutReads({ ask, path, namespace, side }: Talk): Promise<void> {
  const names = (body: Body): unknown => [body.kind, (body.items ?? []).map(({ metadata }) => metadata.name)];
  await ask('pods by a label', { path: `${path('Pod')}?labelSelector=app%3Druns` }, names);
  await ask('pods by a set', { path: `${path('Pod')}?labelSelector=app%20in%20(runs,walks),!other` }, names);
  await ask('pods by a label selector that is none', { path: `${path('Pod')}?labelSelector=a%3D%3D%3Db` });
  const field = encodeURIComponent('spec.nodeName=nowhere');
  await ask('pods of a node', { path: `${path('Pod')}?fieldSelector=${field}` }, names);
  const phase = encodeURIComponent('status.phase!=Succeeded,status.phase!=Failed');
  await ask('pods by phase', { path: `${path('Pod')}?fieldSelector=${phase}` }, names);
  await ask('a pod by its name', { path: `${path('Pod')}?fieldSelector=metadata.name%3Druns` }, names);
  await ask('pods by a field that cannot select', { path: `${path('Pod')}?fieldSelector=spec.hostname%3Dx` });
  const page = await ask('a page of nodes', { path: '/api/v1/nodes?limit=2' }, (body) => [
    (body.items ?? []).length,
    listMeta(body).remainingItemCount,
  ]);
  const { continue: token = '' } = listMeta(page);
  await ask('the next page', { path: `/api/v1/nodes?limit=2&continue=${encodeURIComponent(token)}` }, (body) => [
    (body.items ?? []).length,
    listMeta(body).remainingItemCount,
    listMeta(body).resourceVersion === listMeta(page).resourceVersion,
  ]);
  await ask('a page by a token that is none', { path: '/api/v1/nodes?limit=2&continue=none' });
  await ask('an empty namespace', { path: `/api/v1/namespaces/nobody-lives-here/pods` }, names);
  await ask('kinds in the items of a list', { path: path('Pod') }, (body) =>
    (body.items ?? []).map(({ kind }) => kind),
  );
  const all = await side.api.list({ kind: 'Pod' });
  await ask('all namespaces', { path: '/api/v1/pods' }, (body) => [
    (body.items ?? []).length >= all.filter(({ metadata }) => metadata.namespace === namespace).length,
  ]);
}

function listMeta(body: Body): { continue?: string; remainingItemCount?: number; resourceVersion?: string } {
  return body.metadata;
}

async function aboutWrites({ ask, path, namespace }: Talk): Promise<void> {
  const generation = ({ metadata }: Body): unknown => metadata.generation;
  const budget = disruptionBudget({ name: 'written', namespace, of: 'nobody', maxUnavailable: 1 });
  const budgets = path('PodDisruptionBudget');
  const post = (body: unknown): { path: string; method: string; body: unknown } => ({
    path: budgets,
    method: 'POST',
    body,
  });
  await ask('to create', post(budget), ({ metadata, kind }) => [
    kind,
    metadata.generation,
    Object.keys(metadata)
      .sort()
      .filter((key) => key !== 'managedFields'),
  ]);
  await ask('to create again', post(budget), ({ details }) => details);
  await ask(
    'to create in another namespace',
    post({ ...budget, metadata: { ...budget.metadata, name: 'x', namespace: 'elsewhere' } }),
  );
  await ask('to create nothing', post('nothing'));
  await ask('to create by a generated name', post({ ...budget, metadata: { generateName: 'made-' } }), ({ metadata }) =>
    /^made-[a-z0-9]{5}$/.test(metadata.name),
  );
  const written = await ask('to read it', { path: path('PodDisruptionBudget', 'written') }, generation);
  const put = (object: unknown): { path: string; method: string; body: unknown } => ({
    path: path('PodDisruptionBudget', 'written'),
    method: 'PUT',
    body: object,
  });
  const twoAllowed = { ...written, spec: { ...written.spec, maxUnavailable: 2 } };
  await ask('to replace it', put(twoAllowed), generation);
  await ask(
    'to replace an old version',
    put({ ...twoAllowed, spec: { ...written.spec, maxUnavailable: 3 } }),
    ({ details }) => details,
  );
  await ask('to replace it by another name', put({ ...twoAllowed, metadata: { ...written.metadata, name: 'other' } }));
  await ask('to replace what is not there', {
    path: path('PodDisruptionBudget', 'nobody'),
    method: 'PUT',
    body: { ...budget, metadata: { name: 'nobody', namespace, resourceVersion: '1' } },
  });
  await ask(
    'to create as a dry run',
    { ...post({ ...budget, metadata: { name: 'dry', namespace } }), path: `${budgets}?dryRun=All` },
    ({ metadata }) => metadata.name,
  );
  await ask('to read what a dry run made', { path: path('PodDisruptionBudget', 'dry') });
  await ask('to create a pod in a namespace that does not exist', {
    path: '/api/v1/namespaces/nobody-lives-here/pods',
    method: 'POST',
    body: barePod({ name: 'lost', namespace: 'nobody-lives-here' }),
  });
}

async function aboutPatches({ ask, path, side, namespace }: Talk): Promise<void> {
  const at = path('PodDisruptionBudget', 'written');
  const patch = (
    body: unknown,
    contentType: string,
    where = at,
  ): { path: string; method: string; body: unknown; contentType: string } => ({
    path: where,
    method: 'PATCH',
    body,
    contentType,
  });
  const marks = ({ metadata, spec }: Body): unknown => [
    metadata.labels,
    metadata.annotations,
    metadata.generation,
    spec,
  ];
  await ask('a merge patch', patch({ metadata: { annotations: { one: '1', two: '2' } } }, merge), marks);
  await ask(
    'a merge patch that removes',
    patch({ metadata: { annotations: { one: null, never: null } } }, merge),
    marks,
  );
  const before = await side.api.get({ kind: 'PodDisruptionBudget', namespace, name: 'written' });
  const version = before.metadata.resourceVersion;
  await ask(
    'a patch that changes nothing',
    patch({ metadata: { annotations: { two: '2' } } }, merge),
    ({ metadata }) => metadata.resourceVersion === version,
  );
  await ask(
    'a merge patch of this version',
    patch({ metadata: { resourceVersion: version, labels: { a: 'b' } } }, merge),
    marks,
  );
  await ask(
    'a merge patch of an old version',
    patch({ metadata: { resourceVersion: version, labels: { a: 'c' } } }, merge),
    ({ details }) => details,
  );
  await ask(
    'a merge patch of another object',
    patch({ metadata: { uid: 'aaaaaaaa-0000-4000-a000-000000000000', labels: { a: 'c' } } }, merge),
  );
  await ask('a patch of what is not there', patch({ metadata: { labels: { a: 'c' } } }, merge, path('Pod', 'nobody')));
  await ask(
    'a JSON patch',
    patch(
      [
        { op: 'test', path: '/metadata/annotations/two', value: '2' },
        { op: 'add', path: '/metadata/annotations/a~1b', value: 'c' },
      ],
      json,
    ),
    marks,
  );
  await ask(
    'a JSON patch whose test fails',
    patch(
      [
        { op: 'test', path: '/metadata/annotations/two', value: '3' },
        { op: 'remove', path: '/metadata/annotations/two' },
      ],
      json,
    ),
    ({ details }) => details,
  );
  await ask(
    'a JSON patch that tests what is not there',
    patch([{ op: 'test', path: '/metadata/annotations/three', value: '3' }], json),
  );
  await ask(
    'a JSON patch that tests that something is not there',
    patch([{ op: 'test', path: '/metadata/annotations/three', value: null }], json),
    marks,
  );
  await ask(
    'a JSON patch that removes what is not there',
    patch([{ op: 'remove', path: '/metadata/annotations/three' }], json),
  );
  await ask(
    'a JSON patch that replaces what is not there',
    patch([{ op: 'replace', path: '/metadata/annotations/three', value: '3' }], json),
  );
  await ask(
    'a JSON patch into what is not there',
    patch([{ op: 'add', path: '/metadata/nothing/deep', value: '3' }], json),
  );
  await ask(
    'a JSON patch of an old version',
    patch(
      [
        { op: 'test', path: '/metadata/resourceVersion', value: version },
        { op: 'add', path: '/metadata/labels/x', value: 'y' },
      ],
      json,
    ),
  );
  await ask('a JSON patch that is none', patch({ op: 'add' }, json));
  await ask('a patch of no known type', patch({ metadata: {} }, 'application/json'));
  await ask(
    'a patch as a dry run',
    { ...patch({ metadata: { labels: { dry: 'yes' } } }, merge), path: `${at}?dryRun=All` },
    marks,
  );
  await ask('a patch of the spec', patch({ spec: { maxUnavailable: '50%' } }, merge), marks);
  await ask(
    'a patch of the status at the object',
    patch({ status: { currentHealthy: 99 } }, merge),
    ({ status }) => status?.['currentHealthy'] === 99,
  );
  const node = resourcePath({ kind: 'Node', name: side.nodeNames[0] });
  const conditions = [{ type: 'TestedByMaintenance', status: 'True', reason: 'Test', message: 'a test' }];
  const types = ({ status }: Body): unknown =>
    ((status?.['conditions'] ?? []) as { type: string }[]).some(({ type }) => type === 'Ready');
  await ask(
    'a strategic patch of one condition',
    patch({ status: { conditions } }, strategic, `${node}/status`),
    types,
  );
  await ask(
    'a strategic patch that deletes it',
    patch({ status: { conditions: [{ $patch: 'delete', type: 'TestedByMaintenance' }] } }, strategic, `${node}/status`),
    types,
  );
  await ask(
    'a patch of the spec at the status',
    patch({ spec: { unschedulable: true } }, merge, `${node}/status`),
    ({ spec }) => spec?.['unschedulable'] ?? false,
  );
  const scaled = deployment({ name: 'scaled', namespace, replicas: 0 });
  await side.api.create(scaled);
  await ask('the scale of a Deployment', { path: path('Deployment', 'scaled', 'scale') }, scaleOf);
  await ask(
    'a patch of the scale',
    patch({ spec: { replicas: 1 } }, merge, path('Deployment', 'scaled', 'scale')),
    scaleOf,
  );
  await ask('what came of it', { path: path('Deployment', 'scaled') }, ({ spec, metadata }) => [
    spec?.['replicas'],
    metadata.generation,
  ]);
}

async function aboutDeletions(talk: Talk): Promise<void> {
  const { ask, path } = talk;
  const erase = (name: string, body: unknown = {}): { path: string; method: string; body: unknown } => ({
    path: path('Pod', name),
    method: 'DELETE',
    body,
  });
  const ending = ({ kind, metadata }: Body): unknown => [
    kind,
    metadata.name,
    metadata.deletionTimestamp !== undefined,
    metadata.deletionGracePeriodSeconds,
  ];
  const { metadata } = await pod(talk, 'deleted');
  await ask(
    'to delete another pod of the name',
    erase('deleted', { preconditions: { uid: 'aaaaaaaa-0000-4000-a000-000000000000' } }),
    ({ details }) => details,
  );
  await ask('to delete a pod', erase('deleted', { preconditions: { uid: metadata.uid } }), ending);
  await ask('a pod that is being deleted', { path: path('Pod', 'deleted') }, ending);
  await ask('to delete it again', erase('deleted'), ending);
  await ask('to delete it with less patience', erase('deleted', { gracePeriodSeconds: 5 }), ending);
  await ask('to delete it at once', erase('deleted', { gracePeriodSeconds: 0 }), ending);
  await ask('a pod that was deleted at once', { path: path('Pod', 'deleted') });
  await pod(talk, 'nowhere', { nodeSelector: { nowhere: 'yes' } });
  await ask('to delete a pod without a node', erase('nowhere'), ({ kind }) => kind);
  await ask('a pod that had no node', { path: path('Pod', 'nowhere') });
  await ask('to delete what is not there', erase('nobody'), ({ details }) => details);
  await ask(
    'to delete a budget',
    { path: path('PodDisruptionBudget', 'written'), method: 'DELETE' },
    ({ kind, details }) => [kind, (details as { kind?: string } | undefined)?.kind],
  );
}

async function aboutEvictions(talk: Talk): Promise<void> {
  const { ask, path, side, namespace } = talk;
  const evict = (
    name: string,
    deleteOptions: unknown = {},
    inBody = name,
  ): { path: string; method: string; body: unknown } => ({
    path: path('Pod', name, 'eviction'),
    method: 'POST',
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: inBody, namespace }, deleteOptions },
  });
  const kindOf = ({ kind, status }: Body): unknown => [kind, status];
  const { uid } = (await pod(talk, 'evicted')).metadata;
  await ask('to evict what is not there', evict('nobody'), ({ details }) => details);
  await ask('to evict under another name', evict('evicted', {}, 'other'));
  await ask(
    'to evict another pod of the name',
    evict('evicted', { preconditions: { uid: 'aaaaaaaa-0000-4000-a000-000000000000' } }),
    ({ details }) => details,
  );
  await ask('to evict as a dry run', evict('evicted', { dryRun: ['All'] }), kindOf);
  await side.api.create(disruptionBudget({ name: 'evicted', namespace, maxUnavailable: 0 }));
  await waitFor({
    what: 'the budget to be computed',
    probe: async () => {
      const { status } = await side.api.get({ kind: 'PodDisruptionBudget', namespace, name: 'evicted' });
      return (status?.observedGeneration ?? 0) > 0;
    },
  });
  await ask('to evict against a budget', evict('evicted', { preconditions: { uid } }), ({ details }) => details);
  await ask('to evict against a budget as a dry run', evict('evicted', { dryRun: ['All'] }), ({ details }) => details);
  await side.api.create(disruptionBudget({ name: 'second', namespace, of: 'evicted', maxUnavailable: 1 }));
  await ask('to evict with two budgets', evict('evicted'), ({ details }) => details);
  for (const name of ['evicted', 'second']) await side.api.delete({ kind: 'PodDisruptionBudget', namespace, name });
  await ask('to evict', evict('evicted', { gracePeriodSeconds: 7 }), kindOf);
  await ask('a pod that was evicted', { path: path('Pod', 'evicted') }, ({ metadata, status }) =>
    [
      metadata.deletionGracePeriodSeconds,
      ((status?.['conditions'] ?? []) as { type: string; reason?: string; message?: string }[]).find(
        ({ type }) => type === 'DisruptionTarget',
      ),
    ].map((value) => (typeof value === 'object' ? { ...value, lastProbeTime: '', lastTransitionTime: '' } : value)),
  );
  await ask('to evict it again', evict('evicted'), kindOf);
  await pod(talk, 'homeless', { nodeSelector: { nowhere: 'yes' } });
  await side.api.create(disruptionBudget({ name: 'homeless', namespace, maxUnavailable: 0 }));
  await ask('to evict a pod without a node', evict('homeless'), kindOf);
  await ask('a pod without a node that was evicted', { path: path('Pod', 'homeless') });
}

async function aboutLeases({ ask, path, namespace }: Talk): Promise<void> {
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'held', namespace } };
  const spec = { holderIdentity: 'one', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.678901Z' };
  const specOf = (body: Body): unknown => body.spec;
  const at = path('Lease', 'held');
  const held = await ask('to take a lease', { path: path('Lease'), method: 'POST', body: { ...lease, spec } }, specOf);
  await ask(
    'to renew it',
    { path: at, method: 'PUT', body: { ...held, spec: { ...spec, renewTime: '2026-01-02T03:04:06.000000Z' } } },
    specOf,
  );
  await ask(
    'to take it with an old version',
    { path: at, method: 'PUT', body: { ...held, spec: { ...spec, holderIdentity: 'two' } } },
    ({ details }) => details,
  );
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

function scaleOf({ kind, spec }: Body): unknown {
  return [kind, spec?.['replicas'] ?? 0];
}
