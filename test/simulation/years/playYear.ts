import { setMaxListeners } from 'node:events';
import { localText } from '../../../src/calendar/localText.js';
import { periodOf } from '../../../src/calendar/period.js';
import { windowsFrom } from '../../../src/calendar/windows.js';
import { defaultNamespace, manifests } from '../../../src/install/manifests.js';
import type { JournalEntry } from '../../../src/journal/entry.js';
import { readCoverage } from '../../../src/run/readCoverage.js';
import { simulatedPort } from '../../../src/sandbox/api/simulatedPort.js';
import { createSimulatedCluster } from '../../../src/sandbox/createSimulatedCluster.js';
import { seededRandom, type SeededRandom } from '../../../src/sandbox/seededRandom.js';
import { runStatusOf, truthOf } from '../invariants/truth.js';
import type { Night, Violation } from '../night.js';
import { nightObjects } from '../nightObjects.js';
import { created, uidOfCluster } from '../playNight.js';
import { simulatedHosts } from '../simulatedHosts.js';
import { personName, type TroubleScene } from '../troubles.js';
import { VirtualTime } from '../virtualTime.js';
import { changingWeather } from '../weather.js';
import type { Witness } from '../witness.js';
import { Agenda } from './agenda.js';
import { happen } from './happen.js';
import { closedSinceMs, type YearScene } from './watchedYear.js';
import type { Year, YearCall, YearEnd } from './year.js';
import { yearActors } from './yearActors.js';
import { yearOperator, type Question } from './yearOperator.js';
import { yearPlaybook } from './yearPlaybook.js';
import { yearWatch } from './yearWatch.js';

const minute = 60_000;
/** What `turnus install` applies; the same in every year. */
const installed = manifests(defaultNamespace);
/** Workloads have come up when the year begins, and what an actor has left going on has come to its end. */
const settlesMs = 20 * minute;
/** A call that lasts longer has no end. */
const longestCallMs = 26 * 60 * minute;
/** Nor do more timers go off during one: somebody runs in circles. */
const mostEventsOfCall = 200_000;

export interface YearOptions {
  /** See the year besides the invariants. */
  readonly witnesses?: readonly Witness[];
  /** Hears what the actors and the operator say. */
  readonly log?: (line: string) => void;
}

/**
 * Plays a year with the real engine on the model and answers what became of it. While nobody is at work the world stands
 * still: time jumps to whatever comes next.
 */
export async function playYear(year: Year, options: YearOptions = {}): Promise<YearEnd> {
  setMaxListeners(500);
  const random = seededRandom(year.seed);
  const time = new VirtualTime(year.beginsAt - settlesMs);
  const cluster = createSimulatedCluster({ timeline: time, random: random.fork() });
  const { api } = cluster;
  const night = nightOf(year);
  for (const object of installed) created(api, object);
  for (const node of year.nodes) cluster.addNode(node);
  for (const object of nightObjects(night)) created(api, object);
  await time.run(() => false, settlesMs);

  const now = () => time.clock.now();
  const elapsedMs = () => now() - year.beginsAt;
  const log = (line: string) => options.log?.(`${localText(now(), year.schedule.timeZone)}  ${line}`);
  const scene: YearScene = { night, year, api, elapsedMs, now, machine: (node) => cluster.machine(node) };
  const watch = yearWatch(scene);
  const witnesses = [watch, ...(options.witnesses ?? [])];
  for (const witness of witnesses) witness.begins?.(scene);
  const unobserve = api.observe((change) => {
    for (const witness of witnesses) witness.changed?.(change);
  });
  const unexpected: Violation[] = [];
  const complain = (invariant: string, message: string) => {
    unexpected.push({ invariant, atMs: elapsedMs(), message });
  };
  const weather = changingWeather(time, random.fork());
  const hosts = simulatedHosts({ cluster, time, random: random.fork(), playbook: year.playbook, witnesses });
  const journal: JournalEntry[] = [];
  const playbook = await yearPlaybook(year, night, uidOfCluster(api));
  const actors = yearActors({
    ...{ api, time, weather, hosts, playbook, witnesses, journal, log },
    random: random.fork(),
    onError: (actor, error) => {
      complain('no-unexpected-error', `${actor}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
    },
  });
  const truth = truthOf(api);
  const idsOfOperator = random.fork();
  const signal = new AbortController().signal;
  const person = {
    ...{ name: personName, clock: time.clock, namespace: defaultNamespace, signal },
    cluster: simulatedPort({ api, caller: personName }),
    newId: () => idsOfOperator.uuid(),
  };
  const operator = yearOperator({ ...person, truth, log });

  const agenda = new Agenda();
  /** What is under way: calls of the command, and questions. */
  const busy = new Set<Promise<void>>();
  const undertake = (work: () => Promise<void>) => {
    const promise = work()
      .catch((error: unknown) => {
        complain('no-unexpected-error', `the operator: ${String(error)}`);
      })
      .finally(() => busy.delete(promise));
    busy.add(promise);
  };
  const ask = async (questions: readonly Question[]) => {
    for (const question of questions) await operator.ask(question);
  };
  const calls: Record<string, number> = {};
  const exitCodes: number[] = [];
  const start = async (crash?: YearCall['crash']): Promise<void> => {
    await ask(operator.answersAtNextCall());
    const end = await actors.start(crash);
    const how = end.kind === 'crashed' ? 'crashed' : String(end.end.exitCode);
    calls[how] = (calls[how] ?? 0) + 1;
    const again = (afterMs: number) => {
      agenda.add(now() + afterMs, () => {
        undertake(() => start());
      });
    };
    if (end.kind === 'crashed') {
      if (Number.isFinite(end.restartAfterMs)) again(end.restartAfterMs);
      return;
    }
    exitCodes.push(end.end.exitCode);
    const questions = operator.answersNow();
    if (questions.length === 0) return;
    await ask(questions);
    again(2 * minute);
  };

  const windows = windowsFrom({ schedule: year.schedule, from: year.beginsAt, until: year.endsAt });
  for (const { at, crash } of year.calls) {
    agenda.add(at, () => {
      undertake(() => start(crash));
    });
  }
  for (const at of coverageAskedAt(year, random.fork())) {
    agenda.add(at, () => {
      undertake(async () => {
        const { coverage } = await readCoverage({ cluster: person.cluster, clock: time.clock, playbook }, signal);
        watch.coverageTold(coverage);
      });
    });
  }
  for (const window of windows) {
    agenda.add(window.closesAt + closedSinceMs, () => {
      watch.closed(window);
    });
  }
  const troubled: TroubleScene = {
    ...{ night, cluster, hosts, weather, time, random: random.fork(), person },
    onError: (error) => {
      complain('no-unexpected-error', `a person: ${String(error)}`);
    },
  };
  for (const { id, at, what } of year.troubles) {
    agenda.add(at, () => {
      log(`${id}: ${what.kind}`);
      happen({ scene: troubled, operator, agenda, undertake }, what);
    });
  }

  /** Lets time pass until the next thing of the agenda; false where a call has no end. */
  const goOn = async (): Promise<boolean> => {
    const at = agenda.nextAt ?? now() + longestCallMs;
    if (busy.size === 0) {
      await standStill({ time, until: at });
      api.compact();
      return true;
    }
    const mostEvents = time.events + mostEventsOfCall;
    const isOver = await time.run(() => busy.size === 0 || time.events > mostEvents, Math.max(0, at - time.now()));
    if (busy.size > 0 && (isOver || agenda.nextAt === undefined)) return false;
    return true;
  };
  while (agenda.nextAt !== undefined || busy.size > 0) {
    const at = agenda.nextAt;
    if (!(await goOn())) {
      complain('calls-end', `a call has no end: ${String(time.events)} events`);
      break;
    }
    if (at !== undefined && at === agenda.nextAt && time.now() >= at) agenda.happen();
  }
  await time.run(() => false, settlesMs);
  await watch.atEnd?.({ ...scene, isOver: busy.size === 0, journal, exitCodes });
  unobserve();
  cluster.stop();
  return {
    year,
    violations: [...watch.violations(), ...unexpected].sort((one, other) => one.atMs - other.atMs),
    events: time.events,
    calls,
    turns: watch.passages.completed().length,
    runs: counted(truth.runs().map((run) => runStatusOf(run).phase ?? 'Planned')),
    windows: windows.length,
    months: new Set(windows.map(({ opening }) => periodOf(opening, year.schedule.timeZone))).size,
  };
}

/** Some days at random, and minutes after some of the calls. */
function coverageAskedAt({ beginsAt, endsAt, calls }: Year, random: SeededRandom): readonly number[] {
  const some = Array.from({ length: 12 }, () => random.between(beginsAt, endsAt));
  return [...some, ...calls.filter(() => random.chance(0.2)).map(({ at }) => at + random.between(0, 10 * minute))];
}

/** What is going on comes to its end, then nothing happens until shortly before that moment. */
async function standStill({ time, until }: { readonly time: VirtualTime; readonly until: number }): Promise<void> {
  const leftMs = until - time.now();
  if (leftMs > 2 * settlesMs) {
    await time.run(() => false, settlesMs);
    time.jump(leftMs - settlesMs - minute);
  }
  await time.run(() => false, Math.max(0, until - time.now()));
}

/** The year as invariants of nights see it. */
function nightOf({ seed, nodes, workloads, playbook, troubles }: Year): Night {
  return {
    ...{ seed, nodes, workloads, playbook },
    troubles: troubles.flatMap(({ id, what }) => (what.kind === 'script-fails' ? { id, ...what } : [])),
  };
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
