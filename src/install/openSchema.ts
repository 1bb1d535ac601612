import { z } from 'zod';
import { arrayOf, isRecord, recordOf, stringOf, stringsOf, type JsonRecord } from '../cluster/json.js';
import type { StructuralSchema } from './structuralSchema.js';

/**
 * A structural schema for what people write: it describes every field, so that `kubectl explain` does, and judges
 * nothing but types. Fields that it does not know are kept (`x-kubernetes-preserve-unknown-fields`), because the API
 * server would prune a misspelt one without a word where the client does not ask for strict validation; nothing is
 * required, limited or filled in. Whoever reads the object judges it with the zod schema, and says what is wrong.
 */
export function openSchema(schema: z.ZodType): StructuralSchema {
  return opened(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }));
}

const keptUnknown = { 'x-kubernetes-preserve-unknown-fields': true };

function opened(schema: JsonRecord): StructuralSchema {
  const description = descriptionOf(schema);
  // The API server keeps no empty one.
  const described = description === '' ? {} : { description };
  const forms = arrayOf(schema['anyOf']).map(recordOf);
  if (forms.length > 0) {
    const types = forms.map((form) => form['type']);
    const isIntOrString = types.every((type) => type === 'integer' || type === 'string');
    if (!isIntOrString) return { ...described, ...keptUnknown };
    // kubectl shows both as an object.
    return { description: `${description} A whole number or a text.`.trim(), 'x-kubernetes-int-or-string': true };
  }
  const type = stringOf(schema['type']);
  if (type === 'array') return { type, ...described, items: opened(recordOf(schema['items'])) };
  if (type !== 'object') return { type: type ?? typeof arrayOf(schema['enum'])[0], ...described };
  const values = schema['additionalProperties'];
  if (isRecord(values) && Object.keys(values).length > 0) {
    return { type, ...described, additionalProperties: opened(values) };
  }
  const properties = Object.entries(recordOf(schema['properties']));
  return {
    type,
    ...described,
    ...keptUnknown,
    properties: Object.fromEntries(properties.map(([name, inner]) => [name, opened(recordOf(inner))])),
  };
}

/** The words of an enum and the default are not judged or filled in by the server, so that they are said. */
function descriptionOf(schema: JsonRecord): string {
  const words = stringsOf(schema['enum']);
  const value = schema['default'];
  const isShown = ['string', 'number', 'boolean'].includes(typeof value) && value !== '';
  return [
    stringOf(schema['description']) ?? '',
    ...(words.length > 1 ? [`One of ${words.join(', ')}.`] : []),
    ...(isShown ? [`Default: ${String(value)}.`] : []),
  ]
    .filter((part) => part !== '')
    .join(' ');
}
