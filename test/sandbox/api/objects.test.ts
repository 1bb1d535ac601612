import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { resources } from '../../../src/cluster/resources.js';
import { customResourceDefinitions } from '../../../src/install/customResources.js';
import { runResource } from '../../../src/run/objects.js';
import type { ApiPatch } from '../../../src/sandbox/api/simulatedApi.js';
import {
  apiWith,
  create,
  eventTexts,
  listed,
  read,
  refusalOf,
  runningPod,
  setStatus,
  valueOf,
  watched,
} from './apiFixture.js';

const definitions = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  namespaced: false,
};
const jobs = { group: 'batch', version: 'v1', plural: 'jobs', namespaced: true };

function deployment(name: string, spec: object = {}): ApiObject {
  return { metadata: { name, namespace: 'default' }, spec: { ...spec } };
}

describe('creating', () => {
  it('gives an object its uid, time, version and generation, and the defaults that clients see', () => {
    const { api } = apiWith();
    const version = Number(api.version());
    const created = create(api, resources.deployments, deployment('web'));
    expect(created).toMatchObject({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { creationTimestamp: '2026-10-13T20:00:00Z', generation: 1, resourceVersion: String(version + 1) },
      spec: {
        replicas: 1,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      },
    });
    expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    [{ containers: [] }, { priority: 0, qosClass: 'BestEffort' }],
    [
      { priorityClassName: 'system-node-critical', containers: [] },
      { priority: 2_000_001_000, qosClass: 'BestEffort' },
    ],
    [{ containers: [{ resources: { requests: { cpu: '1' } } }] }, { priority: 0, qosClass: 'Burstable' }],
    [{ containers: [{ resources: { limits: { cpu: '1', memory: '1Gi' } } }] }, { priority: 0, qosClass: 'Guaranteed' }],
  ])('knows of a pod %j that it is %j', (spec, { priority, qosClass }) => {
    const { api } = apiWith();
    const pod = create(api, resources.pods, {
      metadata: { name: 'a', namespace: 'default' },
      spec,
      status: { phase: 'Running' },
    });
    expect(pod['spec']).toMatchObject({ priority, terminationGracePeriodSeconds: 30 });
    expect(pod['status']).toStrictEqual({ phase: 'Pending', qosClass });
  });

  it.each<[string, ApiObject, string | undefined, object]>([
    [
      'again',
      { metadata: { name: 'web' } },
      'default',
      { code: 409, message: 'deployments.apps "web" already exists' },
    ],
    ['without a name', { metadata: {} }, 'default', { code: 422, reason: 'Invalid' }],
    ['by a name that is none', { metadata: { name: 'A b' } }, 'default', { code: 422 }],
    [
      'where no namespace is',
      { metadata: { name: 'a' } },
      'nowhere',
      { code: 404, message: 'namespaces "nowhere" not found' },
    ],
    ['for another namespace', { metadata: { name: 'a', namespace: 'other' } }, 'default', { code: 400 }],
    ['another kind', { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'a' } }, 'default', { code: 400 }],
    ['a version', { metadata: { name: 'a', resourceVersion: '1' } }, 'default', { code: 500 }],
  ])('is refused %s', (_what, object, namespace, expected) => {
    const { api } = apiWith();
    create(api, resources.deployments, deployment('web'));
    const request = { resource: resources.deployments, object, ...(namespace === undefined ? {} : { namespace }) };
    expect(refusalOf(api.create(request, 'test'))).toMatchObject(expected);
  });

  it('labels a namespace with its name, whatever other labels it has', () => {
    const { api } = apiWith();
    create(api, resources.namespaces, { metadata: { name: 'shop', labels: { team: 'acme' } } });
    expect(read(api, resources.namespaces, 'shop').metadata.labels).toStrictEqual({
      team: 'acme',
      'kubernetes.io/metadata.name': 'shop',
    });
  });

  it('makes up names, and stores nothing in a dry run', () => {
    const { api } = apiWith();
    const object = { metadata: { generateName: 'web-' } };
    const request = { resource: resources.pods, namespace: 'default', object };
    const names = [1, 2, 3].map(() => valueOf(api.create(request, 'test')).metadata.name ?? '');
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^web-[a-z0-9]{5}$/);
    valueOf(api.create({ ...request, dryRun: true }, 'test'));
    expect(listed(api, resources.pods)).toHaveLength(3);
  });

  it('answers what a client asks about itself, and stores nothing', () => {
    const { api } = apiWith();
    const version = api.version();
    const reviews = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews', namespaced: false };
    const who = valueOf(api.create({ resource: reviews, object: { kind: 'SelfSubjectReview', metadata: {} } }, 'ada'));
    expect(who['status']).toMatchObject({ userInfo: { username: 'ada' } });
    // By its own clock: clients measure theirs by it.
    expect(who.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const may = valueOf(api.create({ resource: resources.accessReviews, object: { metadata: {} } }, 'ada'));
    expect(may['status']).toMatchObject({ allowed: true });
    expect(api.version()).toBe(version);
  });

  it('refuses what nobody serves', () => {
    const { api } = apiWith();
    const resource = { group: 'example.com', version: 'v1', plural: 'things', namespaced: false };
    for (const reply of [
      api.list({ resource }),
      api.get({ resource, name: 'a' }),
      api.get({ resource: resources.nodes, name: 'a', subresource: 'scale' }),
    ])
      expect(refusalOf(reply)).toMatchObject({ code: 404 });
  });
});

describe('changing', () => {
  it('of the object leaves the status alone, of the status everything else', () => {
    const { api } = apiWith();
    create(api, resources.nodes, { metadata: { name: 'n' }, status: { phase: 'first' } });
    const merge = (subresource?: string): ApiObject => {
      const body = { spec: { podCIDR: subresource ?? 'object' }, status: { phase: subresource ?? 'object' } };
      const place = { resource: resources.nodes, name: 'n', ...(subresource === undefined ? {} : { subresource }) };
      return valueOf(api.patch({ ...place, patch: { type: 'merge', body } }, 'test'));
    };
    expect(merge()).toMatchObject({ spec: { podCIDR: 'object' }, status: { phase: 'first' } });
    expect(merge('status')).toMatchObject({ spec: { podCIDR: 'object' }, status: { phase: 'status' } });
  });

  it.each<[string, ApiPatch, object | 'ok']>([
    [
      'a merge patch of an old version',
      { type: 'merge', body: { metadata: { resourceVersion: '1' } } },
      { code: 409, reason: 'Conflict' },
    ],
    ['a merge patch of another object', { type: 'merge', body: { metadata: { uid: 'x' } } }, { code: 422 }],
    [
      'a JSON patch whose test fails',
      { type: 'json', operations: [{ op: 'test', path: '/metadata/resourceVersion', value: '1' }] },
      { code: 422, reason: 'Invalid' },
    ],
    ['a merge patch of no version', { type: 'merge', body: { metadata: { labels: { a: 'b' } } } }, 'ok'],
  ])('by %s is decided', (_what, patch, expected) => {
    const { api } = apiWith();
    create(api, resources.nodes, { metadata: { name: 'n' } });
    const refusal = refusalOf(api.patch({ resource: resources.nodes, name: 'n', patch }, 'test'));
    if (expected === 'ok') expect(refusal).toBe('ok');
    else expect(refusal).toMatchObject(expected);
  });

  it.each([
    ['a node without a version', resources.nodes, undefined, undefined, 'ok'],
    ['a lease without a version', resources.leases, undefined, undefined, 422],
    ['a lease of its version', resources.leases, 'its', undefined, 'ok'],
    ['a lease of an old version', resources.leases, '1', undefined, 409],
    ['a lease of another uid', resources.leases, 'its', 'other', 409],
  ])('by PUT of %s is decided', (_what, resource, version, uid, expected) => {
    const { api } = apiWith();
    const namespace = resource.namespaced ? { namespace: 'default' } : {};
    const { metadata, ...object } = create(api, resource, { metadata: { name: 'a', ...namespace } });
    const changed = {
      ...object,
      spec: { holderIdentity: 'x' },
      metadata: {
        name: 'a',
        ...(version === undefined
          ? {}
          : { resourceVersion: version === 'its' ? (metadata.resourceVersion ?? '') : version }),
        ...(uid === undefined ? {} : { uid }),
      },
    };
    const refusal = refusalOf(api.replace({ resource, ...namespace, object: changed }, 'test'));
    expect(refusal === 'ok' ? 'ok' : refusal.code).toBe(expected);
  });

  it('counts generations of the specification only, and stores nothing where nothing changes', () => {
    const { api } = apiWith();
    create(api, resources.deployments, deployment('web', { replicas: 1 }));
    const patch = (body: Readonly<Record<string, unknown>>, subresource?: string) =>
      valueOf(
        api.patch(
          {
            resource: resources.deployments,
            namespace: 'default',
            name: 'web',
            patch: { type: 'merge', body },
            ...(subresource === undefined ? {} : { subresource }),
          },
          'test',
        ),
      ).metadata.generation;
    expect(patch({ spec: { replicas: 2 } })).toBe(2);
    const version = api.version();
    expect(patch({ spec: { replicas: 2 } })).toBe(2);
    expect(api.version()).toBe(version);
    expect(patch({ metadata: { labels: { a: 'b' } } })).toBe(2);
    expect(patch({ status: { replicas: 2 } }, 'status')).toBe(2);
    expect(patch({ spec: { replicas: 3 } }, 'scale')).toBeUndefined();
    expect(read(api, resources.deployments, 'web')).toMatchObject({
      metadata: { generation: 3 },
      spec: { replicas: 3 },
    });
    const scale = valueOf(
      api.get({ resource: resources.deployments, namespace: 'default', name: 'web', subresource: 'scale' }),
    );
    expect(scale).toMatchObject({
      kind: 'Scale',
      metadata: { name: 'web' },
      spec: { replicas: 3 },
      status: { replicas: 2 },
    });
  });

  it('leaves out what Go leaves out: empty maps, and a node that is not cordoned', () => {
    const { api } = apiWith();
    create(api, resources.nodes, {
      metadata: { name: 'n', annotations: { a: 'b' } },
      spec: { unschedulable: true, taints: [{ key: 'a', effect: 'NoSchedule' }] },
    });
    const body = { metadata: { annotations: { a: null } }, spec: { unschedulable: false, taints: [] } };
    const node = valueOf(api.patch({ resource: resources.nodes, name: 'n', patch: { type: 'merge', body } }, 'test'));
    expect(node['spec']).toStrictEqual({});
    expect(node.metadata.annotations).toBeUndefined();
  });

  it('applies what is not there and merges what is', () => {
    const { api } = apiWith();
    const apply = (body: ApiObject) =>
      valueOf(api.patch({ resource: resources.nodes, name: 'n', patch: { type: 'apply', body, force: true } }, 'test'));
    apply({ metadata: { name: 'n', labels: { a: '1' } } });
    expect(apply({ metadata: { name: 'n', labels: { b: '2' } } }).metadata.labels).toStrictEqual({ a: '1', b: '2' });
    expect(listed(api, resources.nodes)).toHaveLength(1);
  });

  it('binds a pod once', () => {
    const { api } = apiWith();
    create(api, resources.pods, { metadata: { name: 'a', namespace: 'default' }, spec: { containers: [] } });
    const bind = (node: string) =>
      api.create(
        {
          resource: resources.pods,
          namespace: 'default',
          subresource: 'binding',
          object: { metadata: { name: 'a' }, target: { kind: 'Node', name: node } },
        },
        'scheduler',
      );
    expect(refusalOf(bind('one'))).toBe('ok');
    expect(refusalOf(bind('two'))).toMatchObject({ code: 409 });
    expect(read(api, resources.pods, 'a')['spec']).toMatchObject({ nodeName: 'one' });
  });
});

describe('deleting', () => {
  const place = { resource: resources.pods, namespace: 'default', name: 'web-0' };

  it('lets a pod end in its time, which can only become shorter', () => {
    const { api, timeline } = apiWith();
    runningPod(api);
    const remove = (gracePeriodSeconds?: number) =>
      valueOf(api.delete({ ...place, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }) }, 'test'))
        .metadata;
    const ending = (deletionTimestamp: string, deletionGracePeriodSeconds: number) => ({
      deletionTimestamp,
      deletionGracePeriodSeconds,
    });
    expect(remove()).toMatchObject(ending('2026-10-13T20:00:30Z', 30));
    timeline.advance(2000);
    expect(remove(60)).toMatchObject(ending('2026-10-13T20:00:30Z', 30));
    expect(remove()).toMatchObject(ending('2026-10-13T20:00:30Z', 30));
    expect(remove(5)).toMatchObject(ending('2026-10-13T20:00:05Z', 5));
    expect(remove(0)).toMatchObject(ending('2026-10-13T20:00:00Z', 0));
    expect(listed(api, resources.pods)).toHaveLength(0);
  });

  it.each([
    ['has no node', { spec: { containers: [] } }, {}],
    ['has finished', { spec: { nodeName: 'n', containers: [] } }, { phase: 'Succeeded' }],
  ])('removes a pod at once that %s', (_what, object, status) => {
    const { api } = apiWith();
    const pod = create(api, resources.pods, { metadata: { name: 'web-0', namespace: 'default' }, ...object });
    setStatus(api, resources.pods, pod, { phase: 'Pending', ...status });
    valueOf(api.delete(place, 'test'));
    expect(listed(api, resources.pods)).toHaveLength(0);
  });

  it('waits for finalizers, and goes with the last of them', () => {
    const { api } = apiWith();
    create(api, resources.nodes, { metadata: { name: 'n', finalizers: ['a/b'] } });
    const { events } = watched(api, { resource: resources.nodes, resourceVersion: api.version() });
    valueOf(api.delete({ resource: resources.nodes, name: 'n' }, 'test'));
    expect(valueOf(api.get({ resource: resources.nodes, name: 'n' })).metadata.deletionTimestamp).toBeDefined();
    const body = { metadata: { finalizers: null } };
    valueOf(api.patch({ resource: resources.nodes, name: 'n', patch: { type: 'merge', body } }, 'test'));
    expect(listed(api, resources.nodes)).toHaveLength(0);
    expect(eventTexts(events)).toStrictEqual(['modified n', 'modified n', 'deleted n']);
  });

  it('refuses for another uid, and does nothing in a dry run', () => {
    const { api } = apiWith();
    const { metadata } = runningPod(api);
    expect(refusalOf(api.delete({ ...place, uid: 'other' }, 'test'))).toStrictEqual({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on Pod "web-0": the UID in the precondition (other) does not match the UID in record (${String(metadata.uid)}). The object might have been deleted and then recreated`,
    });
    valueOf(api.delete({ ...place, uid: metadata.uid ?? '', dryRun: true }, 'test'));
    expect(read(api, resources.pods, 'web-0').metadata.deletionTimestamp).toBeUndefined();
  });

  it.each([
    ['Background', 0],
    ['Foreground', 0],
    ['Orphan', 2],
  ] as const)('by %s leaves %i of two dependents', (propagationPolicy, left) => {
    const { api } = apiWith();
    const owner = create(api, jobs, { metadata: { name: 'job', namespace: 'default' } });
    const ownerReferences = [
      { apiVersion: 'batch/v1', kind: 'Job', name: 'job', uid: owner.metadata.uid ?? '', controller: true },
    ];
    for (const name of ['a', 'b']) {
      create(api, resources.pods, {
        metadata: { name, namespace: 'default', ownerReferences },
        spec: { containers: [] },
      });
    }
    valueOf(api.delete({ resource: jobs, namespace: 'default', name: 'job', propagationPolicy }, 'test'));
    expect(listed(api, jobs)).toHaveLength(0);
    const pods = listed(api, resources.pods);
    expect(pods).toHaveLength(left);
    for (const { metadata } of pods) expect(metadata.ownerReferences).toBeUndefined();
  });

  it('keeps what another owner still holds', () => {
    const { api } = apiWith();
    const owners = ['one', 'two'].map((name) => create(api, jobs, { metadata: { name, namespace: 'default' } }));
    const ownerReferences = owners.map(({ metadata: { name = '', uid = '' } }) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      name,
      uid,
    }));
    create(api, resources.events, { metadata: { name: 'kept', namespace: 'default', ownerReferences } });
    for (const [name, left] of [
      ['one', 1],
      ['two', 0],
    ] as const) {
      valueOf(api.delete({ resource: jobs, namespace: 'default', name }, 'test'));
      expect(listed(api, resources.events)).toHaveLength(left);
    }
  });

  it('of a namespace takes what is in it, and then the namespace', () => {
    const { api } = apiWith();
    create(api, resources.namespaces, { metadata: { name: 'shop' } });
    create(api, resources.deployments, { metadata: { name: 'web', namespace: 'shop' } });
    create(api, resources.pods, {
      metadata: { name: 'a', namespace: 'shop' },
      spec: { nodeName: 'n', containers: [] },
    });
    valueOf(api.delete({ resource: resources.namespaces, name: 'shop' }, 'test'));
    expect(read(api, resources.namespaces, 'shop')['status']).toMatchObject({ phase: 'Terminating' });
    const more = { resource: resources.deployments, namespace: 'shop', object: { metadata: { name: 'more' } } };
    const refused = api.create(more, 'test');
    expect(refusalOf(refused)).toMatchObject({ code: 403 });
    expect(refused.kind === 'refused' && refused.status.details?.causes).toMatchObject([
      { reason: 'NamespaceTerminating' },
    ]);
    valueOf(api.delete({ resource: resources.pods, namespace: 'shop', name: 'a', gracePeriodSeconds: 0 }, 'kubelet'));
    expect(refusalOf(api.get({ resource: resources.namespaces, name: 'shop' }))).toMatchObject({ code: 404 });
  });
});

describe('a CustomResourceDefinition', () => {
  it('is served at once, with its status, and goes with its objects', () => {
    const { api } = apiWith();
    for (const definition of customResourceDefinitions('default')) create(api, definitions, definition);
    expect(listed(api, definitions)[0]?.['status']).toMatchObject({
      conditions: [{ type: 'NamesAccepted' }, { type: 'Established', status: 'True' }],
    });
    expect(api.served().find(({ kind }) => kind === 'MaintenanceRun')).toMatchObject({
      plural: 'maintenanceruns',
      singular: 'maintenancerun',
      shortNames: ['mrun'],
      categories: ['turnus'],
      subresources: ['status'],
      namespaced: true,
    });
    const run = create(api, runResource, {
      metadata: { name: 'r', namespace: 'default' },
      spec: {},
      status: { phase: 'x' },
    });
    expect(run['status']).toBeUndefined();
    expect(setStatus(api, runResource, run, { phase: 'Running' })['status']).toStrictEqual({ phase: 'Running' });
    const { events } = watched(api, { resource: runResource, resourceVersion: api.version() });
    valueOf(api.delete({ resource: definitions, name: 'maintenanceruns.turnus.dev' }, 'test'));
    expect(eventTexts(events)).toStrictEqual(['deleted r']);
    expect(refusalOf(api.list({ resource: runResource }))).toMatchObject({ code: 404 });
  });
});

describe('a cluster', () => {
  it('has its namespaces and the uid it was given, and is the same again for the same seed', () => {
    const { api } = apiWith({ clusterUid: 'the-uid' });
    expect(listed(api, resources.namespaces).map(({ metadata }) => metadata.name)).toStrictEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ]);
    expect(read(api, resources.namespaces, 'kube-system').metadata.uid).toBe('the-uid');
    const again = apiWith({ clusterUid: 'the-uid' }).api;
    expect(listed(again, resources.namespaces)).toStrictEqual(listed(api, resources.namespaces));
  });

  it('says before each get and list what will be read', () => {
    const asked: string[] = [];
    const { api } = apiWith({ beforeRead: (request) => asked.push('name' in request ? request.name : 'all') });
    api.get({ resource: resources.nodes, name: 'n' });
    api.list({ resource: resources.nodes });
    expect(asked).toStrictEqual(['n', 'all']);
  });
});
