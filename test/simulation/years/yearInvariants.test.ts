import { describe, expect, it } from 'vitest';
import type { Schedule } from '../../../src/calendar/schedule.js';
import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import { steerTaint } from '../../../src/cluster/steerTaint.js';
import type { Coverage } from '../../../src/run/coverage.js';
import { newRun, runResource, turnResource } from '../../../src/run/objects.js';
import type { RunStatus, TurnStatus } from '../../../src/run/state.js';
import { handmadeYear, windowsOfHandmadeYear, type HandmadeYear } from './handmadeYear.js';
import { yearInvariants } from './yearWatch.js';

const october = 'monthly-2026-10';
const november = 'monthly-2026-11';
/** Minutes after 22:00 on the Tuesdays of the windows. */
const inOctober = (minutes: number) => Date.UTC(2026, 9, 13, 22, minutes);
const inNovember = (minutes: number) => Date.UTC(2026, 10, 10, 22, minutes);

type History = (year: HandmadeYear) => void;

describe('each invariant of years', () => {
  const told = new Set<string>();

  /** Plays a bad history and expects this invariant to complain, and a good one of which it says nothing. */
  function complains(
    name: string,
    how: string,
    { bad, good, schedule }: { readonly bad: History; readonly good: History; readonly schedule?: Schedule },
  ): void {
    told.add(name);
    it(`complains: ${how} (${name})`, async () => {
      expect(await violationsOf(bad, schedule)).toContain(name);
      expect(await violationsOf(good, schedule)).not.toContain(name);
    });
  }

  complains('turns-start-in-windows', 'a node is cordoned after the close', {
    bad: (year) => {
      year.until(inOctober(15));
      cordon(year, 'node-1');
    },
    good: (year) => {
      year.until(inOctober(14));
      cordon(year, 'node-1');
    },
  });

  const frozenInWindow: Schedule = {
    ...windowsOfHandmadeYear,
    freezes: [
      {
        kind: 'calendar',
        name: 'Match',
        events: [{ kind: 'instants', summary: '', from: inOctober(5), until: inOctober(10) }],
      },
    ],
  };
  complains('turns-start-in-windows', 'a node is cordoned in a freeze that began in the window', {
    schedule: frozenInWindow,
    bad: (year) => {
      year.until(inOctober(5));
      cordon(year, 'node-1');
    },
    good: (year) => {
      year.until(inOctober(10));
      cordon(year, 'node-1');
    },
  });

  complains('turns-start-in-windows', 'a node is cordoned when no turn was ever as short as what is left', {
    bad: (year) => {
      haveTurn(year, 'node-1', { minutes: 4 });
      year.until(inOctober(12));
      cordon(year, 'node-2');
    },
    good: (year) => {
      haveTurn(year, 'node-1', { minutes: 4 });
      year.until(inOctober(11));
      cordon(year, 'node-2');
    },
  });

  complains('turns-start-in-windows', 'a node is cordoned for the run of the former month', {
    bad: (year) => {
      year.until(inNovember(1));
      cordon(year, 'node-1', october);
    },
    good: (year) => {
      year.until(inNovember(1));
      cordon(year, 'node-1', november);
    },
  });

  complains('given-back-at-close', 'a node that nobody touched is out of service minutes after the close', {
    bad: (year) => {
      year.until(inOctober(10));
      cordon(year, 'node-1');
      year.untilClosed();
    },
    // The host was touched: the turn is finished, however long it takes.
    good: (year) => {
      year.until(inOctober(10));
      cordon(year, 'node-1');
      update(year, 'node-1');
      year.untilClosed();
    },
  });

  complains('given-back-at-close', 'it is given back too late', {
    bad: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.until(inOctober(10));
      cordon(year, 'node-1');
      year.untilClosed();
      uncordon(year, 'node-1');
    },
    // Nobody was there to give it back.
    good: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.until(inOctober(10));
      cordon(year, 'node-1');
      year.actor({ actor: 'one', what: 'crashes' });
      year.untilClosed();
    },
  });

  complains('nothing-is-left-outside', 'the taint that turns pods away is left at the close', {
    bad: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.store(resources.nodes, node('node-1', { steered: true }));
      year.until(inOctober(15));
      year.actor({ actor: 'one', what: 'ends', exitCode: 5 });
    },
    good: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.store(resources.nodes, node('node-1', { steered: true }));
      year.until(inOctober(15));
      year.store(resources.nodes, node('node-1'));
      year.actor({ actor: 'one', what: 'ends', exitCode: 5 });
    },
  });

  complains('nothing-is-left-outside', 'a node is left cordoned whose turn did not fail', {
    bad: (year) => {
      leaveCordoned(year, { phase: 'Draining' });
    },
    good: (year) => {
      leaveCordoned(year, { phase: 'Failed' });
    },
  });

  complains('months-have-runs', 'a window of a new month begins no run', {
    bad: (year) => {
      year.store(resources.nodes, node('node-1'));
      call(year, { from: inOctober(1), until: inOctober(5), exitCode: 5 });
    },
    // Started so late that the window may have closed before anything was known.
    good: (year) => {
      year.store(resources.nodes, node('node-1'));
      call(year, { from: inOctober(14) + 30_000, until: inOctober(15), exitCode: 5 });
    },
  });

  complains('months-have-runs', 'the former run is left unfinished', {
    bad: (year) => {
      beginNovember(year, { phase: 'AwaitingWindow', waitingFor: windowToWaitFor });
    },
    good: (year) => {
      beginNovember(year, { phase: 'Superseded' });
    },
  });

  complains('left-go-first', 'a node that had its turn goes before one that had none', {
    bad: (year) => {
      carryOver(year, ['node-1', 'node-2']);
    },
    good: (year) => {
      carryOver(year, ['node-2', 'node-1']);
    },
  });

  complains('one-turn-a-run', 'the next window takes a node again', {
    bad: (year) => {
      haveTurn(year, 'node-1', { minutes: 1 });
      cordon(year, 'node-1');
    },
    good: (year) => {
      haveTurn(year, 'node-1', { minutes: 1 });
      year.until(inNovember(1));
      cordon(year, 'node-1', november);
    },
  });

  complains('quiet-outside', 'a call outside of the windows writes', {
    bad: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.call({ verb: 'patch', resource: runResource, subresource: 'status', name: october });
    },
    good: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.call({ verb: 'patch', resource: resources.leases, name: 'turnus' });
    },
  });

  complains('quiet-outside', 'a call outside of the windows says that all is well', {
    bad: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.actor({ actor: 'one', what: 'ends', exitCode: 0 });
    },
    good: (year) => {
      year.actor({ actor: 'one', what: 'begins' });
      year.actor({ actor: 'one', what: 'ends', exitCode: 5 });
    },
  });

  complains('exit-codes-tell', 'all is said to be done, and a node is left', {
    bad: (year) => {
      year.store(resources.nodes, node('node-2'));
      haveTurn(year, 'node-1', { minutes: 1, exitCode: 0 });
    },
    good: (year) => {
      haveTurn(year, 'node-1', { minutes: 1, exitCode: 0 });
    },
  });

  complains('exit-codes-tell', 'the window is blamed, and a turn has failed', {
    bad: (year) => {
      endWith(year, { phase: 'Failed' }, 5);
    },
    good: (year) => {
      endWith(year, { phase: 'Pending' }, 5);
    },
  });

  complains('exit-codes-tell', 'a turn is said to have failed, and none has', {
    bad: (year) => {
      endWith(year, { phase: 'Blocked' }, 4);
    },
    good: (year) => {
      endWith(year, { phase: 'Failed' }, 4);
    },
  });

  complains('exit-codes-tell', 'a long window is not used', {
    schedule: {
      ...windowsOfHandmadeYear,
      windows: [{ kind: 'cron', expression: '0 22 * * 2#2', durationMs: 7_200_000 }],
    },
    bad: (year) => {
      year.until(inOctober(1));
      endWith(year, { phase: 'Pending' }, 5);
    },
    good: (year) => {
      year.until(inOctober(110));
      endWith(year, { phase: 'Pending' }, 5);
    },
  });

  complains('coverage-tells', 'a node that is overdue is called covered', {
    bad: (year) => {
      haveTurn(year, 'node-1', { minutes: 1 });
      year.until(inOctober(41 * 24 * 60));
      year.coverageTold(coverageOf('node-1', { isAlarm: false }));
    },
    good: (year) => {
      haveTurn(year, 'node-1', { minutes: 1 });
      year.until(inOctober(39 * 24 * 60));
      year.coverageTold(coverageOf('node-1', { isAlarm: false }));
    },
  });

  complains('coverage-tells', 'a machine is taken for the one whose name it bears', {
    bad: (year) => {
      haveTurn(year, 'node-1', { minutes: 1 });
      year.store(resources.nodes, registeredAnew('node-1'));
      year.coverageTold(coverageOf('node-1', { isAlarm: false }));
    },
    good: (year) => {
      haveTurn(year, 'node-1', { minutes: 1 });
      year.coverageTold(coverageOf('node-1', { isAlarm: false }));
    },
  });

  complains('waits-are-current', 'a run waits for a window while it is at work', {
    bad: (year) => {
      year.store(runResource, run(october, { phase: 'Running', waitingFor: windowToWaitFor }));
    },
    good: (year) => {
      year.store(runResource, run(october, { phase: 'AwaitingWindow', waitingFor: windowToWaitFor }));
    },
  });

  it('has a history that it complains about', () => {
    expect([...told].sort()).toEqual(Object.keys(yearInvariants).sort());
  });
});

const windowToWaitFor = { what: 'the window that opens later', since: 'then' };

/** What coverage says of a node that had its turn in October. */
function coverageOf(name: string, { isAlarm }: { readonly isAlarm: boolean }): Coverage {
  const lastTurn = {
    ...{ at: inOctober(1), run: october, knownBy: 'annotation' as const, scriptVersions: {} },
    ...{ versionsBefore: undefined, versionsAfter: undefined },
  };
  const verdict = isAlarm ? ('overdue' as const) : ('covered' as const);
  const judged = { node: name, verdict, isAlarm, createdAt: 0, lastTurn, ageMs: 0, dueAt: 0 };
  const playbook = { playbook: 'monthly', snapshotOf: undefined, coverageMs: 0, current: undefined };
  return { judgedAt: 0, playbooks: [{ ...playbook, nodes: [judged] }], notSelected: [] };
}

function registeredAnew(name: string): ApiObject {
  const { metadata, ...rest } = node(name);
  return { ...rest, metadata: { ...metadata, uid: `other-${name}`, creationTimestamp: '2026-10-13T22:00:00Z' } };
}

async function violationsOf(history: History, schedule: Schedule | undefined): Promise<readonly string[]> {
  const year = handmadeYear(schedule);
  history(year);
  return (await year.end()).map(({ invariant }) => invariant);
}

interface NodeLook {
  readonly cordonedBy?: string;
  readonly lastTurnIn?: string;
  readonly steered?: boolean;
}

function node(name: string, { cordonedBy, lastTurnIn, steered = false }: NodeLook = {}): ApiObject {
  return {
    metadata: {
      name,
      uid: `uid-${name}`,
      annotations: {
        ...(cordonedBy === undefined ? {} : { [marks.cordonedBy]: cordonedBy }),
        ...(lastTurnIn === undefined ? {} : { [marks.lastTurn]: JSON.stringify({ time: '', run: lastTurnIn }) }),
      },
    },
    spec: {
      ...(cordonedBy === undefined ? {} : { unschedulable: true }),
      ...(steered ? { taints: [steerTaint] } : {}),
    },
  };
}

function turn(name: string, status: TurnStatus, run = october): ApiObject {
  const spec = { run, node: name, nodeUid: `uid-${name}`, rehearsal: false };
  return { metadata: { name: `${run}-${name}`, namespace: 'turnus-system' }, spec, status };
}

function run(name: string, status: Partial<RunStatus>): ApiObject {
  const object = newRun({
    name,
    namespace: 'turnus-system',
    spec: {
      playbook: { name: 'monthly', snapshot: '{}' },
      planHash: 'hash',
      clusterUid: 'uid',
      requester: 'operator',
      rehearsal: false,
      desired: { state: 'Run' },
    },
  });
  return { ...object, metadata: { ...object.metadata, uid: `uid-${name}`, resourceVersion: '1' }, status };
}

function cordon(year: HandmadeYear, name: string, by = october): void {
  year.store(resources.nodes, node(name));
  year.store(resources.nodes, node(name, { cordonedBy: by }));
}

function uncordon(year: HandmadeYear, name: string): void {
  year.store(resources.nodes, node(name));
}

function update(year: HandmadeYear, name: string): void {
  year.onHost({ kind: 'job-started', node: name, job: `run/${name}/update/1`, stage: 'update' });
}

function call(
  year: HandmadeYear,
  { from, until, exitCode }: { readonly from: number; readonly until: number; readonly exitCode: number },
): void {
  year.until(from);
  year.actor({ actor: 'one', what: 'begins' });
  year.until(until);
  year.actor({ actor: 'one', what: 'ends', exitCode });
}

/** One call takes the node through its turn, from the first minute of the window on. */
function haveTurn(
  year: HandmadeYear,
  name: string,
  { minutes, exitCode = 5 }: { readonly minutes: number; readonly exitCode?: number },
): void {
  year.until(inOctober(0));
  year.store(runResource, run(october, { phase: 'Running' }));
  year.store(resources.nodes, node(name));
  year.actor({ actor: 'one', what: 'begins' });
  year.store(resources.nodes, node(name, { cordonedBy: october }));
  year.until(inOctober(minutes));
  year.store(resources.nodes, node(name, { lastTurnIn: october }));
  year.store(turnResource, turn(name, { phase: 'Done' }));
  year.actor({ actor: 'one', what: 'ends', exitCode });
}

/** A call that ends outside of the window with a node cordoned. */
function leaveCordoned(year: HandmadeYear, status: TurnStatus): void {
  year.until(inOctober(10));
  year.actor({ actor: 'one', what: 'begins' });
  cordon(year, 'node-1');
  year.store(turnResource, turn('node-1', status));
  year.until(inOctober(16));
  year.actor({ actor: 'one', what: 'ends', exitCode: 4 });
}

function beginNovember(year: HandmadeYear, former: Partial<RunStatus>): void {
  year.store(resources.nodes, node('node-1'));
  year.store(runResource, run(october, { phase: 'AwaitingWindow', waitingFor: windowToWaitFor }));
  year.until(inNovember(1));
  year.actor({ actor: 'one', what: 'begins' });
  year.store(runResource, run(november, { phase: 'Running' }));
  year.store(runResource, run(october, former));
  year.until(inNovember(5));
  year.actor({ actor: 'one', what: 'ends', exitCode: 5 });
}

/** In October node-1 had its turn and node-2 had none; November begins with this order. */
function carryOver(year: HandmadeYear, order: readonly string[]): void {
  haveTurn(year, 'node-1', { minutes: 1 });
  year.store(resources.nodes, node('node-2'));
  year.store(turnResource, turn('node-2', { phase: 'Pending' }));
  year.store(runResource, run(october, { phase: 'AwaitingWindow', order: ['node-1', 'node-2'] }));
  year.until(inNovember(0));
  year.store(runResource, run(november, {}));
  year.store(runResource, run(november, { phase: 'Running', order: [...order] }));
}

/** A call that begins in the window and ends a minute later with the turn of the only node in this phase. */
function endWith(year: HandmadeYear, status: TurnStatus, exitCode: number): void {
  year.store(resources.nodes, node('node-1'));
  year.store(runResource, run(october, { phase: 'AwaitingWindow', waitingFor: windowToWaitFor }));
  const from = Math.max(inOctober(0), year.now());
  year.store(turnResource, turn('node-1', status));
  call(year, { from, until: from + 60_000, exitCode });
}
