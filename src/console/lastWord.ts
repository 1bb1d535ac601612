import { isHostTouched } from '../run/hostTouched.js';
import { isInWork } from '../run/nextTurn.js';
import { countTurns, type RunStop } from '../run/runEnd.js';
import type { RunState } from '../run/state.js';
import { nodesLeft } from '../run/windowStop.js';
import { tallyText } from './tallyText.js';

/** The last sentence of `run`: why it ended, the tally, and how to go on. */
export function lastWord(state: RunState, stop: RunStop): string {
  const tally = tallyText(countTurns(state));
  const again = 'Start the same command again to go on.';
  switch (stop.kind) {
    case 'other-actor':
      return `Run ${state.name}: the lease was lost and could not be had again, so this actor stopped: ${tally}. ${again}`;
    case 'hand-over':
      return `Run ${state.name} was left to another actor: ${tally}. All stays as it is until that one goes on.`;
    case 'own-node':
      return `Run ${state.name}: ${tally}. Only the node is left that this actor runs on; another one takes it.`;
    case 'followed':
      return `Run ${state.name}: ${tally}.`;
    case 'signal':
      return `Run ${state.name} was stopped by ${stop.signal}: ${tally}. ${again}`;
    case 'failures':
      return `Run ${state.name} has stopped after a failure: ${tally}. It goes on after turnus retry, skip or resume; turnus status ${state.name} shows this again.`;
    case 'not-recovered':
      return `Run ${state.name}: ${tally}. Not everything that its turns moved is back (not-recovered): ${stop.message} Find out why${nothingLeft(state) ? '' : ', then start the same command again'}.`;
    case 'cluster-not-healthy':
      return `Run ${state.name} has stopped because the cluster is not well: ${tally}. ${stop.message} Start the same command again once it is.`;
    case 'window':
      return `Run ${state.name}: ${tally}. ${stop.message} ${carriedOver(state, stop)}`;
    case 'aborted':
      return `Run ${state.name} was aborted: ${tally}. ${state.status.message ?? ''} To let it go on: turnus resume ${state.name}`;
    case 'paused':
      return `Run ${state.name} is paused, and nobody resumed it: ${tally}. turnus resume ${state.name}, then start the same command again.`;
    case 'deleted':
      return `Run ${state.name} was deleted by a person: ${tally}. What was in work was ended; start the same command again to begin anew.`;
    case 'finished':
      return `Run ${state.name}: ${tally}.`;
  }
}

function carriedOver(state: RunState, { opensAt }: Extract<RunStop, { kind: 'window' }>): string {
  const nodes = leftText(nodesLeft(state).length);
  return opensAt === undefined
    ? `${nodes} carried over; add a window to the playbook.`
    : `${nodes} carried over: start the same command again in that window.`;
}

/** A node that a gate has left is no node to come, and has its turn tried again all the same. */
function leftText(count: number): string {
  if (count === 0) return 'What is blocked is';
  return count === 1 ? 'The node that is left is' : `The ${String(count)} nodes that are left are`;
}

function nothingLeft(state: RunState): boolean {
  const { total, done } = countTurns(state);
  return total === done;
}

/** Which nodes are in the middle of their turn, and how to go on. */
export function whatIsLeft(state: RunState | undefined): string[] {
  return [...(state?.turns.values() ?? [])]
    .filter(({ status }) => isInWork(status.phase))
    .map(({ node, status }) => {
      const cordon = status.cordoned === true ? 'it is cordoned' : 'it is not cordoned';
      const touched = isHostTouched(status) ? 'its host was touched' : 'its host is untouched';
      return `Node ${node} is left in phase ${status.phase}: ${cordon}, ${touched}. Start the same command again to go on.`;
    });
}
