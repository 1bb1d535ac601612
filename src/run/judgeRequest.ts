import { acceptableCode } from '../gates/acceptance.js';
import type { FindingCode } from '../gates/finding.js';
import { readDesired, requestVerbs, type DesiredState, type RequestVerb, type WrittenRequest } from './desired.js';
import { isInWork } from './nextTurn.js';
import type { RunState } from './state.js';

/** A request of spec.desired, understood or refused. */
export type JudgedRequest =
  | { readonly kind: 'turn'; readonly verb: 'retry' | 'retry-again' | 'skip'; readonly node: string }
  /** A person takes on what a finding warns of, for this node and run. */
  | { readonly kind: 'accept'; readonly node: string; readonly code: FindingCode; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'refused'; readonly message: string };

/** Phases in which a run takes no further turn, whatever is asked. */
const ended: readonly string[] = ['Completed', 'Superseded'];

/** Nodes that a refusal names. */
const mostNodes = 40;

/**
 * May this be done now? Asked by the command, so that a person hears at once, and again by the actor that answers,
 * because the run has gone on in between.
 */
export function judgeRequest(
  state: RunState,
  request: Pick<WrittenRequest, 'verb' | 'node' | 'code' | 'reason'>,
): JudgedRequest {
  const verb = requestVerbs.find((known) => known === request.verb);
  if (verb === undefined) {
    return refused(`${JSON.stringify(request.verb)} is none of ${requestVerbs.join(', ')}.`);
  }
  if (ended.includes(state.status.phase)) {
    return refused(`Run ${state.name} is ${state.status.phase}; nothing in it can be changed any more.`);
  }
  if (state.isDeleted) return refused(`Run ${state.name} was deleted; no further turn begins in it.`);
  if (verb === 'resume') return { kind: 'resume' };
  return verb === 'accept' ? judgeAcceptance(state, request) : judgeTurn(state, verb, request.node);
}

/** Once the turn is in work its gates have been asked; who wants them asked anew ends it first. */
function judgeAcceptance(
  state: RunState,
  { node, code, reason }: Pick<WrittenRequest, 'node' | 'code' | 'reason'>,
): JudgedRequest {
  const phase = node === undefined ? undefined : state.turns.get(node)?.status.phase;
  if (node === undefined || phase === undefined) return noSuchTurn(state, node);
  if (isInWork(phase)) {
    return refused(`The turn of ${node} is in work (${phase}); end it first with: turnus abort ${state.name}`);
  }
  if (phase === 'Done' || phase === 'Skipped') return refused(`The turn of ${node} is ${phase} already.`);
  const acceptance = acceptableCode(code);
  if (acceptance.kind === 'refused') return refused(acceptance.message);
  if (reason === undefined || reason.trim() === '') {
    return refused(`Whoever accepts ${acceptance.code} says why: give a reason.`);
  }
  return { kind: 'accept', node, code: acceptance.code, reason };
}

function judgeTurn(
  state: RunState,
  verb: Exclude<RequestVerb, 'resume' | 'accept'>,
  node: string | undefined,
): JudgedRequest {
  const phase = node === undefined ? undefined : state.turns.get(node)?.status.phase;
  if (node === undefined || phase === undefined) return noSuchTurn(state, node);
  if (verb === 'skip') {
    if (isInWork(phase)) {
      return refused(`The turn of ${node} is in work (${phase}); end it first with: turnus abort ${state.name}`);
    }
    if (phase === 'Done' || phase === 'Skipped') return refused(`The turn of ${node} is ${phase} already.`);
  } else if (phase !== 'Failed') {
    return refused(`The turn of ${node} is ${phase}, not Failed; there is nothing to retry.`);
  }
  return { kind: 'turn', verb, node };
}

function noSuchTurn(state: RunState, node: string | undefined): JudgedRequest {
  return refused(`Run ${state.name} has no turn of node ${node ?? '(none named)'}; it has: ${nodesOf(state)}.`);
}

function nodesOf({ turns }: RunState): string {
  if (turns.size === 0) return 'none';
  const named = [...turns.keys()].slice(0, mostNodes).join(', ');
  return turns.size <= mostNodes ? named : `${named} and ${String(turns.size - mostNodes)} more`;
}

/**
 * Why this state cannot be asked for now; undefined where it can. An abort is never softened by the way: who wants
 * less takes it back first.
 */
export function refusedState(state: RunState, wanted: DesiredState): string | undefined {
  const { name, spec, status, isDeleted } = state;
  if (ended.includes(status.phase)) return `Run ${name} is ${status.phase}; it cannot be ${wordOf[wanted]} any more.`;
  if (isDeleted && (wanted === 'Run' || wanted === 'Pause')) {
    return `Run ${name} was deleted and ends with the turn in work; it cannot be ${wordOf[wanted]} any more.`;
  }
  const before = readDesired(spec);
  const by = before.by === undefined ? '' : ` (asked for by ${before.by})`;
  if (wanted === 'Abort' && before.state === 'AbortNow') {
    return `Run ${name} is to stop at once already${by}; that is not softened.`;
  }
  if (wanted === 'Pause' && (before.state === 'Abort' || before.state === 'AbortNow')) {
    return status.phase === 'Aborted'
      ? `Run ${name} is Aborted${by}; there is nothing to pause.`
      : `Run ${name} is being aborted${by}; a pause would soften that. Take it back with: turnus resume ${name}`;
  }
  return undefined;
}

const wordOf: Readonly<Record<DesiredState, string>> = {
  Run: 'resumed',
  Pause: 'paused',
  Abort: 'aborted',
  AbortNow: 'aborted',
};

function refused(message: string): JudgedRequest {
  return { kind: 'refused', message };
}
