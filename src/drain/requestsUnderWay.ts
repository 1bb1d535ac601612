/** The requests that one drain has under way, none of which it leaves behind. */
export interface RequestsUnderWay {
  /** Begins one; its answers are its own matter, what it throws is the drain's. Nothing is told once the signal aborts. */
  start(request: () => Promise<void>): void;
  /** Each promise resolves, whatever comes of the request. */
  readonly tasks: ReadonlySet<Promise<void>>;
  /** Throws the first failure that was not an answer: a bug, or a lease that was lost. */
  throwFailure(): void;
  /** Resolves when none is under way. */
  settled(): Promise<void>;
}

export function requestsUnderWay(signal: AbortSignal): RequestsUnderWay {
  const tasks = new Set<Promise<void>>();
  const failures: unknown[] = [];
  return {
    tasks,
    start(request) {
      const task = request()
        .catch((error: unknown) => {
          if (!signal.aborted) failures.push(error);
        })
        .finally(() => tasks.delete(task));
      tasks.add(task);
    },
    throwFailure() {
      if (failures.length > 0) throw failures[0];
    },
    async settled() {
      await Promise.all(tasks);
    },
  };
}
