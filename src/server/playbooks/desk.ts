import { ChangeSignal } from '../../cluster/changeSignal.js';
import type { ClusterPort } from '../../cluster/clusterPort.js';
import { canonicalJson } from '../../journal/canonicalJson.js';
import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import type { PlaybookCoverage } from '../../run/coverage.js';
import type { RunObject } from '../../run/objects.js';
import type { Clock } from '../../time/clock.js';
import { composeStatus } from './composeStatus.js';
import { judgePlaybook, type InForce, type JudgedPlaybook } from './inForce.js';
import type { Hindrance } from '../acts/hindrance.js';
import type { OwnObjects } from '../ownObjects.js';
import type { PlaybookSource, ReadPlaybook } from './playbookSource.js';
import { ofPlaybook, runsOf, unfinishedRuns } from './servedRuns.js';
import { coverageStatus, lastRunOf } from './statusFacts.js';
import { overAnswer, standingTrigger, waitingAnswer, type BegunRun } from './standingTrigger.js';
import { unservedRuns } from './unservedRuns.js';
import type { WakeUp } from '../wakeUp.js';
import { writeStatus } from './writeStatus.js';

/** Where the playbooks lie, judged and with their status written, as long as this process leads. */
export interface Desk {
  judged(): readonly JudgedPlaybook[];
  readonly version: number;
  /** Resolves as soon as anything that decides is another than at `afterVersion`; rejects with the signal's reason. */
  changed(afterVersion: number, signal: AbortSignal): Promise<void>;
  /** Into the status with the next writing. */
  note(playbook: string, facts: Noted): void;
  /** Something that the status tells, and the desk asks for, is another: it is judged and written anew. */
  again(): void;
  /** Of this process, else what stands in the object. */
  triggerOf(playbook: string): PlaybookStatus['trigger'];
  /** Reads, judges and writes until the signal aborts; then it rejects with its reason. */
  keep(signal: AbortSignal): Promise<never>;
}

export interface Noted {
  readonly trigger?: PlaybookStatus['trigger'];
  readonly coverage?: PlaybookCoverage;
}

export interface DeskOptions {
  readonly source: PlaybookSource;
  readonly own: OwnObjects;
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly clusterUid: string;
  readonly namespace: string;
  readonly wakeUp: WakeUp;
  /** What this process acts for; undefined: nothing. */
  readonly busy: () => { readonly trigger: string | undefined; readonly text: string } | undefined;
  readonly log: (event: string, fields: { readonly playbook?: string; readonly run?: string }, text: string) => void;
  /** What hinders the playbooks in force, by name. */
  readonly hindrances: () => ReadonlyMap<string, Hindrance>;
  readonly onJudged: (judged: JudgedPlaybook, known: JudgedFacts) => void;
  /** There is no playbook of this name any more. */
  readonly onForgotten: (playbook: string) => void;
}

/** What is known of a playbook that was judged. */
export interface JudgedFacts {
  readonly coverage: PlaybookCoverage | undefined;
  /** As the condition says. */
  readonly isReady: boolean;
}

/** Events come in bursts: what is read and written is so at most this often. */
const pauseMs = 250;
/** What could not be read or written is tried again after this. */
const againMs = 5000;
/** Files of this machine tell nobody that they have changed, nor does a Secret that was missing. */
const lookAgainMs = 50_000;

/** What is known of a playbook beside what was read, for as long as it is the same one. */
interface Remembered extends Noted {
  readonly inForce?: InForce;
  /** The status as it was written last, and onto which version of the object. */
  readonly written?: { readonly text: string; readonly onto: string | undefined };
  /** As they were told. */
  readonly mistakes?: string;
}

export function openDesk(options: DeskOptions): Desk {
  const { own, clock, wakeUp, log } = options;
  const changes = new ChangeSignal();
  const told = new Set<string>();
  let memory = new Map<string, Remembered>();
  let readAt: number | undefined;
  let read: readonly ReadPlaybook[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  let failure: string | undefined;

  const of = ({ key }: ReadPlaybook): Remembered => memory.get(key) ?? {};
  const remember = ({ key }: ReadPlaybook, more: Remembered): void => {
    memory.set(key, { ...memory.get(key), ...more });
  };
  const named = (playbook: string) => read.find(({ name }) => name === playbook);

  /** Anew each time: what is in force is another when a window opens. */
  const judged = (): readonly JudgedPlaybook[] => {
    const objects = { runs: own.runs(), turns: own.turns() };
    return read.map((each) => {
      const found = judgePlaybook({
        read: each,
        clusterUid: options.clusterUid,
        unfinished: unfinishedRuns(each.name, objects),
        remembered: of(each).inForce,
        now: clock.now(),
      });
      if (found.inForce !== undefined) remember(each, { inForce: found.inForce });
      return found;
    });
  };

  const readAll = async (): Promise<void> => {
    const { sourcesVersion } = own;
    if (readAt === sourcesVersion) return;
    const former = read;
    read = await options.source.read();
    readAt = sourcesVersion;
    lookedAt = clock.monotonic();
    const keys = new Set(read.map(({ key }) => key));
    for (const { name } of former) if (named(name) === undefined) options.onForgotten(name);
    // One that is made again under the same name is another one.
    memory = new Map([...memory].filter(([key]) => keys.has(key)));
  };

  /** What is well is only looked at when a watch tells of it, or when a run needs it. */
  const mayHaveChanged = () => read.some(({ object, answer }) => object === undefined || answer.kind === 'invalid');

  const answerAtOnce = (judgement: JudgedPlaybook, runs: readonly BegunRun[]): void => {
    const { read: each } = judgement;
    const now = clock.now();
    const answered = of(each).trigger ?? each.object?.status.trigger;
    const question = { judged: judgement, answered, runs, now };
    const standing = standingTrigger(question);
    // One that is being begun at this moment is answered by the act.
    const isBegun = standing.kind === 'over' && options.busy()?.trigger === standing.id;
    // Where something is in force, who acts answers about a run.
    const isOurs = standing.kind === 'over' && (standing.run === undefined || judgement.inForce === undefined);
    if (isOurs && !isBegun) remember(each, { trigger: overAnswer(standing, now) });
    const waiting = waitingAnswer({ ...question, busy: options.busy() });
    if (waiting !== undefined) remember(each, { trigger: waiting });
  };

  const write = async (all: readonly JudgedPlaybook[], signal: AbortSignal): Promise<void> => {
    const runs = runsOf(own.runs());
    const hindrances = options.hindrances();
    const failures: string[] = [];
    for (const each of all) {
      answerAtOnce(each, begunRuns(each.name, runs));
      const { trigger, coverage, written, mistakes } = of(each.read);
      const status = composeStatus(each, {
        now: clock.now(),
        lastRun: lastRunOf(each.name, runs),
        coverage: coverage && coverageStatus(coverage),
        trigger,
        hindrance: hindrances.get(each.name) ?? { kind: 'none' },
      });
      const isReady = status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
      options.onJudged(each, { coverage, isReady: isReady === true });
      const wrong = each.mistakes.join('; ');
      if (wrong !== '' && wrong !== mistakes) log('playbook.invalid', { playbook: each.name }, wrong);
      remember(each.read, { mistakes: wrong });
      const text = canonicalJson(status);
      const { object } = each.read;
      const onto = object?.resource.metadata.resourceVersion;
      if (object === undefined || canonicalJson(object.status) === text) continue;
      // It was written, and the watch has not told of it yet.
      if (written?.text === text && written.onto === onto) continue;
      const problem = await writeStatus({ ...options, judged: each, status }, signal);
      if (problem === undefined) remember(each.read, { written: { text, onto } });
      else failures.push(problem);
    }
    // The others are written all the same.
    if (failures.length > 0) throw new Error(failures.join(' '));
  };

  const tellUnserved = (all: readonly JudgedPlaybook[]): void => {
    for (const { run, playbook, message } of unservedRuns(all, { runs: own.runs(), turns: own.turns() })) {
      if (told.has(run)) continue;
      told.add(run);
      log('run.unserved', { playbook, run }, message);
    }
  };

  return {
    judged,
    get version() {
      return changes.version;
    },
    changed: (afterVersion, signal) => changes.after(afterVersion, signal),
    note(playbook, facts) {
      const each = named(playbook);
      if (each === undefined || isKnown(of(each), facts)) return;
      remember(each, facts);
      changes.changed();
    },
    again() {
      changes.changed();
    },
    triggerOf(playbook) {
      const each = named(playbook);
      return each && (of(each).trigger ?? each.object?.status.trigger);
    },
    async keep(signal) {
      for (;;) {
        const before = { own: own.version, desk: changes.version };
        try {
          await readAll();
          const all = judged();
          changes.changed();
          tellUnserved(all);
          await write(all, signal);
          failure = undefined;
        } catch (error) {
          signal.throwIfAborted();
          const message = error instanceof Error ? error.message : String(error);
          if (message !== failure) log('playbooks.unread', {}, message);
          failure = message;
          readAt = undefined;
          await clock.sleep(againMs, signal);
          continue;
        }
        await wakeUp.wait({
          until: undefined,
          changed: (either) => Promise.race([own.changed(before.own, either), changes.after(before.desk + 1, either)]),
          signal,
        });
        await clock.sleep(pauseMs, signal);
        if (mayHaveChanged() && clock.monotonic() - lookedAt >= lookAgainMs) readAt = undefined;
      }
    },
  };
}

function begunRuns(playbook: string, runs: readonly RunObject[]): BegunRun[] {
  return ofPlaybook(playbook, runs).map(({ name, spec, status }) => ({
    name,
    phase: status.phase,
    trigger: spec.trigger,
  }));
}

function isKnown(known: Noted, facts: Noted): boolean {
  const fields = ['trigger', 'coverage'] as const;
  return fields
    .filter((field) => field in facts)
    .every((field) => canonicalJson(known[field] ?? null) === canonicalJson(facts[field] ?? null));
}
