import { defaultHostLayout, jobDirectory } from '../host/jobDirectory.js';
import { failedStage, hasEnded, isOver, noSecondExecution } from './execution.js';
import { isHostTouched } from './hostTouched.js';
import { failureCodes } from './outcome.js';
import { stages } from './stages.js';
import type { FailureReport, JobRecord, TurnStatus } from './state.js';

/** Why a turn is Failed: a step's own failure, or the outcome that the table made one. */
export const turnFailureCodes = [
  ...failureCodes,
  'blocked-after-touch',
  'deferred-after-touch',
  'not-recovered',
  'node-gone',
  'not-selected',
  'undo-not-joined',
  'aborted',
] as const;
export type TurnFailureCode = (typeof turnFailureCodes)[number];

/** The code as it stands in a status; `aborted` where another version wrote one that this one does not know. */
export function failureCodeOf(text: string | undefined): TurnFailureCode {
  return turnFailureCodes.find((code) => code === text) ?? 'aborted';
}

export interface FailedTurn {
  readonly run: { readonly name: string; readonly uid: string; readonly rehearsal: boolean };
  readonly node: string;
  readonly code: TurnFailureCode;
  /** The step that failed. */
  readonly phase: string;
  /** As it stands when everything that can be undone is undone. */
  readonly status: TurnStatus;
}

/** What a failed turn leaves behind, who can mend it, and the commands for that, in the order to try them. */
export function failureReport(turn: FailedTurn): FailureReport {
  const { status, code } = turn;
  const isCordoned = status.cordoned === true;
  return {
    code,
    phase: turn.phase,
    node: code === 'node-gone' ? 'gone' : isCordoned ? 'cordoned' : 'in-service',
    host: isHostTouched(status) ? 'touched' : 'untouched',
    who: whoMends(turn),
    next: [...firstLook(turn), ...waysOn(turn)],
  };
}

/** Where the cause of a failure is looked for. */
type Place = 'script' | 'script-unknown' | 'machine' | 'boot-loader' | 'node' | 'gone-node' | 'workloads';

const placeOf: Readonly<Record<TurnFailureCode, Place>> = {
  'job-failed': 'script',
  'job-timed-out': 'script',
  'job-vanished': 'script',
  'job-not-started': 'script',
  'no-reboot-answer': 'script',
  'rebooted-by-script': 'script',
  'undo-not-joined': 'script',
  'job-no-contact': 'script-unknown',
  aborted: 'script-unknown',
  'boot-not-proved': 'machine',
  'old-kernel': 'boot-loader',
  'not-healthy': 'node',
  'not-uncordoned': 'workloads',
  'not-empty': 'workloads',
  'blocked-after-touch': 'workloads',
  'deferred-after-touch': 'workloads',
  'not-recovered': 'workloads',
  'node-gone': 'gone-node',
  'not-selected': 'node',
};

function whoMends({ code, node }: FailedTurn): string {
  switch (placeOf[code]) {
    case 'script':
      return `whoever looks after the script and the host of ${node}`;
    case 'script-unknown':
    case 'machine':
    case 'boot-loader':
      return `whoever has the console of the machine behind ${node}`;
    case 'node':
    case 'gone-node':
      return `whoever looks after node ${node}`;
    case 'workloads':
      return 'whoever looks after the workloads named';
  }
}

/** Where to look before anything is done. */
function firstLook(turn: FailedTurn): string[] {
  const { node, code } = turn;
  const pods = `kubectl get pods -A -o wide --field-selector spec.nodeName=${node}`;
  switch (placeOf[code]) {
    case 'script':
      return outputOnHost(turn);
    case 'script-unknown':
      return outputOnHost(turn);
    case 'machine':
      return [`the console of the machine behind ${node}: does it boot, does sshd answer, does kubelet run?`];
    case 'boot-loader':
      return [`the boot loader of the host of ${node}: make the wanted kernel the default and reboot it by hand`];
    case 'node':
      return [`kubectl describe node ${node}`, pods];
    case 'workloads':
      return [pods];
    case 'gone-node':
      return [`the machine behind ${node}: its host was touched, and the node is gone or another one now`];
  }
}

function outputOnHost({ run, node, status }: FailedTurn): string[] {
  const stage = stages.findLast((candidate) => status.jobs?.[candidate] !== undefined);
  const job = stage === undefined ? undefined : status.jobs?.[stage];
  if (stage === undefined || job === undefined) return [];
  const { execution } = job;
  const { job: directory } = jobDirectory(defaultHostLayout, { runUid: run.uid, node, stage, execution });
  const running = isOver(job) ? '' : ' (the script may still be running)';
  return [`on the host, the output of script ${stage}: sudo cat ${directory}/output${running}`];
}

/** Every command that is named here is one that the rules for requests take. */
function waysOn(turn: FailedTurn): string[] {
  const { run, node, status } = turn;
  const isCordoned = status.cordoned === true;
  const again = `turnus retry ${run.name} ${node} --again`;
  const others = isCordoned
    ? `; the node stays cordoned and uses up spec.nodes.maxUnavailable until: kubectl uncordon ${node}`
    : '';
  return [
    `${retryWords(turn)}: turnus retry ${run.name} ${node}, then start the run again: turnus run -f PLAYBOOK (turnus serve does so by itself)`,
    ...(isCordoned &&
    !run.rehearsal &&
    turn.code !== 'undo-not-joined' &&
    noSecondExecution(failedAs(turn)) === undefined
      ? [`to run the script again: ${again}`]
      : []),
    ...(isJobFailure(turn.code) && !run.rehearsal && jobsOf(status).every(isOver)
      ? [
          'with a mended script or playbook, nodes that are done staying done: turnus run -f PLAYBOOK --replace --reason TEXT (with turnus serve: turnus trigger PLAYBOOK --replace --reason TEXT)',
        ]
      : []),
    `to leave ${node} out and go on with the others: turnus skip ${run.name} ${node}${others}`,
  ];
}

function retryWords(turn: FailedTurn): string {
  const { status, code } = turn;
  if (code === 'undo-not-joined')
    return 'when the cause is mended, to run script join, give the node back and begin anew';
  if (status.cordoned !== true && code !== 'not-recovered') return 'when the cause is mended, to begin the turn anew';
  const stage = failedStage(failedAs(turn));
  const job = stage === undefined ? undefined : status.jobs?.[stage];
  if (job === undefined) return 'when it is mended, to go on at the step that failed';
  if (!isOver(job)) return 'to follow the script to its end and go on';
  return hasEnded(job)
    ? 'when the host is mended by hand, to go on without the script'
    : 'when the cause is mended, to start the script and go on';
}

/** The status as it will stand, so that the rules for requests can be asked. */
function failedAs({ status, code, phase, node }: FailedTurn): TurnStatus {
  return { ...status, failure: { code, phase, node, host: '', who: '', next: [] } };
}

function jobsOf(status: TurnStatus): JobRecord[] {
  return stages.flatMap((stage) => status.jobs?.[stage] ?? []);
}

function isJobFailure(code: TurnFailureCode): boolean {
  return code.startsWith('job-') || code === 'no-reboot-answer' || code === 'rebooted-by-script';
}
