import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLiveView } from '../../src/console/liveView.js';
import { FakeTerminal } from './fakeTerminal.js';
import type { Narrowing } from './screenModel.js';
import { waitingClock } from './waitingClock.js';

const startsAt = Date.parse('2026-11-10T22:00:00.000Z');

/** A view of numbered lines: how many, and which number, is up to the test. */
function viewOn(size: { columns: number; rows: number; narrowing?: Narrowing }) {
  const terminal = new FakeTerminal(size);
  const clock = waitingClock(startsAt);
  const shown = { count: 3, number: 0, width: 0 };
  const frame = ({ columns, rows }: { columns: number; rows: number }): string[] =>
    Array.from({ length: Math.min(shown.count, rows) }, (_, index) =>
      `frame ${String(shown.number)} line ${String(index)} ${'='.repeat(Math.max(shown.width, 0))}`
        .slice(0, columns)
        .trimEnd(),
    );
  const view = openLiveView({ stream: terminal, clock, draw: frame });
  const expected = () => frame({ columns: terminal.columns, rows: terminal.rows - 1 });
  return { terminal, clock, view, shown, expected };
}

describe('a live view', () => {
  it('is drawn again in place', () => {
    const { terminal, view, shown } = viewOn({ columns: 40, rows: 10 });
    terminal.write('$ turnus run\n');
    view.redraw();
    shown.number = 1;
    view.redraw();
    expect(terminal.screen.lines()).toEqual(['$ turnus run', 'frame 1 line 0', 'frame 1 line 1', 'frame 1 line 2']);
    view.done();
  });

  it('leaves nothing of a line that is gone or became shorter', () => {
    const { terminal, view, shown } = viewOn({ columns: 40, rows: 10 });
    shown.count = 5;
    shown.width = 10;
    view.redraw();
    shown.count = 2;
    shown.width = 0;
    view.redraw();
    expect(terminal.screen.lines()).toEqual(['frame 0 line 0', 'frame 0 line 1']);
    view.done();
  });

  it('is drawn each second by itself, until it is done', async () => {
    const { terminal, clock, view, shown } = viewOn({ columns: 40, rows: 10 });
    view.redraw();
    shown.number = 1;
    await clock.advance(999);
    expect(terminal.screen.lines()[0]).toBe('frame 0 line 0');
    await clock.advance(1);
    expect(terminal.screen.lines()[0]).toBe('frame 1 line 0');
    view.done();
    const { length } = terminal.text;
    await clock.advance(5000);
    view.redraw();
    expect(terminal.text).toHaveLength(length);
  });

  it('lets messages stand above it, in their order, the long ones broken by the terminal', () => {
    const { terminal, view } = viewOn({ columns: 20, rows: 12 });
    view.redraw();
    view.log('warning: one');
    view.log('warning: a long message of the server');
    expect(terminal.screen.lines()).toEqual([
      'warning: one',
      'warning: a long mess',
      'age of the server',
      'frame 0 line 0',
      'frame 0 line 1',
      'frame 0 line 2',
    ]);
    view.done();
  });

  it('stays at the end, and messages stand below it', () => {
    const { terminal, view } = viewOn({ columns: 40, rows: 10 });
    view.redraw();
    view.done();
    view.log('Run monthly-2026-11: 3 of 3 done.');
    expect(terminal.screen.lines()).toEqual([
      'frame 0 line 0',
      'frame 0 line 1',
      'frame 0 line 2',
      'Run monthly-2026-11: 3 of 3 done.',
    ]);
  });

  it('lets no message act on the terminal', () => {
    const { terminal, view } = viewOn({ columns: 40, rows: 10 });
    view.redraw();
    view.log('admission webhook said \u001b[2J\u001b[1;1Hnothing\r\u0007');
    expect(terminal.screen.lines()[0]).toBe('admission webhook said nothing');
    view.done();
  });

  it('needs nothing to be restored whenever the process ends', () => {
    const { terminal, view } = viewOn({ columns: 40, rows: 10 });
    view.redraw();
    view.log('a message');
    expect(terminal.screen.cursor).toEqual({ row: 4, column: 0, shown: true, wraps: true });
    view.done();
  });

  it('never takes the last row, so that it does not scroll', () => {
    const { terminal, view, shown, expected } = viewOn({ columns: 40, rows: 6 });
    shown.count = 50;
    for (let number = 0; number < 5; number += 1) {
      shown.number = number;
      view.redraw();
    }
    expect(terminal.screen.scrolledOff).toEqual([]);
    expect(terminal.screen.lines()).toEqual(expected());
    expect(terminal.screen.lines()).toHaveLength(5);
    view.done();
  });

  it.each<Narrowing>(['reflow', 'cut'])('is whole again when the window became narrower (%s) or wider', (narrowing) => {
    const { terminal, view, shown, expected } = viewOn({ columns: 60, rows: 12, narrowing });
    shown.width = 60;
    terminal.write('$ turnus run\n');
    view.redraw();
    terminal.resize(25, 12);
    expect(terminal.screen.lines().slice(-3)).toEqual(expected());
    expect(terminal.everything().filter((line) => line.startsWith('frame'))).toHaveLength(3);
    terminal.resize(80, 20);
    expect(terminal.screen.lines().slice(-3)).toEqual(expected());
    expect(terminal.everything().filter((line) => line.startsWith('frame'))).toHaveLength(3);
    view.done();
  });

  it('is not broken by a line that is too wide, because the window became narrower a moment ago', () => {
    const terminal = new FakeTerminal({ columns: 10, rows: 6 });
    const view = openLiveView({
      stream: terminal,
      clock: waitingClock(startsAt),
      draw: () => ['0123456789abc', 'second'],
    });
    view.redraw();
    view.redraw();
    expect(terminal.screen.lines()).toEqual(['0123456789', 'second']);
    view.done();
  });

  it('asks for a size where the terminal does not know its own', () => {
    const terminal = new FakeTerminal({ columns: 80, rows: 24 });
    terminal.columns = 0;
    terminal.rows = 0;
    const sizes: unknown[] = [];
    const view = openLiveView({
      stream: terminal,
      clock: waitingClock(startsAt),
      draw: (size) => {
        sizes.push(size);
        return [];
      },
    });
    view.redraw();
    expect(sizes).toEqual([{ columns: 80, rows: 23 }]);
    view.done();
  });
});

type Act =
  | { readonly kind: 'change'; readonly count: number; readonly width: number }
  | { readonly kind: 'log'; readonly length: number }
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    kind: fc.constant('change' as const),
    count: fc.integer({ min: 0, max: 30 }),
    width: fc.integer({ min: 0, max: 100 }),
  }),
  fc.record({ kind: fc.constant('log' as const), length: fc.integer({ min: 0, max: 200 }) }),
  fc.record({
    kind: fc.constant('resize' as const),
    columns: fc.integer({ min: 10, max: 120 }),
    rows: fc.integer({ min: 3, max: 40 }),
  }),
);

describe('whatever happens, the terminal', () => {
  it('ends with the view, whole and once, and every message stands above it', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const { terminal, view, shown, expected } = viewOn({ columns: 80, rows: 24 });
        const messages: string[] = [];
        view.redraw();
        for (const [place, step] of acts.entries()) {
          shown.number += 1;
          switch (step.kind) {
            case 'change':
              shown.count = step.count;
              shown.width = step.width;
              view.redraw();
              break;
            case 'log':
              messages.push(`<${String(place)}${'-'.repeat(step.length)}>`);
              view.log(messages.at(-1) ?? '');
              break;
            case 'resize':
              terminal.resize(step.columns, step.rows);
          }
          const frame = expected();
          const seen = terminal.screen.lines();
          expect(frame.length === 0 ? [] : seen.slice(-frame.length)).toEqual(frame);
          expect(terminal.screen.lines().filter((line) => line.startsWith('frame'))).toHaveLength(frame.length);
        }
        const text = terminal.everything().join('');
        for (const message of messages) expect(text).toContain(message);
        view.done();
      }),
      { numRuns: 200 },
    );
  });
});
