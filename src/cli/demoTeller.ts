import picocolors from 'picocolors';
import { wrapText } from '../console/fitText.js';
import type { Terminal } from '../console/liveView.js';
import { isColourWanted } from '../console/runConsole.js';
import type { CommandIo } from './io.js';

/** What the demo says between the commands. */
export interface DemoTeller {
  title(text: string): void;
  /** Wrapped to the terminal. */
  text(text: string): void;
  /** The command that is run next, as a user would type it. */
  command(line: string): void;
  lines(lines: readonly string[]): void;
  /** Time to read, where somebody reads along. */
  pause(durationMs: number): Promise<void>;
}

/** Longer lines are hard to read. */
const widest = 100;

export function demoTeller(io: CommandIo, how: { readonly isFast: boolean; readonly signal: AbortSignal }): DemoTeller {
  const terminal: Terminal = io.stdout;
  const paint = picocolors.createColors(isColourWanted(terminal, io.env));
  const lines = (all: readonly string[]) => {
    for (const line of all) terminal.write(`${line}\n`);
  };
  const wrapped = (text: string) => wrapText(text, Math.min(widest, (terminal.columns ?? 0) || 80));
  return {
    lines,
    title(text) {
      lines(['', ...wrapped(text).map(paint.bold)]);
    },
    text(text) {
      lines(text === '' ? [''] : wrapped(text));
    },
    command(line) {
      lines([paint.cyan(`$ ${line}`), '']);
    },
    async pause(durationMs) {
      how.signal.throwIfAborted();
      if (!how.isFast && terminal.isTTY === true) await io.clock.sleep(durationMs, how.signal);
    },
  };
}
