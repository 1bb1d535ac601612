import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { structuralSchema } from '../../src/install/structuralSchema.js';

describe('the structural schema of a zod schema', () => {
  it.each<{ title: string; schema: z.ZodType; structural: object }>([
    { title: 'a text', schema: z.string().max(5), structural: { type: 'string', maxLength: 5 } },
    {
      title: 'a whole number, without the bounds of JavaScript',
      schema: z.number().int(),
      structural: { type: 'integer' },
    },
    { title: 'a number', schema: z.number(), structural: { type: 'number' } },
    {
      title: 'a flag with its description',
      schema: z.boolean().describe('Why'),
      structural: { type: 'boolean', description: 'Why' },
    },
    { title: 'a list', schema: z.array(z.string()), structural: { type: 'array', items: { type: 'string' } } },
    {
      title: 'a mapping by name, without propertyNames',
      schema: z.record(z.string(), z.string()),
      structural: { type: 'object', additionalProperties: { type: 'string' } },
    },
    {
      title: 'an object, without additionalProperties: the server prunes or refuses unknown fields by itself',
      schema: z.object({ a: z.string(), b: z.object({ c: z.number().int() }).optional() }),
      structural: {
        type: 'object',
        properties: {
          a: { type: 'string' },
          b: { type: 'object', properties: { c: { type: 'integer' } }, required: ['c'] },
        },
        required: ['a'],
      },
    },
    {
      title: 'a field that is called like a keyword',
      schema: z.object({ minimum: z.string(), propertyNames: z.string(), $schema: z.string() }),
      structural: {
        type: 'object',
        properties: { minimum: { type: 'string' }, propertyNames: { type: 'string' }, $schema: { type: 'string' } },
        required: ['minimum', 'propertyNames', '$schema'],
      },
    },
  ])('is that of $title', ({ schema, structural }) => {
    expect(structuralSchema(schema)).toEqual(structural);
  });
});
