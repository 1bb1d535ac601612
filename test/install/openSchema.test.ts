import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openSchema } from '../../src/install/openSchema.js';

const keep = { 'x-kubernetes-preserve-unknown-fields': true };

describe('the open schema of a zod schema', () => {
  it.each<{ title: string; schema: z.ZodType; open: object }>([
    {
      title: 'a text, without what limits it',
      schema: z.string().max(5).regex(/^a/).describe('Why.'),
      open: { type: 'string', description: 'Why.' },
    },
    {
      title: 'a number with bounds and a default, which is said and not filled in',
      schema: z.int().min(1).default(3).describe('How many.'),
      open: { type: 'integer', description: 'How many. Default: 3.' },
    },
    {
      title: 'words, of which others are kept too',
      schema: z.enum(['allow', 'block']).default('allow').describe('What happens.'),
      open: { type: 'string', description: 'What happens. One of allow, block. Default: allow.' },
    },
    {
      title: 'a flag that can only be set',
      schema: z.literal(true).describe('Set it.'),
      open: { type: 'boolean', description: 'Set it.' },
    },
    {
      title: 'a number or a share',
      schema: z.union([z.int(), z.string().regex(/%$/)]).describe('Count.'),
      open: { description: 'Count. A whole number or a text.', 'x-kubernetes-int-or-string': true },
    },
    {
      title: 'one or a list, which no structural schema can say',
      schema: z.union([z.object({ a: z.string() }), z.array(z.string())]).describe('Files.'),
      open: { description: 'Files.', ...keep },
    },
    { title: 'a text of which nothing is said', schema: z.string(), open: { type: 'string' } },
    {
      title: 'a mapping by name',
      schema: z.record(z.string(), z.string().describe('Value.')).describe('Labels.'),
      open: {
        type: 'object',
        description: 'Labels.',
        additionalProperties: { type: 'string', description: 'Value.' },
      },
    },
    {
      title: 'fields, none of them required, and others kept at every level',
      schema: z
        .strictObject({
          list: z.array(z.strictObject({ b: z.boolean().describe('B.') }).describe('Item.')).describe('L.'),
        })
        .describe('Fields.'),
      open: {
        type: 'object',
        description: 'Fields.',
        ...keep,
        properties: {
          list: {
            type: 'array',
            description: 'L.',
            items: {
              type: 'object',
              description: 'Item.',
              ...keep,
              properties: { b: { type: 'boolean', description: 'B.' } },
            },
          },
        },
      },
    },
  ])('is that of $title', ({ schema, open }) => {
    expect(openSchema(schema)).toEqual(open);
  });
});
