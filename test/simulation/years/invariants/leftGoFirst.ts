import { recordOf } from '../../../../src/cluster/json.js';
import { runResource } from '../../../../src/run/objects.js';
import { isSame, nameOf, runStatusOf, turnStatusOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import { runsByMonth, turnOf } from '../runsOfYear.js';
import type { MakeYearInvariant } from '../watchedYear.js';

/**
 * What the former month has left goes first: in the order of the new run the nodes that had no turn in the former one
 * come before those that had. What nobody can say any more is left out: nodes that came, went or registered anew, and
 * those that a person took out.
 */
export const leftGoFirst: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('left-go-first', year);
  /** By the name of the new run: the former one, with the nodes that it left and those that it did. */
  const expected = new Map<string, { former: string; left: ReadonlySet<string>; done: ReadonlySet<string> }>();
  return {
    changed({ type, resource, object }) {
      if (!isSame(resource, runResource) || type === 'deleted') return;
      const name = nameOf(object);
      if (type === 'added') {
        const former = runsByMonth(year.truth)
          .filter((run) => nameOf(run) < name)
          .at(-1);
        if (former === undefined || runStatusOf(former).phase === 'Completed') return;
        const known = (runStatusOf(former).order ?? []).filter((node) => {
          const turn = turnOf(year.truth, nameOf(former), node);
          const uid = turn === undefined ? undefined : recordOf(turn['spec'])['nodeUid'];
          return turn !== undefined && uid === year.truth.node(node)?.metadata.uid;
        });
        const done = known.filter((node) => year.passages.isCompleted(nameOf(former), year.truth.node(node)));
        const left = known.filter((node) => {
          const turn = turnOf(year.truth, nameOf(former), node);
          return !done.includes(node) && turn !== undefined && turnStatusOf(turn).phase !== 'Skipped';
        });
        expected.set(name, { former: nameOf(former), left: new Set(left), done: new Set(done) });
        return;
      }
      const { order = [] } = runStatusOf(object);
      const wanted = expected.get(name);
      if (wanted === undefined || order.length === 0) return;
      expected.delete(name);
      const firstDone = order.findIndex((node) => wanted.done.has(node));
      const late = order.filter((node, place) => firstDone !== -1 && place > firstDone && wanted.left.has(node));
      if (late.length > 0) {
        say(
          `${late.join(', ')} had no turn in ${wanted.former}, and ${order.slice(0, firstDone + 1).join(', ')} of ${name} go before`,
        );
      }
    },
    violations,
  };
};
