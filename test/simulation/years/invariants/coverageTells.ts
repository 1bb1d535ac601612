import { timeOf } from '../../../../src/cluster/json.js';
import { nameOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/** Times in objects have whole seconds, a turn is Done some time after its node is given back, and clocks go on. */
const inexactMs = 60 * 60_000;

/**
 * Coverage raises the alarm for exactly those machines whose last turn, or registration where they had none, is longer ago
 * than the playbook promises; a machine that registered anew under an old name is another one.
 */
export const coverageTells: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('coverage-tells', year);
  const { coverageMs } = year.year;
  return {
    coverageTold({ playbooks }) {
      const told = new Map(playbooks.flatMap(({ nodes }) => nodes).map((node) => [node.node, node]));
      for (const node of year.truth.nodes()) {
        const name = nameOf(node);
        const last = year.passages.completed().findLast(({ uid }) => uid === node.metadata.uid);
        const since = last?.at ?? timeOf(node.metadata.creationTimestamp) ?? 0;
        const overdueMs = year.now() - since - coverageMs;
        const said = told.get(name);
        if (said === undefined) say(`coverage says nothing of ${name}`);
        else if (Math.abs(overdueMs) > inexactMs && said.isAlarm !== overdueMs > 0) {
          say(
            `coverage calls ${name} ${said.verdict}, and its turn is ${overdueMs > 0 ? 'overdue' : 'due'} by ${overdueMs} ms`,
          );
        }
        if (said !== undefined && (said.lastTurn === undefined) !== (last === undefined)) {
          say(`coverage knows ${said.lastTurn?.run ?? 'no turn'} of ${name}, which had ${last?.run ?? 'none'}`);
        }
      }
    },
    violations,
  };
};
