import { followResource } from '../cluster/followResource.js';
import { WatchedResource } from '../cluster/watchedResource.js';
import { answerRequests } from './answerRequests.js';
import type { Conducting } from './conducting.js';
import { parseRun, runResource, type RunObject } from './objects.js';

/** After a write that failed, the same is tried again so much later. */
const tryAgainMs = 2000;

/** Hears what people want of the run and answers their requests, until the signal aborts; then it rejects. */
export async function followDesired(work: Conducting, signal: AbortSignal): Promise<void> {
  const { cluster, clock, random, store, control, namespace } = work;
  const followed = new WatchedResource<RunObject>({
    resource: runResource,
    scope: { namespace, fieldSelector: `metadata.name=${store.state().name}` },
    parse: parseRun,
    scopeOf: () => undefined,
    onParsed: (run) => {
      if (run.uid !== store.state().uid) return;
      store.observe(run);
      control.observe(run);
    },
  });
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const ignore = () => undefined;
  const hearing = followResource({
    followed,
    cluster,
    clock,
    random,
    signal: both,
    onChange: ignore,
    onFirstList: ignore,
    onHealth: ignore,
  });
  const parts = [hearing, answering(work, both)];
  try {
    await Promise.all(parts);
  } finally {
    ended.abort();
    await Promise.allSettled(parts);
  }
}

async function answering(work: Conducting, signal: AbortSignal): Promise<never> {
  for (;;) {
    const { version } = work.control;
    try {
      await work.exclusively(() => answerRequests(work, signal));
    } catch (error) {
      if (signal.aborted) throw error;
      // Nothing is lost: what was asked stands in the object until it is answered.
      await work.clock.sleep(tryAgainMs, signal);
      continue;
    }
    await work.control.changed(version, signal);
  }
}
