import { isHostTouched } from '../run/hostTouched.js';
import { stages, type Stage } from '../run/stages.js';
import type { JobRecord, TurnState, TurnStatus } from '../run/state.js';
import { plainLines, plainText } from './plainText.js';
import { clockText, spanMs, spanText, timeText } from './timeText.js';

/** As many last lines of a script's output as one screen has room for. */
const outputLines = 12;

/**
 * What a person who is called must know of a turn that failed or was left by a gate, on one screen: what happened, what
 * was left how, who can end it, and what to do next, in this order.
 */
export function failureReport(turn: TurnState, now: number): string[] {
  const { status } = turn;
  return [
    headLine(turn, now),
    ...labelled('What happened', [plainText(status.message ?? 'nothing was recorded')]),
    ...findingLines(status),
    ...labelled('Left as', leftAs(status)),
    ...stages.flatMap((stage) => jobLines(stage, status.jobs?.[stage])),
    ...labelled('Boot ids', bootIds(status)),
    ...labelled('Who can end it', whoEnds(status)),
    ...nextLines(status),
  ];
}

function headLine({ node, status }: TurnState, now: number): string {
  const { failure } = status;
  const at = status.finishedAt ?? status.steps?.at(-1)?.finishedAt ?? status.steps?.at(-1)?.startedAt;
  const when = at === undefined ? '' : ` at ${timeText(at, now)}`;
  const step = failure?.phase ?? status.steps?.at(-1)?.phase;
  const where = step === undefined ? '' : ` in step ${plainText(step)}`;
  const codes = failure === undefined ? blockingFindings(status).map((finding) => finding.code) : [failure.code];
  const code = codes.length === 0 ? '' : ` (${[...new Set(codes)].map(plainText).join(', ')})`;
  return `Node ${plainText(node)} is ${plainText(status.phase)}${where}${when}${code}`;
}

/** Findings are the reason where a gate left the node; elsewhere they are old. */
function blockingFindings(status: TurnStatus): NonNullable<TurnStatus['findings']> {
  if (status.phase === 'Failed') return [];
  return (status.findings ?? []).filter(({ severity }) => severity === 'block');
}

/** What the message does not say already. */
function findingLines(status: TurnStatus): string[] {
  return blockingFindings(status)
    .filter(({ message }) => status.message?.includes(message) !== true)
    .flatMap(({ code, message, hint }) => [
      `  Finding ${plainText(code)}: ${plainText(message)}`,
      ...(hint === undefined ? [] : [`    ${plainText(hint)}`]),
    ]);
}

function leftAs(status: TurnStatus): string[] {
  const { failure } = status;
  const node = plainText(failure?.node ?? (status.cordoned === true ? 'cordoned' : 'in-service'));
  const host = plainText(failure?.host ?? (isHostTouched(status) ? 'touched' : 'untouched'));
  const words: Readonly<Record<string, string>> = {
    cordoned: 'cordoned by Turnus',
    'in-service': 'not cordoned by Turnus',
    gone: 'no longer in the cluster',
    touched: 'may have been changed',
    untouched: 'is untouched',
  };
  const drains = status.attempts === undefined ? [] : [counted(status.attempts, 'drain begun', 'drains begun')];
  const evictions = status.evictions === undefined ? [] : [counted(status.evictions, 'pod evicted', 'pods evicted')];
  const taken = spanMs(status.startedAt, status.finishedAt);
  const time = taken === undefined ? [] : [`after ${spanText(taken)}`];
  return [[`node ${words[node] ?? node}`, `host ${words[host] ?? host}`, ...drains, ...evictions, ...time].join(', ')];
}

function jobLines(stage: Stage, job: JobRecord | undefined): string[] {
  if (job === undefined) return [];
  const exit = job.exitCode === undefined ? [] : [`exit code ${String(job.exitCode)}`];
  const answers = [
    ...(job.changed === undefined ? [] : [`changed=${plainText(job.changed)}`]),
    ...(job.reboot === undefined ? [] : [`reboot=${plainText(job.reboot)}`]),
  ];
  const ended = job.finishedAt === undefined ? [] : [`seen at ${clockText(job.finishedAt)}`];
  const unasked = job.rebootedUnasked === true ? ['the host rebooted during it, unasked'] : [];
  const vouched = job.vouchedBy === undefined ? [] : [`taken as mended by ${plainText(job.vouchedBy)}`];
  const state = plainText(job.state ?? 'begun, end not known');
  const all = plainLines(job.outputTail ?? '');
  const shown = all.slice(-outputLines);
  const output =
    shown.length === 0
      ? 'no output'
      : `${shown.length === 1 ? 'last line' : `last ${String(shown.length)} lines`} of its output:`;
  return [
    ...labelled(`Script ${stage}`, [
      `${[`execution ${String(job.execution)}: ${state}`, ...exit, ...answers, ...unasked, ...vouched, ...ended].join(', ')}; ${output}`,
    ]),
    ...shown.map((line) => `    | ${line}`),
  ];
}

function bootIds({ bootIdBefore, bootIdAfter, rebootRequestedAt }: TurnStatus): string[] {
  if (bootIdBefore === undefined) return [];
  const after = bootIdAfter === undefined ? 'not known' : plainText(bootIdAfter);
  const asked =
    rebootRequestedAt === undefined ? 'no reboot was asked for' : `reboot asked for at ${clockText(rebootRequestedAt)}`;
  return [`before ${plainText(bootIdBefore)}, after ${after}; ${asked}`];
}

function whoEnds(status: TurnStatus): string[] {
  const who = status.failure?.who ?? status.waitingFor?.who;
  return who === undefined ? [] : [plainText(who)];
}

function nextLines(status: TurnStatus): string[] {
  const next = status.failure?.next.map(plainText) ?? otherwise(status);
  return next.length === 0
    ? []
    : ['  What to do next:', ...next.map((line, place) => `    ${String(place + 1)}. ${line}`)];
}

/** For a turn that did not fail: nothing was left behind, the next start tries again. */
function otherwise(status: TurnStatus): string[] {
  switch (status.phase) {
    case 'Blocked':
      return ['change what the findings name', goOn];
    case 'Deferred':
      return [goOn];
    default:
      return [];
  }
}

const goOn = 'start the run again, which tries the node anew: turnus run -f PLAYBOOK';

function labelled(label: string, values: readonly string[]): string[] {
  return values.map((value) => `  ${label}: ${value}`);
}

function counted(count: number, one: string, many: string): string {
  return `${String(count)} ${count === 1 ? one : many}`;
}
