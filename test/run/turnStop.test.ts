import { describe, expect, it } from 'vitest';
import type { TurnStatus } from '../../src/run/state.js';
import { AbortRequested, openTurnStop } from '../../src/run/turnStop.js';

function stopOf(status: TurnStatus): {
  stop: AbortController;
  abort: AbortController;
  abortNow: AbortController;
  turn: ReturnType<typeof openTurnStop>;
} {
  const [stop, abort, abortNow] = [new AbortController(), new AbortController(), new AbortController()];
  const turn = openTurnStop({ stop: stop.signal, abort: abort.signal, abortNow: abortNow.signal }, () => status);
  return { stop, abort, abortNow, turn };
}

const untouched: TurnStatus = { phase: 'Draining' };
const touched: TurnStatus = { phase: 'Updating', touchedBefore: true };

describe('a turn', () => {
  it('whose host is untouched is ended by abort', () => {
    const { abort, turn } = stopOf(untouched);
    abort.abort(new AbortRequested({ now: false, by: 'anna' }));
    expect(turn.signal.reason).toMatchObject({ name: 'AbortRequested', now: false, message: 'abort by anna' });
  });

  it.each<TurnStatus>([touched, { phase: 'Settling' }])('in %j is not ended by abort', (status) => {
    const { abort, turn } = stopOf(status);
    abort.abort(new AbortRequested({ now: false, by: 'anna' }));
    expect(turn.signal.aborted).toBe(false);
  });

  it('begun while the run is aborted already is ended before it acts', () => {
    const abort = AbortSignal.abort(new AbortRequested({ now: false, by: undefined }));
    const { signal: none } = new AbortController();
    expect(openTurnStop({ stop: none, abort, abortNow: none }, () => untouched).signal.aborted).toBe(true);
  });

  it.each([untouched, touched])('in %j is ended by abort --now and by a stop of the process', (status) => {
    for (const name of ['abortNow', 'stop'] as const) {
      const all = stopOf(status);
      all[name].abort(new Error(name));
      expect(all.turn.signal.aborted).toBe(true);
    }
  });

  it('that has ended hears no more', () => {
    const { stop, turn } = stopOf(untouched);
    turn.close();
    stop.abort();
    expect(turn.signal.aborted).toBe(false);
  });
});
