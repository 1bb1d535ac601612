import { isAct } from './leaseHolderActs.js';
import { nodeOfTurn, runStatusOf, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/** A turn needs some dozens. */
const mostActsOfNode = 5000;

/**
 * The actors end, or the run says for what it waits. And they end by themselves, not by an unexpected error, where the
 * API server always answered.
 */
export const runEnds: MakeInvariant = (night) => {
  const { say, violations } = complaints('run-ends', night);
  const { nodes } = night.night;
  let acts = 0;
  return {
    sent(call) {
      if (isAct(call)) acts += 1;
    },
    atEnd({ isOver, exitCodes }) {
      if (acts > mostActsOfNode * nodes.length) say(`${acts} acts for ${nodes.length} nodes: somebody runs in circles`);
      const apiFailed = night.night.troubles.some(({ kind }) => kind === 'api-down' || kind === 'api-answers');
      if (exitCodes.includes(1) && !apiFailed) say('an actor ended with exit code 1, and the API had always answered');
      if (isOver) return;
      const waits = [
        ...night.truth.runs().flatMap((run) => runStatusOf(run).waitingFor?.what ?? []),
        ...night.truth.turns().flatMap((turn) => turnStatusOf(turn).waitingFor?.what ?? []),
      ];
      if (waits.length > 0) return;
      const phases = night.truth.turns().map((turn) => `${nodeOfTurn(turn)} ${turnStatusOf(turn).phase ?? 'Pending'}`);
      say(`the night was over before the run, and nobody said for what it waits (${phases.join(', ')})`);
    },
    violations,
  };
};
