import { barePod, disruptionBudget } from '../../cluster/workloads.js';
import type { Body, Talk } from './talk.js';

/** Asks to create and to replace. */
export async function askWrites({ ask, path, namespace }: Talk): Promise<void> {
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

/** Asks to take and renew a lease. */
export async function askLeases({ ask, path, namespace }: Talk): Promise<void> {
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
