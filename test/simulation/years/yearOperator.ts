import type { ClusterPort } from '../../../src/cluster/clusterPort.js';
import type { Ask } from '../../../src/run/ask.js';
import { putAsk } from '../../../src/run/putAsk.js';
import type { Clock } from '../../../src/time/clock.js';
import { TurnusError } from '../../../src/turnusError.js';
import { nameOf, nodeOfTurn, turnStatusOf, type Truth } from '../invariants/truth.js';
import { isOver, runOfTurn, runsByMonth } from './runsOfYear.js';
import type { FailureAnswer } from './year.js';

/** Something that is asked of a run. */
export interface Question {
  readonly run: string;
  readonly ask: Ask;
}

/** Whoever looks after the runs: answers failures, each in the way that the year says, and pauses and resumes runs. */
export interface YearOperator {
  /** What the operator will ask about a failed turn of this node. */
  expect(node: string, answer: FailureAnswer): void;
  /** What is to be asked about the turns that are Failed, at once or before the next call. */
  answersNow(): readonly Question[];
  answersAtNextCall(): readonly Question[];
  /** The run that is unfinished; undefined where there is none. */
  unfinished(): string | undefined;
  ask(question: Question): Promise<void>;
}

/** A node that fails again after so many retries is left out of the run. */
const retriesOfTurn = 2;

export function yearOperator(parts: {
  readonly truth: Truth;
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly namespace: string;
  readonly newId: () => string;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}): YearOperator {
  const { truth, cluster, clock, namespace, newId, signal, log } = parts;
  const answers = new Map<string, FailureAnswer>();
  const retries = new Map<string, number>();

  const unfinished = () => {
    const run = runsByMonth(truth)
      .filter((one) => !isOver(one))
      .at(-1);
    return run && nameOf(run);
  };
  const failedTurns = (wanted: readonly FailureAnswer[]) =>
    truth.turns().filter((turn) => {
      const { phase, acknowledgedBy } = turnStatusOf(turn);
      const isOpen = runOfTurn(turn) === unfinished() && phase === 'Failed' && acknowledgedBy === undefined;
      return isOpen && wanted.includes(answers.get(nodeOfTurn(turn)) ?? 'retry-at-next-call');
    });
  const retryOrSkip = (wanted: FailureAnswer): Question[] =>
    failedTurns([wanted]).map((turn) => {
      const tries = (retries.get(nameOf(turn)) ?? 0) + 1;
      retries.set(nameOf(turn), tries);
      const verb = tries > retriesOfTurn ? 'skip' : 'retry';
      return { run: runOfTurn(turn), ask: { verb, node: nodeOfTurn(turn) } };
    });

  return {
    expect(node, answer) {
      answers.set(node, answer);
    },
    answersNow: () => retryOrSkip('retry-soon'),
    answersAtNextCall() {
      const resumed = failedTurns(['resume-at-next-call']).slice(0, 1);
      return [
        ...retryOrSkip('retry-at-next-call'),
        ...resumed.map((turn): Question => ({ run: runOfTurn(turn), ask: { verb: 'resume' } })),
      ];
    },
    unfinished,
    async ask({ run, ask }) {
      const asking = { ask, by: 'operator', reason: 'a year of the simulation', id: newId() };
      try {
        const put = await putAsk({ cluster, clock, namespace, name: run }, asking, signal);
        log(`operator asks for ${ask.verb} in ${run}: ${put.kind === 'no-run' ? 'no run' : put.answer.kind}`);
      } catch (error) {
        if (!(error instanceof TurnusError)) throw error;
        log(`operator asks for ${ask.verb} in ${run}: ${error.message}`);
      }
    },
  };
}
