import type { JudgedPlaybook } from './inForce.js';
import { isOver } from '../acts/nextDeed.js';
import { runsInWork, runsOf, type RecordedObjects } from './servedRuns.js';

/** A run that has nodes out of service, and that no playbook in force lets anybody finish. */
export interface UnservedRun {
  readonly run: string;
  readonly playbook: string;
  /** For people: what is wrong and what they can do. */
  readonly message: string;
}

/** Runs with a turn in work whose playbook was deleted, or has never been without mistakes; rehearsals are of people. */
export function unservedRuns(
  judged: readonly Pick<JudgedPlaybook, 'name' | 'inForce'>[],
  objects: RecordedObjects,
): UnservedRun[] {
  const served = new Set(judged.flatMap(({ name, inForce }) => (inForce === undefined ? [] : [name])));
  const inWork = runsInWork(objects.turns);
  return runsOf(objects.runs)
    .filter(({ name, status }) => inWork.has(name) && !isOver(status))
    .filter(({ spec }) => !spec.rehearsal && !served.has(spec.playbook.name))
    .map(({ name, spec }) => {
      const playbook = spec.playbook.name;
      return {
        run: name,
        playbook,
        message: `Run ${name} has a turn in work, and playbook ${playbook} is not in force here: unless somebody has it in hand with turnus run, its node stays out of service. Create the playbook again as it was, or give turnus run -f PLAYBOOK; where each node stands says turnus status ${name}`,
      };
    });
}
