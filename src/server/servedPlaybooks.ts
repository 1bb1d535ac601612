import { periodOfRun } from '../run/identity.js';
import { readTrigger } from '../run/trigger.js';
import type { Desk } from './desk.js';
import type { OpenTrigger, ServedPlaybook } from './nextDeed.js';
import type { OwnObjects } from './ownObjects.js';
import type { ReadPlaybook } from './playbookSource.js';
import type { Attempt } from './rest.js';
import { servedRuns } from './servedRuns.js';

/** The playbooks in force, with all that decides about what is due for them, by name. */
export function servedPlaybooks(from: {
  readonly desk: Pick<Desk, 'judged' | 'triggerOf'>;
  readonly own: Pick<OwnObjects, 'runs' | 'turns'>;
  readonly attempts: ReadonlyMap<string, Attempt>;
}): ServedPlaybook[] {
  const { desk, own, attempts } = from;
  const objects = { runs: own.runs(), turns: own.turns() };
  return desk
    .judged()
    .flatMap(({ name, read, inForce }): ServedPlaybook[] => {
      if (inForce === undefined) return [];
      return [
        {
          name,
          schedule: inForce.playbook.schedule,
          version: inForce.planHash,
          runs: servedRuns(name, objects),
          lastRun: lastRunOf(name, read),
          trigger: openTrigger(read, desk.triggerOf(name)),
          attempt: attempts.get(name),
        },
      ];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function lastRunOf(playbook: string, { object }: ReadPlaybook): ServedPlaybook['lastRun'] {
  const name = object?.status.lastRun?.name;
  const period = name === undefined ? undefined : periodOfRun(name, playbook);
  return name === undefined || period === undefined ? undefined : { name, period };
}

/** Not where it was answered to its end. One that makes no sense is answered by the desk. */
function openTrigger({ object }: ReadPlaybook, answered: ReturnType<Desk['triggerOf']>): OpenTrigger | undefined {
  const written = object === undefined ? undefined : readTrigger(object.resource);
  if (written?.kind !== 'trigger') return undefined;
  const isAnswered = answered?.id === written.trigger.id && answered.finishedAt !== undefined;
  return isAnswered ? undefined : written.trigger;
}
