import { describe, expect, it } from 'vitest';
import type { ServiceView } from '../../src/cluster/services.js';
import { evictionWebhooksOf, type EvictionWebhook } from '../../src/doctor/evictionWebhooks.js';
import { judgeWebhooks, type WebhookFacts } from '../../src/doctor/webhookChecks.js';

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] };
const found = (changes: Readonly<Record<string, unknown>>, webhook: Readonly<Record<string, unknown>> = {}) =>
  evictionWebhooksOf(
    {
      metadata: { name: 'policy' },
      webhooks: [{ name: 'deny.example.com', rules: [{ ...rule, ...changes }], ...webhook }],
    },
    'ValidatingWebhookConfiguration',
  );

describe('a webhook is asked about evictions where a rule', () => {
  it.each<[string, Readonly<Record<string, unknown>>, boolean]>([
    ['names pods/eviction', {}, true],
    ['names every subresource of pods', { resources: ['pods/*'] }, true],
    ['names everything', { resources: ['*/*'], apiGroups: ['*'], apiVersions: ['*'], operations: ['*'] }, true],
    ['names evictions of all resources', { resources: ['*/eviction'] }, true],
    ['is for what has a namespace', { scope: 'Namespaced' }, true],
    ['names pods alone', { resources: ['pods'] }, false],
    ['names all resources without subresources', { resources: ['*'] }, false],
    ['names another subresource', { resources: ['pods/status'] }, false],
    ['names another group', { apiGroups: ['policy'] }, false],
    ['names another version', { apiVersions: ['v2'] }, false],
    ['is about deletions', { operations: ['DELETE', 'UPDATE'] }, false],
    ['is for what has no namespace', { scope: 'Cluster' }, false],
  ])('%s', (_, changes, isAsked) => {
    expect(found(changes)).toHaveLength(isAsked ? 1 : 0);
  });

  it('with the defaults of the API, and narrowed where it has a selector or a condition', () => {
    expect(found({})).toEqual([
      {
        name: 'deny.example.com',
        configuration: 'ValidatingWebhookConfiguration policy',
        failurePolicy: 'Fail',
        timeoutSeconds: 10,
        service: undefined,
        isNarrowed: false,
      },
    ]);
    const service = { namespace: 'guard', name: 'gate' };
    expect(found({}, { failurePolicy: 'Ignore', timeoutSeconds: 3, clientConfig: { service } })).toMatchObject([
      { failurePolicy: 'Ignore', timeoutSeconds: 3, service },
    ]);
    for (const narrowing of [
      { namespaceSelector: { matchLabels: { team: 'acme' } } },
      { objectSelector: { matchLabels: { app: 'web' } } },
      { matchConditions: [{ name: 'not-ours', expression: 'false' }] },
    ])
      expect(found({}, narrowing)).toMatchObject([{ isNarrowed: true }]);
    expect(found({}, { namespaceSelector: {} })).toMatchObject([{ isNarrowed: false }]);
  });
});

describe('a webhook that is asked about evictions', () => {
  const gate: ServiceView = { namespace: 'guard', name: 'gate', selector: { app: 'gate' }, sharesTraffic: true };
  const webhook: EvictionWebhook = {
    name: 'deny.example.com',
    configuration: 'ValidatingWebhookConfiguration policy',
    failurePolicy: 'Fail',
    timeoutSeconds: 10,
    service: { namespace: 'guard', name: 'gate' },
    isNarrowed: false,
  };
  const pod = (changes: Partial<{ namespace: string; app: string; ready: boolean }> = {}) => {
    const { namespace = 'guard', app = 'gate', ready = true } = changes;
    return { namespace, labels: { app }, ready };
  };
  const forbidden = { kind: 'forbidden', message: 'anna may not list them' } as const;
  const known = (changes: Partial<WebhookFacts> = {}, of: Partial<EvictionWebhook> = {}) =>
    judgeWebhooks({
      webhooks: { kind: 'ok', value: [{ ...webhook, ...of }] },
      services: { kind: 'ok', value: new Map([['guard/gate', gate]]) },
      pods: { kind: 'ok', value: [pod()] },
      ...changes,
    });
  const pods = (...value: ReturnType<typeof pod>[]) => ({ pods: { kind: 'ok', value } as const });

  it.each<[string, ReturnType<typeof known>, string, string]>([
    ['has a Ready pod', known(), 'warning', '1 Ready pod behind Service guard/gate'],
    [
      'has none that is Ready',
      known(pods(pod({ ready: false }))),
      'failed',
      'no pod behind Service guard/gate is Ready',
    ],
    ['has only namesakes elsewhere', known(pods(pod({ namespace: 'shop' }))), 'failed', 'is Ready'],
    ['has only pods of others', known(pods(pod({ app: 'web' }))), 'failed', 'is Ready'],
    [
      'has no Service',
      known({ services: { kind: 'ok', value: new Map() } }),
      'failed',
      'Service guard/gate is not there',
    ],
    [
      'has nobody behind it and fails open',
      known(pods(), { failurePolicy: 'Ignore', timeoutSeconds: 7 }),
      'warning',
      'may wait 7 s',
    ],
    ['is called by a URL', known({}, { service: undefined }), 'warning', 'it is called by a URL'],
    [
      'has a Service without selector',
      known({ services: { kind: 'ok', value: new Map([['guard/gate', undefined]]) } }),
      'warning',
      'does not select its pods',
    ],
    ['has a Service that may not be listed', known({ services: forbidden }), 'warning', 'anna may not list them'],
    ['has pods that may not be listed', known({ pods: forbidden }), 'warning', 'anna may not list them'],
    ['may not be listed itself', known({ webhooks: forbidden }), 'skipped', 'anna may not list them'],
    ['is not there', known({ webhooks: { kind: 'ok', value: [] } }), 'ok', 'No webhook is asked'],
  ])('%s', (_, judgements, state, says) => {
    expect(judgements).toMatchObject([{ check: 'eviction-webhook', state }]);
    expect(judgements[0]?.message).toContain(says);
    if (state !== 'ok') expect(judgements[0]?.hint).toMatch(/\.$|policy$/);
  });

  it('is named with its configuration, and with whether it is asked about all of them', () => {
    expect(known()[0]?.message).toContain(
      'Webhook deny.example.com (ValidatingWebhookConfiguration policy) is asked about every eviction',
    );
    expect(known({}, { isNarrowed: true })[0]?.message).toContain('some evictions');
    expect(known(pods())[0]?.hint).toContain('kubectl edit validatingwebhookconfiguration policy');
  });
});
