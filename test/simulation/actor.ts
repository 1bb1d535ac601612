import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import type { HostPorts } from '../../src/host/hostPort.js';
import type { JournalSink } from '../../src/journal/entry.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import { actOnRun } from '../../src/run/actOnRun.js';
import { noOverrides } from '../../src/run/overrides.js';
import { readPastTurns } from '../../src/run/pastTurns.js';
import { prepareRun } from '../../src/run/prepareRun.js';
import { countTurns, exitCode } from '../../src/run/runEnd.js';
import type { RunState } from '../../src/run/state.js';
import type { Clock } from '../../src/time/clock.js';
import { TurnusError } from '../../src/turnusError.js';

export interface Actor {
  readonly name: string;
  readonly playbook: Playbook;
  readonly cluster: ClusterPort;
  readonly hosts: HostPorts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sinks: readonly JournalSink[];
  readonly log: (line: string) => void;
  /** Aborts when the actor is told to stop. */
  readonly stop: AbortSignal;
  /** Former runs tell how long turns take; absent: nobody asks them. A night has none. */
  readonly knowsPast?: boolean;
}

/** How a call of `turnus run --yes` ended. */
export interface ActorEnd {
  readonly exitCode: number;
  /** Code of the TurnusError that ended it. */
  readonly error?: string;
  readonly state?: RunState;
  /** It was about a run of a period that is over. */
  readonly isFormer?: boolean;
}

/** One call of `turnus run --yes`: the same preparing and acting as behind the command line, on the ports of a night. */
export async function runActor(actor: Actor): Promise<ActorEnd> {
  const { name, playbook, cluster, hosts, clock, random, sinks, log, stop } = actor;
  const closing = new AbortController();
  // Only while the plan is made, as behind the command line.
  const giveUp = () => {
    closing.abort(stop.reason);
  };
  stop.addEventListener('abort', giveUp);
  let latest: RunState | undefined;
  try {
    const prepared = await prepareRun({
      command: 'run',
      playbook,
      cluster,
      openHosts: () => Promise.resolve(hosts),
      clock,
      random,
      thisMachine: { nodeName: undefined, bootId: undefined },
      mustBeNamed: true,
      rehearsal: false,
      replace: false,
      overrides: noOverrides,
      names: [],
      selector: undefined,
      signal: closing.signal,
      onProblem: ({ subject, failure }) => {
        log(`${subject} cannot be followed: ${failure.message}`);
      },
    });
    stop.removeEventListener('abort', giveUp);
    try {
      const past =
        actor.knowsPast === true ? await readPastTurns({ cluster, playbook: playbook.name }, closing.signal) : [];
      const end = await actOnRun({
        prepared: { ...prepared, past },
        clock,
        random,
        actor: name,
        change: undefined,
        reason: undefined,
        rehearsal: false,
        sinks,
        onChange: (state) => {
          latest = state;
        },
        log,
        stop,
        stoppedBy: () => (stop.aborted ? { kind: 'signal', signal: 'SIGTERM' } : undefined),
      });
      switch (end.kind) {
        case 'ran':
          return { exitCode: end.result.exitCode, state: end.result.state, isFormer: prepared.isFormer };
        case 'followed':
          return {
            exitCode: latest === undefined ? 7 : exitCode(countTurns(latest), { kind: 'followed' }),
            ...(latest === undefined ? {} : { state: latest }),
          };
        case 'other':
          return { exitCode: 7 };
        case 'failure':
          return { exitCode: 1, error: `lease-failed: ${end.failure.message}` };
      }
    } finally {
      await prepared.close();
    }
  } catch (error) {
    if (stop.aborted && error === stop.reason) return { exitCode: 143 };
    if (!(error instanceof TurnusError)) throw error;
    log(`${error.code}: ${error.message}`);
    return { exitCode: error.exitCode, error: error.code };
  } finally {
    closing.abort(new Error('the call has ended'));
  }
}
