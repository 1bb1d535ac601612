import type { ApiAnswer } from '../cluster/clusterPort.js';
import type { ServiceView } from '../cluster/services.js';
import type { PodView } from '../cluster/view.js';
import { failed, ok, skipped, warning, type Judgement } from './check.js';
import type { EvictionWebhook } from './evictionWebhooks.js';

/** What is known of those who are asked about evictions, and of what is behind them. */
export interface WebhookFacts {
  readonly webhooks: ApiAnswer<readonly EvictionWebhook[]>;
  /** Every Service, those without a selector as `undefined`, by `namespace/name`. */
  readonly services: ApiAnswer<ReadonlyMap<string, ServiceView | undefined>>;
  readonly pods: ApiAnswer<readonly Pick<PodView, 'namespace' | 'labels' | 'ready'>[]>;
}

/** Each webhook that may refuse evictions; one that fails closed with nobody behind it would refuse them all. */
export function judgeWebhooks(facts: WebhookFacts): readonly Judgement[] {
  const { webhooks } = facts;
  if (webhooks.kind !== 'ok') {
    return [
      skipped(
        'eviction-webhook',
        `Whether a webhook is asked about evictions is not known, because they cannot be listed: ${webhooks.message}`,
        webhooks.kind === 'forbidden'
          ? 'Run `turnus install` of this version, whose ClusterRole allows it, and bind that role to the user.'
          : 'Try again once the API server answers.',
      ),
    ];
  }
  if (webhooks.value.length === 0) return [ok('eviction-webhook', 'No webhook is asked about evictions.')];
  return webhooks.value.map((webhook) => judgeWebhook(webhook, backendOf(webhook, facts)));
}

/** How many Ready pods answer for a webhook, where that can be told. */
type Backend =
  | { readonly kind: 'counted'; readonly ready: number; readonly service: string }
  | { readonly kind: 'no-service'; readonly service: string }
  | { readonly kind: 'unknown'; readonly why: string };

function backendOf({ service }: EvictionWebhook, { services, pods }: WebhookFacts): Backend {
  if (service === undefined) return { kind: 'unknown', why: 'it is called by a URL' };
  const name = `${service.namespace}/${service.name}`;
  if (services.kind !== 'ok') return { kind: 'unknown', why: `Services cannot be listed: ${services.message}` };
  if (!services.value.has(name)) return { kind: 'no-service', service: name };
  const found = services.value.get(name);
  if (found === undefined) return { kind: 'unknown', why: `Service ${name} does not select its pods` };
  if (pods.kind !== 'ok') return { kind: 'unknown', why: `pods cannot be listed: ${pods.message}` };
  const selector = Object.entries(found.selector);
  const ready = pods.value.filter(
    (pod) =>
      pod.ready && pod.namespace === found.namespace && selector.every(([key, value]) => pod.labels[key] === value),
  ).length;
  return { kind: 'counted', ready, service: name };
}

function judgeWebhook(webhook: EvictionWebhook, backend: Backend): Judgement {
  const { name, configuration, failurePolicy, timeoutSeconds, isNarrowed } = webhook;
  const which = isNarrowed ? 'some evictions (its selectors say which)' : 'every eviction';
  const asked = `Webhook ${name} (${configuration}) is asked about ${which}`;
  const [kind = '', configurationName = ''] = configuration.split(' ');
  const isDead = backend.kind === 'no-service' || (backend.kind === 'counted' && backend.ready === 0);
  if (isDead) {
    const why =
      backend.kind === 'no-service'
        ? `Service ${backend.service} is not there`
        : `no pod behind Service ${backend.service} is Ready`;
    if (failurePolicy === 'Fail') {
      return failed(
        'eviction-webhook',
        `${asked}, fails closed, and cannot answer: ${why}. The API server refuses these evictions.`,
        `Bring the pods of Service ${backend.service} back, or take the webhook away: kubectl edit ${kind.toLowerCase()} ${configurationName}`,
      );
    }
    return warning(
      'eviction-webhook',
      `${asked} and cannot answer: ${why}. Each of these evictions may wait ${String(timeoutSeconds)} s for it, and then passes (failurePolicy Ignore).`,
      `Bring the pods of Service ${backend.service} back.`,
    );
  }
  const behind =
    backend.kind === 'counted'
      ? `${String(backend.ready)} Ready ${backend.ready === 1 ? 'pod' : 'pods'} behind Service ${backend.service}`
      : `whether it would answer is not known: ${backend.why}`;
  return warning(
    'eviction-webhook',
    `${asked} and may refuse them (failurePolicy ${failurePolicy}; ${behind}).`,
    'Ask its owner what it refuses; a drain that it refuses is retried until drain.timeout, and then names it.',
  );
}
