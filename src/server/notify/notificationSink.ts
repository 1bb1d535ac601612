import type { JournalSink } from '../../journal/entry.js';
import type { RunState } from '../../run/state.js';
import { eventsOf } from './eventsOf.js';
import type { Notifier } from './notifier.js';

/**
 * Notifies of what a journal says. Put it after the sinks that keep the journal, so that nobody is told what was not
 * written. `state`: the run as it is last known. Never waits and never fails.
 */
export function notificationSink(notifier: Pick<Notifier, 'notify'>, state: () => RunState | undefined): JournalSink {
  return {
    name: 'the notifications',
    write(entry) {
      for (const event of eventsOf(entry, state())) notifier.notify(event);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
