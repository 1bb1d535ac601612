import { readDesired } from '../../../../src/run/desired.js';
import { parseRun } from '../../../../src/run/objects.js';
import { nameOf, nodeOfTurn, turnStatusOf } from '../../invariants/truth.js';
import { complaints } from '../../invariants/watchedNight.js';
import { newestRun, turnsOf } from '../runsOfYear.js';
import type { MakeYearInvariant } from '../watchedYear.js';
import { callBegin, openForMs, type CallBegin } from './callBegins.js';

/** Whoever was started so shortly before the close may find it closed. */
const beginsWithinMs = 60_000;
/** Where no turn is known, one is taken to need less than this. */
const estimatedMs = 15 * 60_000;
/** Checks before the cordon take no longer. */
const someMs = 2 * 60_000;

/**
 * What a call ends with tells how the run stands: 0 when every node had its turn, 5 when the window ended with nodes left
 * and nothing else is wrong, 4 with a failed turn, 3 with one that a gate blocked, 7 when a person or another actor stands
 * in the way, and never 1. And a window that is long enough for all nodes left does not end with 5.
 */
export const exitCodesTell: MakeYearInvariant = (year) => {
  const { say, violations } = complaints('exit-codes-tell', year);
  const begins = new Map<string, CallBegin>();
  /** When nodes were cordoned. */
  const cordons: number[] = [];

  const judge = (actor: string, exitCode: number, begin: CallBegin): void => {
    const run = newestRun(year.truth);
    const objects = run === undefined ? [] : turnsOf(year.truth, nameOf(run));
    const phases = new Map(objects.map((turn) => [nodeOfTurn(turn), turnStatusOf(turn).phase ?? 'Pending']));
    const nodes = year.truth.nodes().filter((node) => begin.nodes.has(nameOf(node)));
    // By name: a machine that takes the name of one that is done is not of this run (docs/decisions/0004).
    const done = new Set(
      year.passages.completed().flatMap((turn) => (run !== undefined && turn.run === nameOf(run) ? turn.node : [])),
    );
    const left = nodes.map(nameOf).filter((node) => !done.has(node));
    const has = (...wanted: string[]) => [...phases.values()].some((phase) => wanted.includes(phase));
    const end = `${actor} ended with ${exitCode}`;
    const stand = [...phases].map(([node, phase]) => `${node} ${phase}`).join(', ');
    if (exitCode === 0 && left.length > 0) say(`${end}, and ${left.join(', ')} had no turn (${stand})`);
    if (exitCode === 4 && !has('Failed')) say(`${end}, and no turn is Failed (${stand})`);
    if (exitCode === 1) say(end);
    // What a former run had in work may have taken the time.
    if (exitCode !== 5 || begin.wasHeldUp || openForMs(begin) < beginsWithinMs) return;
    const isPaused = run !== undefined && readDesired(parseRun(run).spec).state !== 'Run';
    if (left.length === 0 || has('Failed', 'Blocked', 'Deferred') || isPaused) {
      say(`${end}, and the window is not all that is wrong (${stand}${isPaused ? ', paused' : ''})`);
    }
    const completed = year.passages.completed().filter(({ at }) => at >= begin.at).length;
    // A turn that was given back has had its share of the window.
    if (cordons.filter((at) => at >= begin.at).length > completed) return;
    const longestMs = year.passages.longestMs();
    const enoughMs = (left.length + completed) * (longestMs === 0 ? estimatedMs : longestMs + someMs);
    if (openForMs(begin) > enoughMs) {
      say(
        `${end}, and ${left.join(', ')} had no turn although the window was open for ${openForMs(begin)} ms (${stand})`,
      );
    }
  };

  return {
    begun({ since }) {
      cordons.push(since);
    },
    actor({ actor, what, exitCode = 1 }) {
      if (what === 'begins') begins.set(actor, callBegin(year));
      const begin = begins.get(actor);
      const isAlone = begin?.wasAlone === true && year.atWork.size === 0;
      if (what === 'ends' && isAlone && begin.nodes.size > 0) judge(actor, exitCode, begin);
    },
    violations,
  };
};
