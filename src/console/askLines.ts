import { openRequests, standingFailures, type Ask, type Awaited } from '../run/ask.js';
import type { AnswerEnd } from '../run/awaitAnswer.js';
import { readDesired } from '../run/desired.js';
import { isHostTouched } from '../run/hostTouched.js';
import { isInWork } from '../run/nextTurn.js';
import type { RunState, TurnState } from '../run/state.js';

/** What was written into the run, and what becomes of its turns by it. `state`: the run just before. */
export function recordedLines(state: RunState, ask: Ask, awaits: Awaited): string[] {
  const { name } = state;
  switch (ask.verb) {
    case 'pause':
      return [
        `Recorded: run ${name} is to pause.`,
        ...turnsInWork(state, ({ node, status }) => `The turn of ${node} (${status.phase}) is finished.`),
        `No turn starts any more. Let the run go on with: turnus resume ${name}`,
      ];
    case 'abort':
      return [
        `Recorded: run ${name} is to be aborted.`,
        ...turnsInWork(state, abortedTurn),
        `No turn starts any more. Let the run go on with: turnus resume ${name}`,
      ];
    case 'abort-now':
      return [
        `Recorded: run ${name} is to be aborted at once.`,
        ...turnsInWork(
          state,
          ({ node, status }) =>
            `The turn of ${node} (${status.phase}) stops after its present call and is Failed; the node is left as it is then. Look at it, then: turnus retry ${name} ${node}`,
        ),
        `No turn starts any more. Let the run go on with: turnus resume ${name}`,
      ];
    case 'resume':
      return [`Recorded: run ${name} is to go on.`, ...(awaits.request === undefined ? [] : failuresLetStand(state))];
    case 'retry':
      return [
        `Recorded: the turn of ${ask.node} is to go on at the step that failed. A script that has ended on the host is not run again.`,
        ...heldUp(state),
      ];
    case 'retry-again':
      return [
        `Recorded: the turn of ${ask.node} is to be taken again, and its script is run once more.`,
        ...heldUp(state),
      ];
    case 'skip':
      return [
        `Recorded: ${ask.node} is to be left out of run ${name}.`,
        ...stillCordoned(state, ask.node),
        ...(isAborted(state) ? heldUp(state) : []),
      ];
    case 'accept':
      return [
        `Recorded: ${ask.code} is accepted for ${ask.node} in run ${name}, under your name and with your reason.`,
        ...heldUp(state),
      ];
  }
}

/** What came of it while we looked: the answer, or who gives it and when. `state`: the run just before it was asked. */
export function answerLines(state: RunState, ask: Ask, end: AnswerEnd): string[] {
  const { name } = state;
  switch (end.kind) {
    case 'answered':
    case 'refused':
      return [`Answered: ${end.result}`];
    case 'shown':
      return [`Run ${name} is ${end.phase}.`];
    case 'at-work':
      return [`${end.holder} is at work and answers as soon as it can. See it with: turnus status ${name}`];
    case 'elsewhere':
      return [`${end.holder} is at work in this cluster, but not on this run.`, ...withoutActor(state, ask)];
    case 'nobody':
      return [
        end.holder === ''
          ? 'Nobody is at work.'
          : `Nobody is at work: ${end.holder} holds the lease, but does not renew it.`,
        ...withoutActor(state, ask),
      ];
    case 'served':
      return [
        `No run is in work. turnus serve (${end.holder}) decides what is due, and keeps to what is recorded. See it with: turnus status ${name}`,
      ];
    case 'unknown':
      return [`Whether anybody is at work cannot be seen: ${end.message}`, ...withoutActor(state, ask)];
    case 'run-gone':
      return [`Run ${name} was deleted meanwhile.`];
  }
}

/** What makes the wish come true where no actor has the run in work. */
function withoutActor(state: RunState, ask: Ask): string[] {
  const inWork = turnsInWork(state, ({ node, status }) => `${node} (${status.phase})`);
  const isEnd = ask.verb === 'abort' || ask.verb === 'abort-now';
  if (inWork.length > 0 && (isEnd || ask.verb === 'pause')) {
    return [`The turn of ${inWork.join(', ')} stays as it is until an actor takes it up: start ${runCommand(state)}.`];
  }
  if (isEnd) return [`Nothing more is needed: ${runCommand(state)} refuses the run as long as it is aborted.`];
  if (ask.verb === 'pause') return [`Nothing more is needed: ${runCommand(state)} begins no turn while it is paused.`];
  return [`Start ${runCommand(state)} to have it answered.`];
}

function runCommand({ spec }: RunState): string {
  return `\`turnus run -f PLAYBOOK${spec.rehearsal ? ' --rehearse' : ''}\` (playbook ${spec.playbook.name})`;
}

function turnsInWork(state: RunState, text: (turn: TurnState) => string): string[] {
  return [...state.turns.values()].filter(({ status }) => isInWork(status.phase)).map(text);
}

function abortedTurn({ node, status }: TurnState): string {
  return isHostTouched(status) || status.phase === 'Settling'
    ? `The turn of ${node} (${status.phase}) is finished first: its host may have been changed.`
    : `The turn of ${node} (${status.phase}) is undone: its host is untouched, and the node is given back.`;
}

function failuresLetStand(state: RunState): string[] {
  const [first, ...more] = standingFailures(state, openRequests(state)).map(({ node }) => node);
  if (first === undefined) return [];
  const retry = `turnus retry ${state.name}`;
  return [
    more.length === 0
      ? `It goes on in spite of ${first}, which stays as it is. Try it again with: ${retry} ${first}`
      : `It goes on in spite of ${[first, ...more].join(', ')}, which stay as they are. Try one again with: ${retry} NODE`,
  ];
}

/** What is asked of a turn does not take back a pause or an abort. */
function heldUp(state: RunState): string[] {
  const { name } = state;
  if (isAborted(state)) return [`Run ${name} is aborted: this is answered after: turnus resume ${name}`];
  if (readDesired(state.spec).state === 'Run') return [];
  return [`Run ${name} is paused: the turn begins after: turnus resume ${name}`];
}

function isAborted({ spec }: RunState): boolean {
  const { state } = readDesired(spec);
  return state === 'Abort' || state === 'AbortNow';
}

function stillCordoned(state: RunState, node: string): string[] {
  if (state.turns.get(node)?.status.cordoned !== true) return [];
  return [`The node stays cordoned. When it is fit for pods: kubectl uncordon ${node}`];
}
