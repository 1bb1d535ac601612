import { stateAt, type ScheduleState } from '../calendar/decide.js';
import type { Schedule } from '../calendar/schedule.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import type { ClusterView } from '../cluster/view.js';
import { openWatchCache, type CacheProblem, type WatchCache } from '../cluster/watchCache.js';
import type { HostPorts } from '../host/hostPort.js';
import { permissionsFor } from '../install/accessRules.js';
import { conditionPermissions } from '../install/conditionAccess.js';
import { readInstallation } from '../install/installation.js';
import { wantsSurge, type Playbook } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { isCarriedOver } from './carryOver.js';
import { chooseRun, type ChosenRun } from './chooseRun.js';
import { carriedOver, existingRun, hasUnfinishedTurn, nodesToFinish } from './existingRun.js';
import { findRun } from './findRun.js';
import type { PastTurn } from './forecastRun.js';
import { narrowNodes } from './narrowNodes.js';
import { OutsideWindow } from './outsideWindow.js';
import { overriddenSchedule, type Overrides } from './overrides.js';
import { ownNodeOf, type ThisMachine } from './ownNode.js';
import { makePlan, type Plan } from './plan.js';
import { planHash } from './planHash.js';
import { checkedClusterUid, readUserName, refuseMissingPermissions, refuseUnreachable } from './preconditions.js';
import { locateConditions } from './readConditions.js';
import { selectNodes } from './selectNodes.js';

/** What a plan is made from. */
export interface Preparation {
  readonly command: 'plan' | 'run';
  readonly playbook: Playbook;
  readonly cluster: ClusterPort;
  /** Opened when the cluster has been found to be the right one; absent in a rehearsal: no host is asked. */
  readonly openHosts: (() => Promise<HostPorts>) | undefined;
  readonly clock: Clock;
  /** Chance in [0, 1), for jitter. */
  readonly random: () => number;
  readonly thisMachine: ThisMachine;
  /** The playbook or the caller must have said which cluster is meant, because nobody will be asked. */
  readonly mustBeNamed: boolean;
  readonly rehearsal: boolean;
  /** The unfinished run is to be superseded. */
  readonly replace: boolean;
  /** What of the schedule this call does not keep to. */
  readonly overrides: Overrides;
  /** Nodes and label selector to which this call is narrowed. */
  readonly names: readonly string[];
  readonly selector: string | undefined;
  /** Ends the watches of the cache; while the plan is made, everything. */
  readonly signal: AbortSignal;
  readonly onProblem: (problem: CacheProblem) => void;
}

/** Everything that `plan` shows and `run` acts on. */
export interface Prepared {
  readonly playbook: Playbook;
  readonly plan: Plan;
  /** The view that the plan was made on; undefined for `run`, which would hold it for hours. */
  readonly view: ClusterView | undefined;
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  /** Undefined in a rehearsal. */
  readonly hosts: HostPorts | undefined;
  /** Where the objects of Turnus are; '' for `plan`, which needs none. */
  readonly namespace: string;
  readonly requester: string;
  readonly only: ReadonlySet<string> | undefined;
  /** The node that this process runs on, where that is known. */
  readonly ownNode: string | undefined;
  /** The unfinished run that this one supersedes. */
  readonly replaces: string | undefined;
  /** The run is of a period that is over: what it has in work, or was asked, is finished and no other turn begins. */
  readonly isFormer: boolean;
  /** When turns may start, what is overridden already taken out of it. */
  readonly schedule: Schedule;
  readonly overrides: Overrides;
  /** What former runs tell of the length of turns; [] where nobody has asked. */
  readonly past: readonly PastTurn[];
  /** Ends the watches and the connections to hosts; the cluster's connections are the caller's. */
  close(): Promise<void>;
}

/** Reads cluster and hosts and makes the plan. Refuses, before anything is touched, what cannot work. */
export async function prepareRun(preparation: Preparation): Promise<Prepared> {
  const { command, playbook, cluster, clock, random, rehearsal, signal } = preparation;
  let cache: WatchCache | undefined;
  let hosts: HostPorts | undefined;
  const close = async () => {
    hosts?.close();
    await cache?.close();
  };
  try {
    signal.throwIfAborted();
    await refuseUnreachable(cluster, signal);
    const clusterUid = await checkedClusterUid(
      { cluster, expected: playbook.clusterUid, mustBeNamed: preparation.mustBeNamed },
      signal,
    );
    const { namespace } = command === 'run' ? await readInstallation(cluster, signal) : { namespace: '' };
    const { conditions } = playbook.gates.clusterHealth;
    const located = await locateConditions({ cluster, conditions }, signal);
    // Those that are not found are findings of the plan.
    const targets = located.flatMap(({ place }) => (place.kind === 'found' ? [place.target] : []));
    const wanted = [
      ...permissionsFor(command, namespace, wantsSurge(playbook) ? ['surge'] : []),
      ...conditionPermissions(targets),
    ];
    await refuseMissingPermissions({ cluster, wanted }, signal);
    const requester = await readUserName(cluster, signal);
    hosts = await preparation.openHosts?.();
    cache = await openWatchCache({ cluster, clock, random, signal, onProblem: preparation.onProblem });
    const { overrides } = preparation;
    const schedule = overriddenSchedule(playbook.schedule, overrides);
    const window = stateAt({ schedule, now: clock.now() });
    // Who starts at any time is in the period of the window all the same, where one is open.
    const opened = overrides.windows ? openedWindow(playbook.schedule, overrides, clock.now()) : window;
    const chosen: ChosenRun =
      command === 'run'
        ? await chooseRun(
            {
              cluster,
              namespace,
              playbook,
              planHash: planHash({ clusterUid, playbook }),
              at: opened.kind === 'open' ? opened.window.opening : clock.now(),
              isAdHoc: opened.kind !== 'open' && playbook.schedule.windows.length > 0,
              rehearsal,
              replace: preparation.replace,
            },
            signal,
          )
        : { name: `${playbook.name} (not started)`, replaces: undefined, isFormer: false };
    // What a superseded run has done and left counts for the run that supersedes it.
    const before = chosen.replaces ?? chosen.name;
    const found = command === 'run' ? await findRun({ cluster, namespace, name: before }, signal) : undefined;
    if (command === 'run' && window.kind === 'closed' && (found === undefined || !hasUnfinishedTurn(found))) {
      throw new OutsideWindow({ window, playbook: playbook.name, timeZone: schedule.timeZone });
    }
    const narrowed = narrowNodes({
      playbook: playbook.name,
      selected: selectNodes(cache.view(), playbook.nodes),
      names: preparation.names,
      selector: preparation.selector,
    });
    const only = chosen.isFormer && found !== undefined ? nodesToFinish(found, narrowed) : narrowed;
    const ownNode = ownNodeOf(cache.view().nodes.values(), preparation.thisMachine);
    const { plan, view } = await makePlan(
      {
        playbook,
        cluster,
        cache,
        clock,
        hosts,
        run: chosen.name,
        clusterUid,
        existing: found && (isCarriedOver(chosen, playbook.name) ? carriedOver : existingRun)(found, cache.view()),
        only,
        ownNode,
      },
      signal,
    );
    const { replaces, isFormer } = chosen;
    return {
      playbook,
      plan,
      view: command === 'plan' ? view : undefined,
      cluster,
      cache,
      hosts,
      namespace,
      requester,
      only,
      ownNode,
      replaces,
      isFormer,
      schedule,
      overrides,
      past: [],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function openedWindow(schedule: Schedule, overrides: Overrides, now: number): ScheduleState {
  return stateAt({ schedule: overriddenSchedule(schedule, { ...overrides, windows: false }), now });
}
