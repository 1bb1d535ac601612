import { stripVTControlCharacters } from 'node:util';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { isColourWanted, openRunConsole, type RunConsoleOptions } from '../../src/console/runConsole.js';
import { runState } from '../run/runFixtures.js';
import { FakeTerminal } from './fakeTerminal.js';
import { waitingClock } from './waitingClock.js';

const startsAt = Date.parse('2026-11-10T22:00:00.000Z');
const waits = { what: 'budget shop/cart', since: '2026-11-10T22:00:00.000Z' };

class KeptText extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk.toString('utf8');
    callback();
  }
}

function consoleOn(stream: RunConsoleOptions['stream'], options: Partial<RunConsoleOptions> = {}) {
  const clock = waitingClock(startsAt);
  return { clock, view: openRunConsole({ stream, clock, env: {}, ...options }) };
}

describe('the console without a terminal', () => {
  it('says one line a change, with its time, and the summary at the end', async () => {
    const stream = new KeptText();
    const { view, clock } = consoleOn(stream);
    view.change(runState({ n1: 'Pending' }));
    view.change(runState({ n1: { phase: 'Draining', waitingFor: waits } }));
    await clock.advance(65_000);
    view.log('warning: pods cannot be followed');
    view.change(runState({ n1: 'Done' }));
    view.end(runState({ n1: 'Done' }, { phase: 'Completed' }));
    view.log('Run monthly-2026-11: 1 of 1 done.');
    expect(stream.text.split('\n')).toEqual([
      '22:00:00Z run monthly-2026-11: Running',
      '22:00:00Z n1: Draining',
      '22:00:00Z n1: waiting: budget shop/cart',
      'warning: pods cannot be followed',
      '22:01:05Z n1: Done',
      '',
      'NODE  PHASE  DURATION  DRAIN  UPDATE  REBOOT  VERIFY  EVICTIONS',
      'n1    Done   -         -      -       -       -       -',
      '',
      'Longest waits:',
      '  1 min 5 s: n1: budget shop/cart',
      'Run monthly-2026-11: 1 of 1 done.',
      '',
    ]);
  });

  it('says who acts when that changes', () => {
    const stream = new KeptText();
    const { view } = consoleOn(stream);
    view.actor({ kind: 'alive', holder: 'anna', renewedAt: startsAt - 2000 });
    view.actor({ kind: 'alive', holder: 'anna', renewedAt: startsAt - 1000 });
    view.actor({ kind: 'free' });
    expect(stream.text.split('\n')).toEqual([
      '22:00:00Z anna is at work (last seen 2 s ago)',
      '22:00:00Z no actor is at work',
      '',
    ]);
  });

  it.each([
    ['TERM=dumb', { env: { TERM: 'dumb' } }],
    ['CI', { env: { CI: 'true' } }],
    ['data on the same terminal', { data: new FakeTerminal({ columns: 80, rows: 24 }) }],
  ])('is what a terminal has too with %s', (_name, options) => {
    const terminal = new FakeTerminal({ columns: 80, rows: 24 });
    const { view } = consoleOn(terminal, options);
    view.change(runState({ n1: 'Draining' }));
    expect(terminal.text).toBe('22:00:00Z run monthly-2026-11: Running\n22:00:00Z n1: Draining\n');
  });
});

describe('the console on a terminal', () => {
  it('draws the run below what is logged, whoever logs it, and leaves the last screen above the summary', () => {
    const terminal = new FakeTerminal({ columns: 80, rows: 24 });
    const { view } = consoleOn(terminal);
    view.log('before the first state');
    view.change(runState({ n1: 'Draining' }));
    view.log('by the console');
    view.stream.write('by a str');
    view.stream.write('eam\nand more\n');
    view.change(runState({ n1: 'Done' }));
    view.end(runState({ n1: 'Done' }, { phase: 'Completed' }));
    const firstWords = terminal.screen.lines().map((line) => line.split(/ {2}|:/)[0]);
    expect(firstWords).toEqual([
      'before the first state',
      'by the console',
      'by a stream',
      'and more',
      'Run monthly-2026-11',
      '1 of 1 done, 0 failed, 0 blocked, 0 left',
      'asked for by anna@bank.example',
      '',
      'NODE',
      'n1',
      '',
      'NODE',
      'n1',
    ]);
  });

  it('does nothing more after its end, whatever still changes', async () => {
    const terminal = new FakeTerminal({ columns: 80, rows: 24 });
    const { view, clock } = consoleOn(terminal);
    view.change(runState({ n1: 'Draining' }));
    view.end();
    const { text } = terminal;
    view.change(runState({ n1: 'Done' }));
    view.end(runState({ n1: 'Done' }));
    await clock.advance(10_000);
    expect(terminal.text).toBe(text);
  });

  it('shows who acts, as the Lease says', () => {
    const terminal = new FakeTerminal({ columns: 80, rows: 24 });
    const { view } = consoleOn(terminal);
    view.change(runState({ n1: 'Draining' }));
    view.actor({ kind: 'free' });
    expect(terminal.screen.lines()[2]).toBe('no actor is at work; asked for by anna@bank.example');
    view.end();
  });
});

describe('colour', () => {
  const terminal = new FakeTerminal({ columns: 80, rows: 24 });
  const pipe = new KeptText();

  it.each([
    ['a terminal', terminal, {}, true],
    ['a terminal with NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, false],
    ['a terminal with FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
    ['no terminal', pipe, {}, false],
    ['no terminal with FORCE_COLOR', pipe, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR against NO_COLOR', terminal, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('on %s', (_name, stream, env, wanted) => {
    expect(isColourWanted(stream, env)).toBe(wanted);
  });

  it('changes nothing that is read', () => {
    const texts = [{}, { NO_COLOR: '1' }].map((env) => {
      const stream = new FakeTerminal({ columns: 80, rows: 24 });
      const { view } = consoleOn(stream, { env });
      view.change(runState({ n1: 'Draining', n2: 'Failed', n3: 'Done', n4: 'Blocked', n5: 'Pending' }));
      view.end();
      return stream.text;
    });
    expect(texts[0]).not.toBe(texts[1]);
    expect(stripVTControlCharacters(texts[0] ?? '').replaceAll(/ +$/gm, '')).toBe(
      stripVTControlCharacters(texts[1] ?? '').replaceAll(/ +$/gm, ''),
    );
  });
});
