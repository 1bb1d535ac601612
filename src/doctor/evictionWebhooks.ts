import type { ApiObject } from '../cluster/clusterPort.js';
import { isRecord, numberOf, recordOf, recordsOf, stringOf, stringsOf } from '../cluster/json.js';
import { matchesResource } from '../cluster/services.js';

/** A webhook that the API server asks about evictions. */
export interface EvictionWebhook {
  readonly name: string;
  /** `ValidatingWebhookConfiguration policy` */
  readonly configuration: string;
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly timeoutSeconds: number;
  /** Undefined where it is called by a URL. */
  readonly service: { readonly namespace: string; readonly name: string } | undefined;
  /** Selectors or conditions leave some evictions out. */
  readonly isNarrowed: boolean;
}

export type WebhookKind = 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration';

/** Those of a webhook configuration (admissionregistration.k8s.io/v1) whose rules match the create of `pods/eviction`. */
export function evictionWebhooksOf(object: ApiObject, kind: WebhookKind): readonly EvictionWebhook[] {
  return recordsOf(object['webhooks'])
    .filter((webhook) => recordsOf(webhook['rules']).some(matchesEviction))
    .map((webhook) => {
      const service = recordOf(webhook['clientConfig'])['service'];
      return {
        name: stringOf(webhook['name']) ?? '',
        configuration: `${kind} ${object.metadata.name ?? ''}`,
        // Fail and ten seconds are the defaults of v1.
        failurePolicy: webhook['failurePolicy'] === 'Ignore' ? 'Ignore' : 'Fail',
        timeoutSeconds: numberOf(webhook['timeoutSeconds']) ?? 10,
        service: isRecord(service)
          ? { namespace: stringOf(service['namespace']) ?? '', name: stringOf(service['name']) ?? '' }
          : undefined,
        isNarrowed:
          Object.keys(recordOf(webhook['namespaceSelector'])).length > 0 ||
          Object.keys(recordOf(webhook['objectSelector'])).length > 0 ||
          recordsOf(webhook['matchConditions']).length > 0,
      };
    });
}

/** An eviction is a create of v1 `pods/eviction` in the core group, whatever the version of its body. */
function matchesEviction(rule: Readonly<Record<string, unknown>>): boolean {
  const among = (field: string, value: string) => {
    const written = stringsOf(rule[field]);
    return written.includes('*') || written.includes(value);
  };
  return (
    among('operations', 'CREATE') &&
    among('apiGroups', '') &&
    among('apiVersions', 'v1') &&
    rule['scope'] !== 'Cluster' &&
    stringsOf(rule['resources']).some((pattern) => matchesResource(pattern, 'pods/eviction'))
  );
}
