import { Writable } from 'node:stream';
import type { LeaseSight } from '../cluster/leaseSight.js';
import type { RunState } from '../run/state.js';
import type { Clock } from '../time/clock.js';
import { actorText } from './actorText.js';
import { openLiveView, type LiveView, type Terminal } from './liveView.js';
import { printable } from './plainText.js';
import { runLines } from './runLines.js';
import { runScreen } from './runScreen.js';
import { runSummary } from './runSummary.js';
import { clockText } from './timeText.js';
import { waitCollector } from './waitCollector.js';

/** What people see of a run; from {@link openRunConsole} to `end` it alone writes to the stream. */
export interface RunConsole {
  /** A message for people. */
  readonly log: (line: string) => void;
  /** The run has changed. */
  readonly change: (state: RunState) => void;
  /** What the Lease says about who acts; a screen shows it. */
  actor(sight: LeaseSight): void;
  /** Lines that are written to it are logged: for code that knows a stream only. */
  readonly stream: Writable;
  /** The last screen stays. With a state, the summary follows. Messages may still be logged. */
  end(state?: RunState): void;
}

export interface RunConsoleOptions {
  /** Where people's messages go. */
  readonly stream: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where data is written meanwhile. A terminal that shows both is not drawn on. */
  readonly data?: Writable & { readonly isTTY?: boolean };
}

/** On a terminal a live screen; elsewhere, with TERM=dumb and in CI one line a change. */
export function openRunConsole(options: RunConsoleOptions): RunConsole {
  const { stream, env, clock } = options;
  const waits = waitCollector();
  const colour = isColourWanted(stream, env);
  let live: LiveView | undefined;
  let latest: RunState | undefined;
  let sight: LeaseSight | undefined;
  let hasEnded = false;

  const log = (line: string) => {
    if (live === undefined) stream.write(`${printable(line)}\n`);
    else live.log(line);
  };
  const clockNow = () => clockText(new Date(clock.now()).toISOString());
  const draw: Parameters<typeof openLiveView>[0]['draw'] = (size) =>
    latest === undefined ? [] : runScreen(latest, { ...size, colour, now: clock.now(), actor: sight });

  return {
    log,
    change(state) {
      if (hasEnded) return;
      waits.observe(state, clock.now());
      const before = latest;
      latest = state;
      if (isDrawnOn(options)) {
        if (live === undefined) live = openLiveView({ stream, clock, draw });
        live.redraw();
        return;
      }
      for (const line of runLines(before, state)) log(`${clockNow()} ${line}`);
    },
    actor(seen) {
      const before = sight;
      sight = seen;
      if (isDrawnOn(options)) live?.redraw();
      else if (before === undefined || isOtherActor(before, seen)) log(`${clockNow()} ${actorText(seen, clock.now())}`);
    },
    stream: lineStream(log),
    end(state) {
      if (hasEnded) return;
      hasEnded = true;
      latest = state ?? latest;
      live?.done();
      if (state === undefined) return;
      const now = clock.now();
      log('');
      for (const line of runSummary(state, { longestWaits: waits.longest(3, now), now })) log(line);
    },
  };
}

function isDrawnOn({ stream, env, data }: RunConsoleOptions): boolean {
  return stream.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']) && data?.isTTY !== true;
}

function isOtherActor(before: LeaseSight, now: LeaseSight): boolean {
  const holderOf = (sight: LeaseSight) => ('holder' in sight ? sight.holder : '');
  return before.kind !== now.kind || holderOf(before) !== holderOf(now);
}

/** NO_COLOR (no-color.org) stands above FORCE_COLOR, as with picocolors. */
export function isColourWanted(stream: Terminal, env: RunConsoleOptions['env']): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '') return isSet(env['FORCE_COLOR']);
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

function isSet(value: string | undefined): boolean {
  return !['', '0', 'false'].includes(value ?? '');
}

function lineStream(log: (line: string) => void): Writable {
  let rest = '';
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, callback) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) log(line);
      callback();
    },
    final(callback) {
      if (rest !== '') log(rest);
      callback();
    },
  });
}
