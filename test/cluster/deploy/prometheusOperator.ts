import type { OtherObject } from '../objects.js';

const text = { type: 'string' };
const texts = { type: 'object', additionalProperties: text };
const listOf = (properties: object): object => ({ type: 'array', items: { type: 'object', properties } });

/**
 * Those fields of the Prometheus operator's kinds that we use, as its API reference has them
 * (prometheus-operator.dev, monitoring.coreos.com/v1): with strict validation, any other field is refused.
 */
export const prometheusOperatorKinds: OtherObject[] = [
  definition('ServiceMonitor', {
    selector: { type: 'object', properties: { matchLabels: texts } },
    endpoints: listOf({ port: text, path: text, interval: text, honorLabels: { type: 'boolean' } }),
  }),
  definition('PrometheusRule', {
    groups: listOf({
      name: text,
      rules: listOf({ alert: text, expr: text, for: text, labels: texts, annotations: texts }),
    }),
  }),
];

function definition(kind: string, specProperties: object): OtherObject {
  const plural = `${kind.toLowerCase()}s`;
  const schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: specProperties } },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.monitoring.coreos.com` },
    spec: {
      group: 'monitoring.coreos.com',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}
