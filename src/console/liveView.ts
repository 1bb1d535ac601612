import type { Writable } from 'node:stream';
import type { Clock } from '../time/clock.js';
import { rowsTaken } from './fitText.js';
import { printable } from './plainText.js';
import type { ScreenSize } from './runScreen.js';

/** A stream that may be a terminal, as process.stderr is. */
export type Terminal = Writable & {
  readonly isTTY?: boolean;
  /** 0 where the terminal does not know its size. */
  readonly columns?: number;
  readonly rows?: number;
};

export interface LiveView {
  /** Writes a line above what is drawn. */
  log(line: string): void;
  /** Draws anew. */
  redraw(): void;
  /** Draws for the last time; what is drawn stays. Lines may be logged afterwards. */
  done(): void;
}

const escape = '\u001b[';
/** Private modes: draw all at once (2026, terminals that do not know it ignore it), and cut what is too wide (7). */
const [beginFrame, endFrame] = [`${escape}?2026h`, `${escape}?2026l`];
const [wrapOff, wrapOn] = [`${escape}?7l`, `${escape}?7h`];
const eraseLine = `${escape}2K`;
const eraseBelow = `${escape}J`;

const redrawEveryMs = 1000;

/**
 * A view that is drawn in place, below whatever was written before: at each call, each second, and when the terminal
 * changes its size. The cursor always rests, visible, on the empty row below; whenever the process ends, nothing of the
 * terminal has to be restored.
 */
export function openLiveView(options: {
  readonly stream: Terminal;
  readonly clock: Clock;
  readonly draw: (size: ScreenSize) => readonly string[];
}): LiveView {
  const { stream, clock, draw } = options;
  const ending = new AbortController();
  /** Without colours, as they stand on the screen. */
  let drawn: readonly string[] = [];

  const size = (): ScreenSize => ({
    columns: positive(stream.columns) ?? 80,
    rows: Math.max(1, (positive(stream.rows) ?? 24) - 1),
  });

  /** To the first row that is drawn. A terminal that became narrower has broken wider lines into several rows. */
  const toTop = (): string => {
    const { columns, rows } = size();
    const taken = drawn.reduce((sum, line) => sum + rowsTaken(line, columns), 0);
    const up = Math.min(taken, rows);
    return up === 0 ? '\r' : `${escape}${String(up)}A\r`;
  };

  const frame = (): string => {
    const { columns, rows } = size();
    const lines = draw({ columns, rows }).slice(0, rows);
    drawn = lines.map(printable);
    return `${wrapOff}${lines.map((line) => `${eraseLine}${line}\n`).join('')}${wrapOn}${eraseBelow}`;
  };

  const redraw = () => {
    if (ending.signal.aborted) return;
    stream.write(`${beginFrame}${toTop()}${frame()}${endFrame}`);
  };

  /** Erases what is drawn, writes the text in its place, and draws anew below it. */
  const redrawBelow = (text: string) => {
    stream.write(`${beginFrame}${toTop()}${eraseBelow}${text}${frame()}${endFrame}`);
  };

  const onResize = () => {
    redrawBelow('');
  };

  const drawEachSecond = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(redrawEveryMs, ending.signal);
      redraw();
    }
  };
  stream.on('resize', onResize);
  // It ends with the view; a fault in `draw` is met, and told, at the next redraw.
  drawEachSecond().catch(() => undefined);

  return {
    redraw,
    log(line) {
      const text = `${printable(line)}\n`;
      if (ending.signal.aborted) stream.write(text);
      else redrawBelow(text);
    },
    done() {
      redraw();
      ending.abort(new Error('the view has ended'));
      stream.off('resize', onResize);
    },
  };
}

function positive(count: number | undefined): number | undefined {
  return count === undefined || count < 1 ? undefined : count;
}
