import { isInWork } from '../../run/nextTurn.js';
import { pastTurn } from '../../run/forecastRun.js';
import { turnPhases, type RunState, type TurnState } from '../../run/state.js';
import type { Instruments } from './instruments.js';

/** Follows the runs that this process has in work. */
export interface RunObservation {
  /** The run as it stands; called at each change, from its first state on. `playbook`: the label. */
  observe(state: RunState, playbook: string): void;
  /** This process works on no run of the playbook any more. */
  leave(playbook: string): void;
  /** Writes what grows with time. `now`: milliseconds since the epoch. */
  collect(now: number): void;
}

interface Followed {
  readonly uid: string;
  /** By node, how many ended steps are counted already. */
  readonly stepsCounted: Map<string, number>;
  readonly turnsCounted: Set<string>;
  waitsSince: number | undefined;
}

/**
 * Counts each step and each turn once. What had ended before the run was seen first was counted by the process that
 * did it.
 */
export function runObservation(counts: Instruments): RunObservation {
  const followed = new Map<string, Followed>();

  const follow = (state: RunState): Followed => ({
    uid: state.uid,
    stepsCounted: new Map([...state.turns.values()].map(({ node, status }) => [node, status.steps?.length ?? 0])),
    turnsCounted: new Set([...state.turns.values()].filter(isDone).map(({ node }) => node)),
    waitsSince: undefined,
  });

  const countTurn = (run: Followed, { node, status }: TurnState, playbook: string): void => {
    const { steps = [] } = status;
    let counted = Math.min(run.stepsCounted.get(node) ?? 0, steps.length);
    for (const { phase, startedAt, finishedAt } of steps.slice(counted)) {
      // One that never ended, because its actor died in it, has others after it.
      if (finishedAt === undefined && counted === steps.length - 1) break;
      counted += 1;
      const seconds = (Date.parse(finishedAt ?? '') - Date.parse(startedAt)) / 1000;
      if (seconds >= 0) counts.stepDuration.observe({ playbook, phase }, seconds);
    }
    run.stepsCounted.set(node, counted);
  };

  return {
    observe(state, playbook) {
      let run = followed.get(playbook);
      if (run?.uid !== state.uid) {
        run = follow(state);
        followed.set(playbook, run);
      }
      for (const turn of state.turns.values()) {
        countTurn(run, turn, playbook);
        const past = run.turnsCounted.has(turn.node) ? undefined : pastTurn(turn.node, turn.status);
        if (past !== undefined) counts.turnDuration.observe({ playbook }, past.tookMs / 1000);
        if (isDone(turn)) run.turnsCounted.add(turn.node);
        else run.turnsCounted.delete(turn.node);
      }
      const turns = [...state.turns.values()];
      const works = state.status.phase === 'Running' || turns.some(({ status }) => isInWork(status.phase));
      counts.running.set({ playbook }, works ? 1 : 0);
      for (const phase of turnPhases) {
        counts.runTurns.set({ playbook, phase }, turns.filter(({ status }) => status.phase === phase).length);
      }
      run.waitsSince = oldestWait(state);
    },
    leave(playbook) {
      followed.delete(playbook);
      counts.running.set({ playbook }, 0);
      for (const phase of turnPhases) counts.runTurns.set({ playbook, phase }, 0);
      counts.oldestWait.set({ playbook }, 0);
    },
    collect(now) {
      for (const [playbook, { waitsSince }] of followed) {
        counts.oldestWait.set({ playbook }, waitsSince === undefined ? 0 : Math.max(0, now - waitsSince) / 1000);
      }
    },
  };
}

function isDone({ status }: TurnState): boolean {
  return status.phase === 'Done';
}

/** Milliseconds since the epoch. */
function oldestWait({ status, turns }: RunState): number | undefined {
  const waits = [status.waitingFor, ...[...turns.values()].map((turn) => turn.status.waitingFor)];
  const times = waits.flatMap((wait) => (wait === undefined ? [] : [Date.parse(wait.since)])).filter(Number.isFinite);
  return times.length === 0 ? undefined : Math.min(...times);
}
