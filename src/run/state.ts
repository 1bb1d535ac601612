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

/** Nobody acts on a run in these phases until a person asks for it. */
export const endedRunPhases: readonly string[] = ['Completed', 'Failed', 'Aborted', 'Superseded'] satisfies RunPhase[];

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
  execution: z
    .number()
    .int()
    .describe('1 for the first execution; counts up with each `retry --again` and each further attempt'),
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
  outputDigest: z.string().optional().describe('SHA-256 of the output that was kept, hex'),
  outputOmittedBytes: z
    .number()
    .optional()
    .describe('Bytes between beginning and end of a long output that were not kept'),
  rebootedUnasked: z.boolean().optional().describe('The boot id changed during the job'),
  bootIdAfter: z.string().optional().describe('Boot id of the host when the job had ended'),
  again: z
    .boolean()
    .optional()
    .describe(
      'The next start of this script is a new execution: a person asked for it, or it belongs to another attempt',
    ),
  vouchedBy: z
    .string()
    .optional()
    .describe('Who took the host as mended by hand after the job failed; the job is not run again'),
});
export type JobRecord = z.infer<typeof jobSchema>;

const displacedSchema = z.object({
  owner: z.string().describe('namespace/Kind/name'),
  readyBefore: z.number().int(),
});

/** What a failed turn left behind, for the person who is called. */
const failureSchema = z.object({
  code: z.string().describe('Why the turn failed, one word'),
  phase: z.string().describe('The step that failed'),
  node: z.string().describe('cordoned, in-service or gone'),
  host: z.string().describe('touched or untouched'),
  who: z.string().describe('Who can mend it'),
  next: z.array(z.string()).describe('What to do next, one command or sentence each, in this order'),
});
export type FailureReport = z.infer<typeof failureSchema>;

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
  undoCode: z.string().optional().describe('While Undoing: why, as in failure.code'),
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
  unrecovered: z
    .array(displacedSchema)
    .optional()
    .describe('While Done: those of them that were not back within settle.timeout; other nodes keep their replicas'),
  volumes: z
    .array(z.string())
    .optional()
    .describe('PersistentVolumes of the pods that leave; they are detached before the host is touched'),
  evictions: z.number().int().optional(),
  podsLeft: z.number().int().optional().describe('Pods that must still leave the node, while it is drained'),
  touchedBefore: z
    .boolean()
    .optional()
    .describe(
      'The host may have been changed before this record began: by a run that this one replaces, or in a turn whose record was lost',
    ),
  leftBefore: z
    .boolean()
    .optional()
    .describe(
      'Script leave may have taken the node out of service before the jobs recorded here began, and no join has brought it back since',
    ),
  retryFrom: z.string().optional().describe('While Pending after `turnus retry`: the step at which the turn goes on'),
  lastRequest: z.string().optional().describe('Id of the last request of spec.desired that changed this turn'),
  skippedBy: z.string().optional().describe('Who took the node out of this run'),
  acknowledgedBy: z.string().optional().describe('Who let the run go on in spite of this failure'),
  failure: failureSchema.optional().describe('While Failed: what was left how, and what to do next'),
  boundControllers: z
    .array(z.string())
    .optional()
    .describe('UIDs of controllers whose pods return to this node whatever is done, and stay'),
  findings: z.array(findingSchema).optional(),
  accepted: z
    .array(z.object({ code: z.string(), by: z.string(), reason: z.string(), time }))
    .optional()
    .describe('Findings that a person took on: they do not hold up this turn'),
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
  left: z.number().int().describe('Neither done, failed, blocked nor skipped'),
  skipped: z.number().int().optional().describe('Left out by a person with `turnus skip`'),
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
  window: z
    .object({
      opensAt: time.optional(),
      closesAt: time.optional(),
      endedBy: z.string().optional().describe('The freeze whose beginning ends it'),
    })
    .optional()
    .describe('The window in which turns may start; without times it has no end'),
  waitingFor: waitSchema.optional(),
  steering: z
    .object({ taint: z.string(), since: time })
    .optional()
    .describe('Nodes whose turn is still to come carry this taint, so that pods move elsewhere'),
  journal: z
    .object({ seq: z.number().int(), head: z.string() })
    .optional()
    .describe('Last anchored entry of the journal'),
  handledRequests: z
    .array(z.object({ id: z.string(), result: z.string(), time }))
    .optional()
    .describe('Answers to spec.desired.requests; each is answered once'),
  supersededBy: z.string().optional().describe('The run that replaces this one'),
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
  trigger: z.string().max(100).optional().describe('Id of the trigger on the Playbook object that began it'),
  rehearsal: z.boolean(),
  replaces: z.string().optional().describe('The unfinished run that this one supersedes'),
  desired: z
    .object({
      state: z.string().max(40).describe('Run, Pause, Abort or AbortNow'),
      by: z.string().max(300).optional().describe('Who asked for this state'),
      reason: z.string().max(1000).optional(),
      overrides: z
        .array(
          z.object({
            what: z.string().max(300).describe('windows, or freeze and its name'),
            by: z.string().max(300),
            reason: z.string().max(1000),
            time: z.string().max(40),
          }),
        )
        .max(100)
        .optional()
        .describe('Calls that did not keep to windows or to a freeze, for the record; nothing is decided by it'),
      requests: z
        .array(
          z.object({
            id: z.string().max(100),
            verb: z.string().max(40).describe('retry, retry-again, skip, accept or resume'),
            node: z.string().max(253).optional(),
            code: z.string().max(100).optional(),
            reason: z.string().max(1000).optional(),
            by: z.string().max(300).optional(),
          }),
        )
        .max(100)
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
