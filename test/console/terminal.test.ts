import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ScreenModel } from './screenModel.js';

const program = fileURLToPath(new URL('./terminalProgram.ts', import.meta.url));
/** util-linux: runs a command on a pseudo terminal. */
const script = ['/usr/bin/script', '/bin/script'].find((path) => existsSync(path));
if (script === undefined) console.warn('skipped: no pseudo terminal without util-linux (script)');

/** What the program writes to a pseudo terminal of 80 x 24. */
async function onTerminal(args: string): Promise<string> {
  const command = `stty cols 80 rows 24; exec ${process.execPath} --import tsx ${program} ${args}`;
  const child = spawn(script ?? '', ['-qfec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', TERM: 'xterm-256color' },
    // An end of the input would be a key press (^D), which the terminal echoes.
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return output;
}

/** The screen after each piece of the output that ends with another size, and at the end. */
function screensOf(output: string): ScreenModel[] {
  const sizeMark = new RegExp(`${String.fromCharCode(27)}\\]777;([0-9]+);([0-9]+)${String.fromCharCode(7)}`);
  const parts = output.split(sizeMark);
  const screens: ScreenModel[] = [];
  for (let until = 1; until <= parts.length; until += 3) {
    const screen = new ScreenModel({ columns: 80, rows: 24 });
    for (let place = 0; place < until; place += 3) {
      if (place > 0) screen.resize(Number(parts[place - 2]), Number(parts[place - 1]));
      screen.write(parts[place] ?? '');
    }
    screens.push(screen);
  }
  return screens;
}

describe.skipIf(script === undefined)('a run on a real terminal', () => {
  it('is one whole screen below its messages, at each size, and stays at the end with the summary', async () => {
    const [first, narrow, wide, last] = screensOf(await onTerminal('ended'));
    expect(first?.lines().map((line) => line.slice(0, 30))).toEqual([
      'Plan 0123456789ab: 3 nodes, 3 ',
      'The lease turnus-system/turnus',
      'one is dead.',
      'warning: pods cannot be follow',
      'warning: they are followed aga',
      'Run monthly-2026-11: Running (',
      expect.stringMatching(/^0 of 3 done, 0 failed/),
      'asked for by anna@bank.example',
      '',
      'NODE    PHASE     TIME  PODS L',
      'node-1  Draining  -     9',
      '    waiting: budget shop/cart:',
      expect.stringMatching(/^ {4}\S/),
      expect.stringMatching(/^ {4}\S/),
      'node-2  Pending   -',
      'node-3  Pending   -',
    ]);
    for (const [screen, busy, podsLeft] of [
      [narrow, 'node-2', 4],
      [wide, 'node-3', 1],
    ] as const) {
      const lines = screen?.lines() ?? [];
      expect(lines.filter((line) => line.startsWith('Run monthly-2026-11: Running'))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('NODE'))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('node-'))).toHaveLength(3);
      expect(lines.find((line) => line.startsWith(busy))).toMatch(new RegExp(`Draining +- +${String(podsLeft)}`));
    }
    const text = [...(last?.scrolledOff ?? []), ...(last?.lines() ?? [])].join('\n');
    expect(text).toMatch(
      /Run monthly-2026-11: Failed[^]*node-3 +Failed[^]*NODE +PHASE +DURATION[^]*Node node-3 is Failed/,
    );
    expect(last?.lines().at(-1)).toBe('Run monthly-2026-11 has stopped after a failure.');
  });

  it('leaves the terminal as it was, even where it is killed', async () => {
    const [screen] = screensOf(await onTerminal('killed'));
    expect(screen?.lines().at(-1)).toMatch(/^node-3 +Pending/);
    expect(screen?.cursor).toMatchObject({ column: 0, shown: true, wraps: true });
  });
});
