import { periodOfRun } from '../../run/identity.js';
import type { Desk } from './desk.js';
import type { ServedPlaybook } from '../acts/nextDeed.js';
import type { OwnObjects } from '../ownObjects.js';
import type { ReadPlaybook } from './playbookSource.js';
import type { Attempt } from '../acts/rest.js';
import { servedRuns } from './servedRuns.js';
import { standingTrigger } from './standingTrigger.js';

/** The playbooks in force, with all that decides about what is due for them, by name. */
export function servedPlaybooks(from: {
  readonly desk: Pick<Desk, 'judged' | 'triggerOf'>;
  readonly own: Pick<OwnObjects, 'runs' | 'turns'>;
  readonly attempts: ReadonlyMap<string, readonly Attempt[]>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}): ServedPlaybook[] {
  const { desk, own, attempts, now } = from;
  const objects = { runs: own.runs(), turns: own.turns() };
  return desk
    .judged()
    .flatMap((judged): ServedPlaybook[] => {
      const { name, read, inForce, next } = judged;
      if (inForce === undefined) return [];
      const runs = servedRuns({ name, nodes: inForce.playbook.nodes }, objects);
      const standing = standingTrigger({ judged, answered: desk.triggerOf(name), runs, now });
      return [
        {
          name,
          schedule: inForce.playbook.schedule,
          nextSchedule: next?.playbook.schedule,
          version: inForce.planHash,
          runs,
          lastRun: lastRunOf(name, read),
          trigger: standing.kind === 'open' ? standing.trigger : undefined,
          over: standing.kind === 'over' ? standing : undefined,
          attempts: attempts.get(name) ?? [],
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
