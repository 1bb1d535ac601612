import { waitFor } from '../../cluster/waitFor.js';
import { disruptionBudget } from '../../cluster/workloads.js';
import { pod } from './talk.js';
import type { Body, Talk } from './talk.js';

/** Asks to delete pods and a budget. */
export async function askDeletions(talk: Talk): Promise<void> {
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

/** Asks to evict pods. */
export async function askEvictions(talk: Talk): Promise<void> {
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
