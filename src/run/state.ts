import { z } from 'zod';
import { stages, type Stage } from './stages.js';

/**
 * The state of a run and of its turns, as it stands in the status of the objects `MaintenanceRun` and `NodeTurn`.
 * The CRD schemas are generated from these, so a field that is missing here is pruned by the API server.
 */

/** RFC 3339 in UTC. */
const time = z.string().describe('RFC 3339, UTC');

export const runPhases = [
  'Planned',
  'AwaitingWindow',
  'Running',
  'Paused',
  'Completed',
  'Failed',
  'Aborted',
  'Superseded',
] as const;
export type RunPhase = (typeof runPhases)[number];

export const turnPhases = [
  'Pending',
  'Preparing',
  'Checking',
  'Cordoning',
  'Draining',
  'Updating',
  'Rebooting',
  'Verifying',
  'Uncordoning',
  'Settling',
  'Done',
  'Undoing',
  'Deferred',
  'Blocked',
  'Skipped',
  'Failed',
] as const;
export type TurnPhase = (typeof turnPhases)[number];

/** A wait in words (rule 15: every wait says for what, since when, until when, and who can end it). */
export const waitSchema = z.object({
  what: z.string().describe('What is waited for, with the object and the numbers'),
  since: time,
  until: time.optional().describe('When the wait is given up; RFC 3339, UTC'),
  who: z.string().optional().describe('Who can end the wait'),
});
export type Wait = z.infer<typeof waitSchema>;

export const findingSchema = z.object({
  code: z.string(),
  severity: z.string(),
  objects: z.array(z.string()).optional(),
  message: z.string(),
  hint: z.string().optional(),
});

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.string(),
  message: z.string(),
  lastTransitionTime: time,
});

const versionsSchema = z.object({
  kernel: z.string(),
  osImage: z.string(),
  kubelet: z.string(),
  containerRuntime: z.string(),
});

/** One execution of a script for one turn. */
const jobSchema = z.object({
  execution: z.number().int().describe('1 for the first execution'),
  intentAt: time.describe('When Turnus decided to start it, recorded before it was started; RFC 3339, UTC'),
  bootIdBefore: z.string(),
  finishedAt: time.optional(),
  state: z
    .string()
    .optional()
    .describe('exited, timed-out, vanished, absent, not-started, no-contact or still-running'),
  exitCode: z.number().int().optional(),
  changed: z.string().optional().describe('yes or no, as the script answered'),
  reboot: z.string().optional().describe('required or no, as the script answered'),
  versions: z.record(z.string(), z.string()).optional().describe('version.<name> as the script answered'),
  outputTail: z.string().optional().describe('Last lines of the output, at most 4 KiB'),
  outputDigest: z.string().optional().describe('SHA-256 of the whole output, hex'),
  rebootedUnasked: z.boolean().optional().describe('The boot id changed during the job'),
});
export type JobRecord = z.infer<typeof jobSchema>;

const displacedSchema = z.object({
  owner: z.string().describe('namespace/Kind/name'),
  readyBefore: z.number().int(),
});

export const turnStatusSchema = z.object({
  phase: z.string().describe(`One of ${turnPhases.join(', ')}`),
  message: z.string().optional().describe('What happened and what to do next'),
  waitingFor: waitSchema.optional(),
  actor: z.string().optional().describe('Identity of the process that writes this status'),
  startedAt: time.optional(),
  finishedAt: time.optional(),
  attempts: z.number().int().optional().describe('Drains begun'),
  steps: z
    .array(z.object({ phase: z.string(), startedAt: time, finishedAt: time.optional() }))
    .optional()
    .describe('The steps in the order in which they were begun'),
  cordonedBefore: z.boolean().optional().describe('Somebody else had cordoned the node before the turn'),
  cordoned: z.boolean().optional().describe('The cordon is ours'),
  undoTo: z.string().optional().describe('While Undoing: the phase that follows'),
  bootIdBefore: z.string().optional(),
  bootIdAfter: z.string().optional(),
  rebootRequestedAt: time.optional(),
  versionsBefore: versionsSchema.optional(),
  versionsAfter: versionsSchema.optional(),
  jobs: z
    .object(
      Object.fromEntries(stages.map((stage) => [stage, jobSchema.optional()])) as Record<
        Stage,
        z.ZodOptional<typeof jobSchema>
      >,
    )
    .optional(),
  stationaryPods: z
    .array(z.object({ pod: z.string(), startedAt: z.array(z.number()) }))
    .optional()
    .describe('DaemonSet and mirror pods that were Ready before, with the start times of their containers'),
  failedUnitsBefore: z.array(z.string()).optional().describe('systemd units that had failed before'),
  displaced: z
    .array(displacedSchema)
    .optional()
    .describe('Owners whose pods were evicted, with their Ready replicas before'),
  evictions: z.number().int().optional(),
  boundControllers: z
    .array(z.string())
    .optional()
    .describe('UIDs of controllers whose pods return to this node whatever is done, and stay'),
  findings: z.array(findingSchema).optional(),
  conditions: z.array(conditionSchema).optional(),
});
export type TurnStatus = z.infer<typeof turnStatusSchema>;

export const turnSpecSchema = z.object({
  run: z.string(),
  node: z.string(),
  nodeUid: z.string(),
  rehearsal: z.boolean(),
});
export type TurnSpec = z.infer<typeof turnSpecSchema>;

const countsSchema = z.object({
  total: z.number().int(),
  done: z.number().int(),
  failed: z.number().int(),
  blocked: z.number().int(),
  left: z.number().int().describe('Neither done, failed nor blocked'),
});
export type Counts = z.infer<typeof countsSchema>;

export const runStatusSchema = z.object({
  phase: z.string().describe(`One of ${runPhases.join(', ')}`),
  message: z.string().optional(),
  actor: z.string().optional().describe('Identity of the process that writes this status'),
  startedAt: time.optional(),
  finishedAt: time.optional(),
  counts: countsSchema.optional(),
  order: z.array(z.string()).optional().describe('Node names in the order of their turns'),
  waitingFor: waitSchema.optional(),
  journal: z
    .object({ seq: z.number().int(), head: z.string() })
    .optional()
    .describe('Last anchored entry of the journal'),
  handledRequests: z.array(z.object({ id: z.string(), result: z.string(), time })).optional(),
  conditions: z.array(conditionSchema).optional(),
});
export type RunStatus = z.infer<typeof runStatusSchema>;

export const runSpecSchema = z.object({
  playbook: z.object({
    name: z.string(),
    snapshot: z.string().max(1_000_000).describe('The normalised playbook as canonical JSON'),
  }),
  planHash: z.string().describe('SHA-256 of cluster uid, playbook and digests of the referenced files'),
  clusterUid: z.string(),
  requester: z.string().describe('User name of who asked for the run, as the API server knows it'),
  change: z.string().optional().describe('Reference of the change'),
  reason: z.string().optional(),
  rehearsal: z.boolean(),
  desired: z
    .object({
      state: z.string().describe('Run, Pause, Abort or AbortNow'),
      requests: z
        .array(
          z.object({
            id: z.string(),
            verb: z.string(),
            node: z.string().optional(),
            code: z.string().optional(),
            reason: z.string().optional(),
            by: z.string().optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
export type RunSpec = z.infer<typeof runSpecSchema>;

/** A run with its turns, as the console draws it and `status` reads it. */
export interface RunState {
  readonly name: string;
  readonly uid: string;
  readonly spec: RunSpec;
  readonly status: RunStatus;
  /** A person has deleted the run; it goes when no turn is in work. */
  readonly isDeleted: boolean;
  /** By node name. */
  readonly turns: ReadonlyMap<string, TurnState>;
}

export interface TurnState {
  readonly node: string;
  /** Of the Node when the turn was made. */
  readonly nodeUid: string;
  readonly status: TurnStatus;
}
