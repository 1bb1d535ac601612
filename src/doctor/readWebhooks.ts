import type { ApiAnswer } from '../cluster/clusterPort.js';
import { resources } from '../cluster/resources.js';
import { parseService } from '../cluster/services.js';
import type { ClusterReader } from './clusterReader.js';
import { evictionWebhooksOf } from './evictionWebhooks.js';
import type { WebhookFacts } from './webhookChecks.js';

/** Lists the webhooks that are asked about evictions, and the Services where there is such a webhook. */
export async function readWebhooks(reader: ClusterReader): Promise<Omit<WebhookFacts, 'pods'>> {
  const [validating, mutating] = await Promise.all([
    reader.listAll(resources.validatingWebhooks),
    reader.listAll(resources.mutatingWebhooks),
  ]);
  const none: WebhookFacts['services'] = { kind: 'ok', value: new Map() };
  if (validating.kind !== 'ok') return { webhooks: validating, services: none };
  if (mutating.kind !== 'ok') return { webhooks: mutating, services: none };
  const webhooks = [
    ...mutating.value.flatMap((object) => evictionWebhooksOf(object, 'MutatingWebhookConfiguration')),
    ...validating.value.flatMap((object) => evictionWebhooksOf(object, 'ValidatingWebhookConfiguration')),
  ];
  const isServiceCalled = webhooks.some(({ service }) => service !== undefined);
  return { webhooks: { kind: 'ok', value: webhooks }, services: isServiceCalled ? await servicesOf(reader) : none };
}

async function servicesOf(reader: ClusterReader): Promise<WebhookFacts['services']> {
  const answer: ApiAnswer<readonly Parameters<typeof parseService>[0][]> = await reader.listAll(resources.services);
  if (answer.kind !== 'ok') return answer;
  return {
    kind: 'ok',
    value: new Map(
      answer.value.map((object) => [
        `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`,
        parseService(object),
      ]),
    ),
  };
}
