import { setMaxListeners } from 'node:events';

/** Work that runs until a signal ends it, and that somebody waits for in the end. */
export class Background {
  readonly #closing = new AbortController();
  readonly #work: Promise<void>[] = [];
  /** Aborts with `parent`, at {@link close}, and with its error when a piece of work fails (a bug). */
  readonly signal: AbortSignal;

  constructor(parent: AbortSignal) {
    this.signal = AbortSignal.any([parent, this.#closing.signal]);
    // Each request under way listens to it.
    setMaxListeners(0, this.signal);
  }

  run(work: Promise<unknown>): void {
    this.#work.push(
      work.then(
        () => undefined,
        (error: unknown) => {
          if (!this.signal.aborted) this.#closing.abort(error);
        },
      ),
    );
  }

  /** Ends all work and resolves when it has ended. */
  async close(reason: Error): Promise<void> {
    this.#closing.abort(reason);
    await Promise.all(this.#work);
  }
}
