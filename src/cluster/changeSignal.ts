/** A counter that can be waited for. */
export class ChangeSignal {
  #version = 0;
  readonly #waiting = new Set<() => void>();

  get version(): number {
    return this.#version;
  }

  /** Counts a change and wakes everyone who waits. */
  changed(): void {
    this.#version += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves as soon as the version is above `afterVersion`; rejects with the signal's reason. */
  async after(afterVersion: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#version > afterVersion) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
    signal.throwIfAborted();
  }
}
