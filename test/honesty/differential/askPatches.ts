import { resourcePath } from '../../cluster/resourcePaths.js';
import { waitFor } from '../../cluster/waitFor.js';
import { deployment } from '../../cluster/workloads.js';
import type { Body, Talk } from './talk.js';

const json = 'application/json-patch+json';
const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';

/** Asks to patch the budget `written`, a node and a scale, in every way there is. */
export async function askPatches({ ask, path, side, namespace }: Talk): Promise<void> {
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
  // Until then the disruption controller may write its status between two questions.
  const before = await waitFor({
    what: 'budget written to be seen by the disruption controller',
    probe: async () => {
      const budget = await side.api.get({ kind: 'PodDisruptionBudget', namespace, name: 'written' });
      return budget.status?.observedGeneration === budget.metadata.generation ? budget : undefined;
    },
  });
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

function scaleOf({ kind, spec }: Body): unknown {
  return [kind, spec?.['replicas'] ?? 0];
}
