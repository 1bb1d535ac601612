import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { resources } from '../../src/cluster/resources.js';
import { runResource, turnResource } from '../../src/run/objects.js';
import { inWords, isAct } from './invariants/leaseHolderActs.js';
import {
  bootIdOf,
  cordonMark,
  holderOf,
  holdOn,
  isCordoned,
  isReady,
  isSame,
  isTerminating,
  nameOf,
  nodeOfPod,
  nodeOfTurn,
  podName,
  runStatusOf,
  turnStatusOf,
} from './invariants/truth.js';
import { timeText } from './nightText.js';
import type { NightScene, Witness } from './witness.js';
import type { Change } from '../../src/sandbox/api/simulatedApi.js';

/** Tells a night as it goes: what actors send and what comes of it, what changes, what happens on the hosts. */
export function story(say: (line: string) => void): Witness {
  let scene: NightScene | undefined;
  const tell = (text: string) => {
    say(`${timeText(scene?.elapsedMs() ?? 0).padStart(11)}  ${text}`);
  };
  return {
    begins(begun) {
      scene = begun;
    },
    arrived(call, answer) {
      if (isAct(call)) tell(`${call.actor} #${call.number} ${inWords(call)}: ${answer.kind}`);
    },
    changed(change) {
      const text = changeText(change);
      if (text !== undefined) tell(`${change.by}: ${text}`);
    },
    onHost({ kind, node, ...rest }) {
      tell(`host of ${node}: ${kind} ${JSON.stringify(rest)}`);
    },
    actor({ actor, what, exitCode }) {
      tell(`${actor} ${what}${exitCode === undefined ? '' : ` with exit code ${exitCode}`}`);
    },
  };
}

/** What people care about in a change; undefined where it is a heartbeat or the like. */
function changeText(change: Change): string | undefined {
  const { resource, object, before, type } = change;
  const before_ = type === 'added' || before === undefined ? '' : describe(change, before);
  const after = type === 'deleted' ? 'gone' : describe(change, object);
  if (after === undefined || after === before_) return undefined;
  return `${resource.plural} ${podName(object).replace(/^\//, '')}: ${after}`;
}

function describe({ resource }: Change, object: Change['object']): string | undefined {
  if (isSame(resource, resources.nodes)) {
    const mark = cordonMark(object);
    return [
      isReady(object) ? 'Ready' : 'not Ready',
      isCordoned(object) ? 'cordoned' : 'schedulable',
      ...(mark === undefined ? [] : [`marked by ${mark}`]),
      ...(holdOn(object) === undefined ? [] : ['held']),
      `boot ${bootIdOf(object).slice(0, 6)}`,
    ].join(', ');
  }
  if (isSame(resource, resources.pods)) {
    const state = isTerminating(object) ? 'ends' : isReady(object) ? 'Ready' : 'not Ready';
    return `${state} on ${nodeOfPod(object) ?? 'no node'}`;
  }
  if (isSame(resource, turnResource)) return turnText(object);
  if (isSame(resource, runResource)) return runText(object);
  if (isSame(resource, resources.leases) && nameOf(object) === 'turnus') return `held by ${holderOf(object)}`;
  if (isSame(resource, resources.budgets)) return JSON.stringify(object['status']);
  return undefined;
}

function turnText(turn: ApiObject): string {
  const { phase = 'Pending', message, waitingFor, failure } = turnStatusOf(turn);
  const why = failure === undefined ? '' : ` [${failure.code}]`;
  return `${nodeOfTurn(turn)} ${phase}${why}${inBrackets(message)}${waitText(waitingFor)}`;
}

function runText(run: ApiObject): string {
  const { phase = 'Planned', waitingFor, message } = runStatusOf(run);
  return `${phase}${inBrackets(message)}${waitText(waitingFor)}`;
}

function inBrackets(message: string | undefined): string {
  return message === undefined ? '' : ` (${message})`;
}

function waitText(wait: { readonly what: string } | undefined): string {
  return wait === undefined ? '' : `; waits for ${wait.what}`;
}
