import type { Body, Talk } from './talk.js';

/** Asks for what is there, and for what is not. */
export async function askReads(talk: Talk): Promise<void> {
  await aboutPaths(talk);
  await aboutReads(talk);
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
