import { resourceVersionOf } from '../cluster/apiObject.js';
import { ChangeSignal } from '../cluster/changeSignal.js';
import { readDesired, type Desired } from './desired.js';
import type { RunObject } from './objects.js';
import { AbortRequested } from './turnStop.js';

/** What people want of the run now, as the actor hears it from `spec.desired`. */
export interface RunControl {
  desired(): Desired;
  /** Aborts once `Abort` is wanted. After a resume it is another signal; who was handed the former one keeps it. */
  readonly abort: AbortSignal;
  /** The same for `AbortNow`. */
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
  let abort = new AbortController();
  let abortNow = new AbortController();
  let seen = resourceVersionOf(run.resourceVersion);
  let desired = readDesired(run.spec);
  const act = () => {
    const { state, by } = desired;
    if (state === 'AbortNow') abortNow.abort(new AbortRequested({ now: true, by }));
    else if (state === 'Abort') abort.abort(new AbortRequested({ now: false, by }));
    else {
      if (abort.signal.aborted) abort = new AbortController();
      if (abortNow.signal.aborted) abortNow = new AbortController();
    }
  };
  act();
  return {
    desired: () => desired,
    get abort() {
      return abort.signal;
    },
    get abortNow() {
      return abortNow.signal;
    },
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
