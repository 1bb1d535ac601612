import picocolors from 'picocolors';
import type { LeaseSight } from '../cluster/leaseSight.js';
import type { RunState } from '../run/state.js';
import { cutText } from './fitText.js';
import { runHeader } from './runHeader.js';
import { linesBelow, rowLine, screenColumns, screenHead, screenRow, type ScreenRow } from './screenRows.js';
import { turnsInOrder } from './turnsInOrder.js';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ScreenOptions extends ScreenSize {
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  readonly colour: boolean;
  /** What the Lease says about who acts; absent: what the run's status says. */
  readonly actor?: LeaseSight | undefined;
}

/**
 * A run on one screen: at most `rows` lines of at most `columns` columns. Where there is no room for all nodes, those in
 * work and those that failed come first, then the next ones; the others are counted.
 */
export function runScreen(state: RunState, options: ScreenOptions): string[] {
  const { columns, rows } = options;
  const paint = picocolors.createColors(options.colour);
  const header = runHeader(state, options).slice(0, Math.max(1, Math.floor(rows / 4)));
  const lines = header.map((line, place) => (place === 0 ? paint.bold : String)(cutText(line, columns)));
  if (rows >= 14) lines.push('');

  const turns = turnsInOrder(state).map((turn) => screenRow(turn, options.now));
  if (turns.length === 0) return lines;
  const widths = screenColumns(turns, columns);
  if (rows >= 8) lines.push(paint.dim(rowLine(screenHead, widths, String)));
  const { shown, below, more } = chosen(turns, rows - lines.length, (row) => linesBelow(row, widths, columns));
  for (const row of shown) {
    lines.push(rowLine(row, widths, phasePaint(paint, row)));
    for (const line of below.get(row) ?? []) lines.push(paint.dim(line));
  }
  if (more.length > 0) lines.push(paint.dim(cutText(moreText(more), columns)));
  return lines;
}

interface Chosen {
  readonly shown: readonly ScreenRow[];
  readonly below: ReadonlyMap<ScreenRow, readonly string[]>;
  readonly more: readonly ScreenRow[];
}

/** What fits into so many lines: all in the run's order, or the most important ones and a line that counts the others. */
function chosen(rows: readonly ScreenRow[], lines: number, below: (row: ScreenRow) => string[]): Chosen {
  const byRank = [...rows].sort((one, other) => one.rank - other.rank);
  const fitsAll = rows.length <= lines;
  let left = fitsAll ? lines - rows.length : Math.max(0, lines - 1);
  const shown = fitsAll ? [...rows] : [];
  const told = new Map<ScreenRow, readonly string[]>();
  const show = (wanted: readonly ScreenRow[]) => {
    const some = wanted.slice(0, left);
    left -= some.length;
    shown.push(...some);
  };
  const urgent = byRank.filter(({ rank }) => rank <= 1);
  if (!fitsAll) show(urgent);
  for (const row of urgent.filter((candidate) => shown.includes(candidate))) {
    const lines = below(row).slice(0, left);
    left -= lines.length;
    told.set(row, lines);
  }
  if (!fitsAll) show(byRank.filter(({ rank }) => rank > 1));
  const seen = new Set(shown);
  return { shown, below: told, more: lines < 1 ? [] : rows.filter((row) => !seen.has(row)) };
}

function moreText(rows: readonly ScreenRow[]): string {
  const counts = new Map<string, number>();
  for (const { phase } of rows) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  const parts = [...counts].map(([phase, count]) => `${String(count)} ${phase}`);
  return `and ${String(rows.length)} more: ${parts.join(', ')}`;
}

function phasePaint(paint: ReturnType<typeof picocolors.createColors>, { rank, phase }: ScreenRow) {
  switch (rank) {
    case 0:
      return paint.cyan;
    case 1:
      return paint.red;
    case 2:
      return paint.yellow;
    case 3:
      return paint.dim;
    case 4:
      return phase === 'Done' ? paint.green : paint.dim;
  }
}
