import type { LeaseSight } from '../cluster/leaseSight.js';
import { openRequests } from '../run/ask.js';
import { readDesired } from '../run/desired.js';
import type { RunState } from '../run/state.js';
import { actorText } from './actorText.js';
import { failureReport } from './failureReport.js';
import { plainText } from './plainText.js';
import { runHeader } from './runHeader.js';
import { needsAPerson } from './runSummary.js';
import { screenRow, type ScreenRow } from './screenRows.js';
import { table } from './table.js';
import { turnsInOrder } from './turnsInOrder.js';

/** Everything that `turnus status` says about one run. */
export interface RunStatusView {
  readonly state: RunState;
  readonly actor: LeaseSight;
  /** Where the Lease is: namespace/name. */
  readonly lease: string;
  /** The other runs, the newest first. */
  readonly others: readonly { readonly name: string; readonly phase: string }[];
}

/** A run for people: header, all turns, what failed and what to do, who acts, what was asked and not answered. */
export function statusText(view: RunStatusView, now: number): string[] {
  const { state, actor } = view;
  return [
    ...runHeader(state, { now, actor }),
    '',
    ...table([
      ['NODE', 'PHASE', 'TIME', 'PODS LEFT', 'REMARK'],
      ...turnsInOrder(state)
        .map((turn) => screenRow(turn, now))
        .map((row) => [row.node, row.phase, row.time, row.podsLeft || '-', isReported(row) ? 'see below' : row.remark]),
    ]),
    ...needsAPerson(state).flatMap((turn) => ['', ...failureReport(turn, now)]),
    '',
    ...steeringLines(state),
    ...actingLines(view, now),
    ...desiredLines(state),
    ...otherRunLines(view.others),
  ];
}

/** Those that failed or were left by a gate have a report below the table. */
function isReported({ rank }: ScreenRow): boolean {
  return rank === 1 || rank === 2;
}

/** The same for programs: additions to it are possible, nothing is renamed. */
export function statusJson(view: RunStatusView): Readonly<Record<string, unknown>> {
  const { state, actor, lease, others } = view;
  const { name, uid, isDeleted, spec, status } = state;
  return {
    name,
    uid,
    isDeleted,
    spec,
    status,
    turns: turnsInOrder(state),
    actor: actorJson(actor, lease),
    openRequests: openRequests(state),
    otherRuns: others.map((other) => ({ name: other.name, phase: other.phase })),
  };
}

function steeringLines({ status: { steering } }: RunState): string[] {
  if (steering === undefined) return [];
  return [
    `Nodes whose turn is still to come carry the taint ${plainText(steering.taint)}: pods move rather to others.`,
  ];
}

function actingLines({ state, actor, lease }: RunStatusView, now: number): string[] {
  const text = actorText(actor, now);
  const line = `Lease ${lease}: ${text}.`;
  const isAtWork = actor.kind === 'alive' || actor.kind === 'unknown';
  const isOver = ['Completed', 'Superseded'].includes(state.status.phase);
  if (isAtWork || isOver) return [line];
  const rehearse = state.spec.rehearsal ? ' --rehearse' : '';
  return [
    line,
    `To go on, start \`turnus run -f PLAYBOOK${rehearse}\` (playbook ${plainText(state.spec.playbook.name)}).`,
  ];
}

function desiredLines(state: RunState): string[] {
  const { spec, status } = state;
  const desired = readDesired(spec);
  const reason = desired.reason === undefined ? '' : `: ${plainText(desired.reason)}`;
  const wanted =
    desired.state === 'Run' ? [] : [`Wanted is ${desired.state}, by ${plainText(desired.by ?? 'somebody')}${reason}`];
  const open = openRequests(state);
  const invalid = status.conditions?.find(({ type }) => type === 'DesiredInvalid');
  const problems = invalid?.status === 'True' ? [plainText(invalid.message)] : desired.problems.map(plainText);
  return [
    ...wanted,
    ...(open.length === 0 ? [] : ['Asked for and not yet answered:']),
    ...open.map(({ id, verb, node, by }) => {
      const what = [verb, ...(node === undefined ? [] : [node])].map(plainText).join(' ');
      return `  ${what}, by ${plainText(by ?? 'somebody')} (request ${plainText(id)})`;
    }),
    ...problems.map((problem) => `DesiredInvalid: ${problem}`),
  ];
}

/** As many as have room; kubectl lists them all. */
const othersShown = 10;

function otherRunLines(others: RunStatusView['others']): string[] {
  if (others.length === 0) return [];
  const shown = others.slice(0, othersShown);
  const more = others.length - shown.length;
  return [
    '',
    'Other runs:',
    ...table(shown.map(({ name, phase }) => [`  ${plainText(name)}`, plainText(phase)])),
    ...(more === 0 ? [] : [`  and ${String(more)} more: kubectl get maintenanceruns -A`]),
  ];
}

function actorJson(actor: LeaseSight, lease: string): Readonly<Record<string, unknown>> {
  switch (actor.kind) {
    case 'free':
      return { lease, kind: actor.kind };
    case 'alive':
    case 'silent':
      return {
        lease,
        kind: actor.kind,
        holder: actor.holder,
        ...(actor.renewedAt === undefined ? {} : { renewedAt: new Date(actor.renewedAt).toISOString() }),
      };
    case 'unknown':
      return { lease, kind: actor.kind, message: actor.failure.message };
  }
}
