import { describe, expect, it } from 'vitest';
import type { ApiAnswer, ApiFailure, ApiList, ApiObject } from '../../src/cluster/clusterPort.js';
import { parseService, passingFailureOf, readServices, webhookCalls } from '../../src/cluster/services.js';

const service = { namespace: 'policy', name: 'hook' };
const podRule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };

function configuration(webhook: Readonly<Record<string, unknown>>): ApiObject {
  const whole = { name: 'a.example', clientConfig: { service }, failurePolicy: 'Fail', rules: [podRule], ...webhook };
  return { metadata: { name: 'policy' }, webhooks: [whole] };
}

describe('a webhook stops replacements', () => {
  it.each<[string, boolean, Readonly<Record<string, unknown>>]>([
    ['with a rule for pods', true, {}],
    ['without a failurePolicy, which is Fail', true, { failurePolicy: undefined }],
    ['not with failurePolicy Ignore', false, { failurePolicy: 'Ignore' }],
    ['not at a URL', false, { clientConfig: { url: 'https://hook.example' } }],
    ['not without rules', false, { rules: [] }],
    ['with one rule of several', true, { rules: [{ ...podRule, resources: ['configmaps'] }, podRule] }],
    ['for every group and resource', true, { rules: [{ ...podRule, apiGroups: ['*'], resources: ['*'] }] }],
    ['for every resource and subresource', true, { rules: [{ ...podRule, resources: ['*/*'] }] }],
    ['for every status', true, { rules: [{ ...podRule, resources: ['*/status'] }] }],
    ['for every subresource of pods', true, { rules: [{ ...podRule, resources: ['pods/*'] }] }],
    ['not for every scale', false, { rules: [{ ...podRule, resources: ['*/scale'] }] }],
    ['not for the logs of pods', false, { rules: [{ ...podRule, resources: ['pods/log'] }] }],
    ['for node leases', true, { rules: [{ ...podRule, apiGroups: ['coordination.k8s.io'], resources: ['leases'] }] }],
    ['not for pods of another group', false, { rules: [{ ...podRule, apiGroups: ['metrics.k8s.io'] }] }],
    [
      'not for Ingresses',
      false,
      { rules: [{ ...podRule, apiGroups: ['networking.k8s.io'], resources: ['ingresses'] }] },
    ],
    ['not for CONNECT alone', false, { rules: [{ ...podRule, operations: ['CONNECT'], resources: ['*'] }] }],
    ['for every operation', true, { rules: [{ ...podRule, operations: ['*'] }] }],
  ])('%s: %s', (_, stops, webhook) => {
    const calls = webhookCalls(configuration(webhook), 'ValidatingWebhookConfiguration');
    expect(calls).toEqual(stops ? [{ ...service, by: 'ValidatingWebhookConfiguration policy' }] : []);
  });
});

describe('a Service', () => {
  it.each<[string, Readonly<Record<string, unknown>>, boolean | undefined]>([
    ['with an address shares traffic', { clusterIP: '10.0.0.1' }, true],
    [
      'of a load balancer shares traffic, wherever it keeps it',
      { type: 'LoadBalancer', internalTrafficPolicy: 'Local' },
      true,
    ],
    ['without an address does not', { clusterIP: 'None' }, false],
    ['that keeps traffic on the node does not', { internalTrafficPolicy: 'Local' }, false],
    ['without a selector has no pods', { selector: undefined }, undefined],
    ['that is another name has none', { type: 'ExternalName' }, undefined],
  ])('%s', (_, spec, sharesTraffic) => {
    const parsed = parseService({
      metadata: { namespace: 'edge', name: 'web' },
      spec: { selector: { app: 'web' }, ...spec },
    });
    expect(parsed?.sharesTraffic).toBe(sharesTraffic);
  });
});

describe('what the API server calls', () => {
  const objects: Readonly<Record<string, readonly ApiObject[]>> = {
    validatingwebhookconfigurations: [configuration({})],
    mutatingwebhookconfigurations: [configuration({ failurePolicy: 'Ignore' })],
    apiservices: [
      { metadata: { name: 'v1.apps' }, spec: {} },
      { metadata: { name: 'v1.stock.example' }, spec: { service } },
    ],
    services: [
      { metadata: service, spec: { selector: { app: 'hook' } } },
      { metadata: { namespace: 'shop', name: 'web' }, spec: { selector: { app: 'web' } } },
    ],
  };

  function clusterWith(failures: Readonly<Record<string, ApiFailure>> = {}) {
    const asked: string[] = [];
    return {
      asked,
      list({ resource: { plural } }: { readonly resource: { readonly plural: string } }): Promise<ApiAnswer<ApiList>> {
        asked.push(plural);
        const failure = failures[plural];
        return Promise.resolve(
          failure ?? { kind: 'ok', value: { items: objects[plural] ?? [], resourceVersion: '1' } },
        );
      },
    };
  }
  const { signal } = new AbortController();

  it('is known with everybody who calls it', async () => {
    const wanted = { all: false, namespaces: new Set(['policy']) };
    const { vital, unread } = await readServices({ cluster: clusterWith(), wanted }, signal);
    expect(unread).toEqual([]);
    expect(vital).toMatchObject([
      {
        ...service,
        selector: { app: 'hook' },
        calledBy: ['APIService v1.stock.example', 'ValidatingWebhookConfiguration policy'],
      },
    ]);
  });

  it('is not asked for where no pod of its namespace may go', async () => {
    const cluster = clusterWith();
    const wanted = { all: false, namespaces: new Set(['shop']) };
    expect(await readServices({ cluster, wanted }, signal)).toEqual({ vital: [], all: undefined, unread: [] });
    expect(cluster.asked).not.toContain('services');
  });

  it('is told with all Services where those are wanted', async () => {
    const wanted = { all: true, namespaces: new Set<string>() };
    const { all } = await readServices({ cluster: clusterWith(), wanted }, signal);
    expect(all?.map(({ name }) => name)).toEqual(['hook', 'web']);
  });

  it('says what it could not read, and whether asking again may help', async () => {
    const wanted = { all: true, namespaces: new Set(['policy']) };
    const forbidden = { kind: 'forbidden', message: 'anna cannot list' } as const;
    const away = { kind: 'unreachable', message: 'no answer' } as const;
    const lacking = await readServices(
      { cluster: clusterWith({ services: forbidden, apiservices: forbidden }), wanted },
      signal,
    );
    expect(lacking).toMatchObject({ vital: [], all: undefined });
    expect(lacking.unread.map(({ resource }) => resource)).toEqual(['apiservices.apiregistration.k8s.io', 'services']);
    expect(passingFailureOf(lacking)).toBeUndefined();
    const unanswered = await readServices(
      { cluster: clusterWith({ mutatingwebhookconfigurations: away }), wanted },
      signal,
    );
    expect(passingFailureOf(unanswered)).toEqual(away);
    const notServed = await readServices(
      { cluster: clusterWith({ apiservices: { kind: 'not-found', message: '' } }), wanted },
      signal,
    );
    expect(notServed.unread).toEqual([]);
  });
});
