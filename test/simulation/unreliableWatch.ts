import type { ApiFailure, WatchEvent, WatchRequest } from '../../src/cluster/clusterPort.js';
import { travel } from './journey.js';
import { journeyOf, placeOf, type UnreliablePort } from './unreliablePort.js';

/** As the real port asks the server to end a watch: after so many milliseconds, with as much jitter. */
const watchMs = { atLeast: 240_000, jitter: 60_000 };
/** Between two bookmarks; an API server sends one about every minute. */
const bookmarkMs = { atLeast: 45_000, atMost: 75_000 };

/**
 * A watch as an actor meets it: every event comes, in its order, each some time after it happened; each watch has a
 * delay of its own. It ends cleanly after four to five minutes, and with the weather; one that breaks loses what was
 * on its way, as a connection does.
 */
export function unreliableWatch(
  parts: UnreliablePort,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncIterable<WatchEvent> {
  return { [Symbol.asyncIterator]: () => new Watch(parts, request, signal) };
}

type Result = IteratorResult<WatchEvent, undefined>;
const done: Result = { done: true, value: undefined };

class Watch implements AsyncIterator<WatchEvent, undefined> {
  readonly #parts: UnreliablePort;
  readonly #request: WatchRequest;
  readonly #signal: AbortSignal;
  /** What is on its way, and when it is there; undefined: the clean end. */
  #queue: { readonly event: WatchEvent | undefined; readonly at: number }[] = [];
  #lagMs = 0;
  #lastAt = 0;
  #state: 'new' | 'opening' | 'open' | 'over' = 'new';
  #waiting: { resolve: (result: Result) => void; reject: (reason: unknown) => void } | undefined;
  #timer: (() => void) | undefined;
  /** Ends what makes events: the watch of the model, and the timers. */
  readonly #sources: (() => void)[] = [];
  /** Ends listening to the signal and the actor's life. */
  readonly #closers: (() => void)[] = [];

  constructor(parts: UnreliablePort, request: WatchRequest, signal: AbortSignal) {
    this.#parts = parts;
    this.#request = request;
    this.#signal = signal;
  }

  next(): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#state === 'new') this.#open();
      else this.#serve();
    });
  }

  return(): Promise<Result> {
    this.#close();
    return Promise.resolve(done);
  }

  #open(): void {
    const parts = this.#parts;
    const request = this.#request;
    const signal = this.#signal;
    this.#state = 'opening';
    const journey = journeyOf<{ readonly kind: 'ok' } | ApiFailure>(
      parts,
      { verb: 'watch', isOutward: false, ...placeOf(request), request },
      () => {
        this.#arrived();
        return { kind: 'ok' };
      },
    );
    const onAbort = () => {
      this.#fail(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#closers.push(
      () => {
        signal.removeEventListener('abort', onAbort);
      },
      parts.life.whenCrashed(() => {
        this.#close();
      }),
    );
    travel(parts, journey, signal).then(
      (answer) => {
        if (this.#state !== 'opening') return;
        this.#state = 'open';
        if (answer.kind !== 'ok') this.#finish({ type: 'failed', failure: answer });
        else this.#serve();
      },
      (error: unknown) => {
        this.#fail(error);
      },
    );
  }

  /** The server has the request: from now on it sends. */
  #arrived(): void {
    if (this.#state !== 'opening') return;
    const { port, time, random, version, weather } = this.#parts;
    const stopping = new AbortController();
    this.#lagMs = random.between(1, 60);
    this.#sources.push(
      () => {
        stopping.abort(new Error('the watch is over'));
      },
      time.after(watchMs.atLeast + random.between(0, watchMs.jitter), () => {
        this.#finish(undefined);
      }),
      weather.whenWatchesBreak((how) => {
        if (this.#state === 'open') this.#finish(how === 'end' ? undefined : broken);
      }),
    );
    if (version !== undefined && random.chance(0.5)) this.#bookmark(version);
    this.#pump(port.watch(this.#request, stopping.signal), stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) this.#fail(error);
    });
  }

  async #pump(events: AsyncIterable<WatchEvent>, stopped: AbortSignal): Promise<void> {
    for await (const event of events) {
      if (stopped.aborted) return;
      this.#send(event);
      if (event.type === 'failed') return;
    }
    if (!stopped.aborted) this.#send(undefined);
  }

  /** Every event that was before it has been sent: at a timer no promise is left to settle. */
  #bookmark(version: () => string): void {
    const { time, random } = this.#parts;
    let cancel: () => void = () => undefined;
    const again = () => {
      cancel = time.after(random.between(bookmarkMs.atLeast, bookmarkMs.atMost), () => {
        this.#send({ type: 'bookmark', resourceVersion: version() });
        again();
      });
    };
    again();
    this.#sources.push(() => {
      cancel();
    });
  }

  #send(event: WatchEvent | undefined): void {
    const { time, random, weather } = this.#parts;
    const jitterMs = random.chance(0.99) ? random.between(0, 20) : random.between(200, 1500);
    this.#lastAt = Math.max(this.#lastAt, time.now() + this.#lagMs + jitterMs + weather.watchLagMs);
    this.#queue.push({ event, at: this.#lastAt });
    if (this.#queue.length === 1) this.#serve();
  }

  /** Ends with what is on its way where it ends cleanly, and without where it breaks. */
  #finish(failed: Extract<WatchEvent, { type: 'failed' }> | undefined): void {
    endAll(this.#sources);
    if (failed !== undefined) this.#queue = [];
    const now = this.#parts.time.now();
    this.#queue.push({ event: failed, at: failed === undefined ? Math.max(now, this.#lastAt) : now });
    this.#serve();
  }

  /** Gives what is there to whoever waits for it. */
  #serve(): void {
    const { life, time, witnesses, actor } = this.#parts;
    const waiting = this.#waiting;
    if (waiting === undefined || life.isDead) return;
    if (this.#state === 'over') {
      this.#waiting = undefined;
      waiting.resolve(done);
      return;
    }
    const first = this.#queue[0];
    if (first === undefined || this.#state !== 'open') return;
    if (first.at > time.now()) {
      this.#timer ??= time.after(first.at - time.now(), () => {
        this.#timer = undefined;
        this.#serve();
      });
      return;
    }
    this.#queue.shift();
    const { event } = first;
    if (event === undefined) {
      this.#close();
      this.#serve();
      return;
    }
    if (event.type === 'failed') this.#close();
    else if (event.type !== 'bookmark') {
      const told = { resource: this.#request.resource, object: event.object, gone: event.type === 'deleted' };
      for (const witness of witnesses) witness.told?.(actor, told);
    }
    this.#waiting = undefined;
    waiting.resolve({ done: false, value: event });
  }

  #fail(reason: unknown): void {
    this.#close();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!this.#parts.life.isDead) waiting?.reject(reason);
  }

  #close(): void {
    this.#state = 'over';
    this.#queue = [];
    this.#timer?.();
    this.#timer = undefined;
    endAll(this.#sources);
    endAll(this.#closers);
  }
}

function endAll(ends: (() => void)[]): void {
  for (const end of ends.splice(0)) end();
}

const broken: Extract<WatchEvent, { type: 'failed' }> = {
  type: 'failed',
  failure: { kind: 'unreachable', message: 'the watch broke off: the connection was reset' },
};
