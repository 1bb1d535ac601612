import stringWidth from 'string-width';
import { isInWork } from '../run/nextTurn.js';
import type { TurnState, TurnStatus } from '../run/state.js';
import { cutText, padText, wrapText } from './fitText.js';
import { plainText } from './plainText.js';
import { spanMs, spanText } from './timeText.js';
import { liveWaitText } from './waitText.js';

/** A turn as a row of the screen shows it. */
export interface ScreenRow {
  readonly node: string;
  readonly phase: string;
  /** In this phase, or of the whole turn where that is over. */
  readonly time: string;
  readonly podsLeft: string;
  /** What it waits for, or what became of it. */
  readonly remark: string;
  readonly rank: Rank;
}

/** Who comes first where there is no room for all: 0 in work, 1 failed, 2 left by a gate, 3 to come, 4 over. */
export type Rank = 0 | 1 | 2 | 3 | 4;

/** Widths of the columns in which rows are drawn; 0: the column is left out. */
export interface ScreenColumns {
  readonly node: number;
  readonly phase: number;
  readonly time: number;
  readonly podsLeft: number;
  readonly remark: number;
}

export const screenHead: ScreenRow = {
  node: 'NODE',
  phase: 'PHASE',
  time: 'TIME',
  podsLeft: 'PODS LEFT',
  remark: '',
  rank: 3,
};

export function screenRow({ node, status }: TurnState, now: number): ScreenRow {
  return {
    node: plainText(node),
    phase: plainText(status.phase),
    time: timeOf(status, now),
    podsLeft: status.podsLeft === undefined ? '' : String(status.podsLeft),
    remark: remarkOf(status, now),
    rank: rankOf(status.phase),
  };
}

/** How wide each column is, so that a row is never wider than `columns`. The narrowest screen has node and phase. */
export function screenColumns(rows: readonly ScreenRow[], columns: number): ScreenColumns {
  const widest = (cell: 'node' | 'phase' | 'time' | 'podsLeft') =>
    Math.max(...[screenHead, ...rows].map((row) => stringWidth(row[cell])));
  const phase = Math.min(widest('phase'), longestPhase, Math.max(1, columns - 6));
  const room = columns - phase - gap;
  const node = Math.min(widest('node'), Math.max(10, Math.floor(columns * 0.4)), room);
  let left = room - node;
  const take = (wanted: number): number => {
    if (wanted + gap > left) return 0;
    left -= wanted + gap;
    return wanted;
  };
  const time = take(widest('time'));
  const podsLeft = rows.some((row) => row.podsLeft !== '') ? take(widest('podsLeft')) : 0;
  const remark = left - gap >= shortestRemark ? left - gap : 0;
  return { node, phase, time, podsLeft, remark };
}

/** The row as one line; `paint` colours the phase. */
export function rowLine(row: ScreenRow, widths: ScreenColumns, paint: (phase: string) => string): string {
  const cells = [padText(row.node, widths.node), paint(padText(row.phase, widths.phase))];
  if (widths.time > 0) cells.push(padText(row.time, widths.time));
  if (widths.podsLeft > 0) cells.push(padText(row.podsLeft, widths.podsLeft));
  if (widths.remark > 0 && fits(row, widths)) cells.push(row.remark);
  else if (widths.remark > 0 && !isTold(row)) cells.push(cutText(row.remark, widths.remark));
  return cells.join(' '.repeat(gap)).trimEnd();
}

/** What stands below the row of a turn that somebody must read whole: [] where the row says it all. */
export function linesBelow(row: ScreenRow, widths: ScreenColumns, columns: number): string[] {
  if (!isTold(row) || (widths.remark > 0 && fits(row, widths))) return [];
  const width = columns - indent.length;
  const lines = wrapText(row.remark, width);
  const shown = lines.slice(0, mostLinesBelow);
  if (lines.length > mostLinesBelow) shown[mostLinesBelow - 1] = `${shown[mostLinesBelow - 1] ?? ''} …`;
  return shown.map((line) => indent + cutText(line, width));
}

function fits(row: ScreenRow, widths: ScreenColumns): boolean {
  return stringWidth(row.remark) <= widths.remark;
}

function isTold(row: ScreenRow): boolean {
  return row.rank <= 1;
}

function rankOf(phase: string): Rank {
  if (isInWork(phase)) return 0;
  switch (phase) {
    case 'Failed':
      return 1;
    case 'Blocked':
    case 'Deferred':
      return 2;
    case 'Done':
    case 'Skipped':
      return 4;
    default:
      return 3;
  }
}

function timeOf(status: TurnStatus, now: number): string {
  if (!isInWork(status.phase)) return spanText(spanMs(status.startedAt, status.finishedAt));
  const step = status.steps?.findLast((candidate) => candidate.phase === status.phase);
  return spanText(spanMs(step?.startedAt, now));
}

function remarkOf(status: TurnStatus, now: number): string {
  if (status.waitingFor !== undefined) return liveWaitText(status.waitingFor, now);
  const message = plainText(status.message ?? '');
  const code = status.failure?.code;
  if (status.phase === 'Pending' && status.retryFrom !== undefined)
    return `a person asked to retry it: goes on at ${plainText(status.retryFrom)}`;
  return status.phase === 'Failed' && code !== undefined ? `${plainText(code)}: ${message}` : message;
}

const gap = 2;
const indent = '    ';
const longestPhase = 'Uncordoning'.length;
/** A narrower remark tells nothing. */
const shortestRemark = 12;
const mostLinesBelow = 3;
