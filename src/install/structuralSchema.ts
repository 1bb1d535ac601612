import { z } from 'zod';

/** A JSON schema as CustomResourceDefinitions take it ("structural", KEP-1693 and apiextensions docs). */
export interface StructuralSchema {
  readonly [keyword: string]: unknown;
}

/** The bounds of JavaScript's safe integers, which zod writes with every whole number. */
const dropped = new Set(['minimum', 'maximum']);

/** The structural schema of a zod schema: unknown fields are pruned or refused by the server, not listed here. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return cleaned(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }));
}

function cleaned(schema: object): StructuralSchema {
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema) as [string, unknown][]) {
    if (dropped.has(keyword)) continue;
    if (keyword === 'additionalProperties' && (value === false || isEmptyObject(value))) continue;
    if (keyword === 'properties') result[keyword] = mapValues(value, cleaned);
    else if ((keyword === 'items' || keyword === 'additionalProperties') && isObject(value))
      result[keyword] = cleaned(value);
    else result[keyword] = value;
  }
  return result;
}

function mapValues(value: unknown, map: (value: object) => unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]: [string, unknown]) => [name, isObject(entry) ? map(entry) : entry]),
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}
