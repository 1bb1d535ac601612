import { resourceVersionOf } from '../cluster/apiObject.js';
import { ChangeSignal } from '../cluster/changeSignal.js';
import { readDesired, type Desired } from './desired.js';
import type { RunObject } from './objects.js';
import { AbortRequested } from './turnStop.js';

/** What people want of the run now, as the actor hears it from `spec.desired`. */
export interface RunControl {
  desired(): Desired;
  /** Aborts, for good, once `Abort` was wanted. */
  readonly abort: AbortSignal;
  /** Aborts, for good, once `AbortNow` was wanted. */
  readonly abortNow: AbortSignal;
  /** Takes the run's object as the API server has it; one older than the last is ignored. */
  observe(run: RunObject): void;
  readonly version: number;
  /** Resolves as soon as something newer than `afterVersion` was observed; rejects with the signal's reason. */
  changed(afterVersion: number, signal: AbortSignal): Promise<void>;
}

/** The wishes of a run that was just found or created. */
export function openControl(run: RunObject): RunControl {
  const changes = new ChangeSignal();
  const abort = new AbortController();
  const abortNow = new AbortController();
  let seen = resourceVersionOf(run.resourceVersion);
  let desired = readDesired(run.spec);
  const act = () => {
    const { state, by } = desired;
    if (state === 'AbortNow') abortNow.abort(new AbortRequested({ now: true, by }));
    else if (state === 'Abort') abort.abort(new AbortRequested({ now: false, by }));
  };
  act();
  return {
    desired: () => desired,
    abort: abort.signal,
    abortNow: abortNow.signal,
    observe(newer) {
      const version = resourceVersionOf(newer.resourceVersion);
      if (version <= seen) return;
      seen = version;
      desired = readDesired(newer.spec);
      act();
      changes.changed();
    },
    get version() {
      return changes.version;
    },
    changed: (afterVersion, signal) => changes.after(afterVersion, signal),
  };
}
