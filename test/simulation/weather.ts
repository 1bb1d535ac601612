import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { Timeline } from '../../src/sandbox/timeline.js';

/** How the API server and the network answer a call. */
export type ApiWeather = 'fine' | 'throttled' | 'error' | 'unreachable' | 'lost' | 'slow';

/** What the network and the servers do to calls at this moment. */
export interface Weather {
  /** What becomes of the next call to the API. */
  ofCall(): ApiWeather;
  /** Nobody reaches the API. */
  readonly isApiDown: boolean;
  /** How much later than usual the events of watches come. */
  readonly watchLagMs: number;
  /** Calls the listener when every watch ends (`end`) or breaks (`error`); the answer takes that back. */
  whenWatchesBreak(listener: (how: 'end' | 'error') => void): () => void;
  /** For how long this host will not answer any more; 0 where it does. */
  hostHangsMs(node: string): number;
  hostLosesAnswers(node: string): boolean;
}

/** The weather, and what makes it. Windows may overlap. */
export interface ChangingWeather extends Weather {
  answer(window: {
    readonly forMs: number;
    readonly answer: Exclude<ApiWeather, 'fine'>;
    readonly share: number;
  }): void;
  apiDown(forMs: number): void;
  lagWatches(window: { readonly forMs: number; readonly byMs: number }): void;
  breakWatches(how: 'end' | 'error'): void;
  hangHost(node: string, forMs: number): void;
  loseAnswers(node: string, forMs: number): void;
}

/** Fine weather, until it is told otherwise. */
export function changingWeather(timeline: Timeline, random: SeededRandom): ChangingWeather {
  const answers: { readonly answer: ApiWeather; readonly share: number }[] = [];
  const lags: number[] = [];
  const listeners = new Set<(how: 'end' | 'error') => void>();
  const hangsUntil = new Map<string, number>();
  const losesUntil = new Map<string, number>();
  let outages = 0;
  let watchLagMs = 0;

  const breakWatches = (how: 'end' | 'error') => {
    for (const listener of [...listeners]) listener(how);
  };
  const during = <T>(list: T[], entry: T, forMs: number) => {
    list.push(entry);
    timeline.after(forMs, () => {
      list.splice(list.indexOf(entry), 1);
    });
  };

  return {
    ofCall() {
      if (outages > 0) return 'unreachable';
      for (const { answer, share } of answers) if (random.chance(share)) return answer;
      return 'fine';
    },
    get isApiDown() {
      return outages > 0;
    },
    get watchLagMs() {
      return watchLagMs;
    },
    whenWatchesBreak(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    hostHangsMs: (node) => Math.max(0, (hangsUntil.get(node) ?? 0) - timeline.now()),
    hostLosesAnswers: (node) => (losesUntil.get(node) ?? 0) > timeline.now(),

    answer: ({ forMs, answer, share }) => {
      during(answers, { answer, share }, forMs);
    },
    apiDown(forMs) {
      outages += 1;
      timeline.after(forMs, () => {
        outages -= 1;
      });
      breakWatches('error');
    },
    lagWatches({ forMs, byMs }) {
      during(lags, byMs, forMs);
      watchLagMs = Math.max(...lags);
      timeline.after(forMs, () => {
        watchLagMs = Math.max(0, ...lags);
      });
    },
    breakWatches,
    hangHost(node, forMs) {
      hangsUntil.set(node, Math.max(hangsUntil.get(node) ?? 0, timeline.now() + forMs));
    },
    loseAnswers(node, forMs) {
      losesUntil.set(node, Math.max(losesUntil.get(node) ?? 0, timeline.now() + forMs));
    },
  };
}
