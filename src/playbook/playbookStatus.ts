import { z } from 'zod';

/** Status of a `Playbook` object, as the actor of `turnus serve` writes it. */
export const playbookStatusSchema = z.object({
  observedGeneration: z.number().int().optional().describe('The generation of the spec that was judged last'),
  inForce: z
    .object({
      generation: z.number().int().describe('The generation of the spec that runs begin with'),
      since: z.string(),
      spec: z.string().max(1_000_000).describe('That spec as JSON: a later edit with mistakes leaves it in force'),
    })
    .optional(),
  nextWindow: z
    .object({ opensAt: z.string(), closesAt: z.string().optional() })
    .optional()
    .describe('The window that is open, or the next one'),
  lastRun: z
    .object({ name: z.string(), phase: z.string(), message: z.string().optional(), finishedAt: z.string().optional() })
    .optional(),
  coverage: z
    .object({
      nodes: z.number().int(),
      overdue: z.number().int().describe('Nodes without a completed turn within spec.schedule.coverage'),
      oldestTurn: z.string().optional().describe('The completed turn that is longest ago'),
    })
    .optional(),
  trigger: z
    .object({
      id: z.string(),
      time: z.string(),
      answer: z.string(),
      run: z.string().optional(),
      finishedAt: z.string().optional().describe('Absent: what it started goes on'),
    })
    .optional()
    .describe('The answer to the last turnus trigger'),
  conditions: z
    .array(
      z.object({
        type: z.string().describe('Ready, Valid or Covered'),
        status: z.string(),
        observedGeneration: z.number().int().optional(),
        lastTransitionTime: z.string(),
        reason: z.string(),
        message: z.string(),
      }),
    )
    .optional(),
});
export type PlaybookStatus = z.infer<typeof playbookStatusSchema>;
