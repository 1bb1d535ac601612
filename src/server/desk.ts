import { ChangeSignal } from '../cluster/changeSignal.js';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { canonicalJson } from '../journal/canonicalJson.js';
import type { PlaybookStatus } from '../playbook/playbookStatus.js';
import type { RunObject } from '../run/objects.js';
import type { PlaybookCoverage } from '../run/coverage.js';
import { readTrigger } from '../run/trigger.js';
import type { Clock } from '../time/clock.js';
import { composeStatus } from './composeStatus.js';
import { judgePlaybook, type InForce, type JudgedPlaybook } from './inForce.js';
import { playbookResource, type OwnObjects } from './ownObjects.js';
import type { PlaybookSource, ReadPlaybook } from './playbookSource.js';
import { isOver } from './nextDeed.js';
import { runsOf } from './servedRuns.js';
import type { WakeUp } from './wakeUp.js';

/** Where the playbooks lie, judged and with their status written, as long as this process leads. */
export interface Desk {
  judged(): readonly JudgedPlaybook[];
  readonly version: number;
  /** Resolves as soon as anything that decides is another than at `afterVersion`; rejects with the signal's reason. */
  changed(afterVersion: number, signal: AbortSignal): Promise<void>;
  /** The answer to a trigger, or what is known of coverage: into the status with the next writing. */
  note(playbook: string, facts: Noted): void;
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
  readonly log: (event: string, fields: { readonly playbook?: string }, text: string) => void;
  readonly onJudged: (judged: JudgedPlaybook, coverage: PlaybookCoverage | undefined) => void;
}

/** Events come in bursts: what is read and written is so at most this often. */
const pauseMs = 250;
/** What could not be read or written is tried again after this. */
const againMs = 5000;

export function openDesk(options: DeskOptions): Desk {
  const { own, clock, wakeUp, log } = options;
  const changes = new ChangeSignal();
  const noted = new Map<string, Noted>();
  const remembered = new Map<string, InForce>();
  const written = new Map<string, string>();
  let readAt: number | undefined;
  let read: readonly ReadPlaybook[] = [];
  let judged: readonly JudgedPlaybook[] = [];

  const judge = async (): Promise<void> => {
    const { sourcesVersion } = own;
    if (readAt !== sourcesVersion) {
      read = await options.source.read();
      readAt = sourcesVersion;
    }
    const runs = runsOf(own.runs());
    judged = read.map((each) => {
      const unfinished = runs.filter((run) => run.spec.playbook.name === each.name && !isOver(run.status));
      const found = judgePlaybook({ ...options, read: each, unfinished, remembered: remembered.get(each.name) });
      if (found.inForce !== undefined) remembered.set(each.name, found.inForce);
      return found;
    });
  };

  const write = async (signal: AbortSignal): Promise<void> => {
    const runs = runsOf(own.runs());
    for (const each of judged) {
      const { trigger, coverage } = noted.get(each.name) ?? {};
      options.onJudged(each, coverage);
      const status = composeStatus(each, {
        now: clock.now(),
        lastRun: lastRunOf(each.name, runs),
        coverage: coverage && coverageStatus(coverage),
        trigger: trigger ?? unusableTrigger(each.read, clock.now()),
      });
      const text = canonicalJson(status);
      if (written.get(each.name) === text) continue;
      if (each.read.object !== undefined && canonicalJson(each.read.object.status) !== text)
        await writeStatus({ ...options, judged: each, status }, signal);
      if (each.mistakes.length > 0) log('playbook.invalid', { playbook: each.name }, each.mistakes.join('; '));
      written.set(each.name, text);
    }
  };

  return {
    judged: () => judged,
    get version() {
      return changes.version;
    },
    changed: (afterVersion, signal) => changes.after(afterVersion, signal),
    note(playbook, facts) {
      noted.set(playbook, { ...noted.get(playbook), ...facts });
      changes.changed();
    },
    triggerOf: (playbook) =>
      noted.get(playbook)?.trigger ?? judged.find(({ name }) => name === playbook)?.read.object?.status.trigger,
    async keep(signal) {
      for (;;) {
        const before = { own: own.version, desk: changes.version };
        try {
          await judge();
          changes.changed();
          await write(signal);
        } catch (error) {
          signal.throwIfAborted();
          log('playbooks.unread', {}, error instanceof Error ? error.message : String(error));
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
        // A tick: files of this machine tell nobody that they have changed.
        if (own.version === before.own) readAt = undefined;
      }
    },
  };
}

/** The newest run that is no rehearsal. */
function lastRunOf(playbook: string, runs: readonly RunObject[]): PlaybookStatus['lastRun'] {
  const [newest] = runs
    .filter(({ spec }) => spec.playbook.name === playbook && !spec.rehearsal)
    .sort((one, other) => (one.name < other.name ? 1 : -1));
  if (newest === undefined) return undefined;
  const { phase, message, finishedAt } = newest.status;
  return {
    name: newest.name,
    phase,
    ...(message === undefined ? {} : { message }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  };
}

/** A trigger that makes no sense is answered, and starts nothing. */
function unusableTrigger({ object }: ReadPlaybook, now: number): PlaybookStatus['trigger'] {
  const written = object === undefined ? undefined : readTrigger(object.resource);
  if (object === undefined || written?.kind !== 'unusable' || object.status.trigger?.id === written.id)
    return undefined;
  const time = new Date(now).toISOString();
  return { id: written.id, time, answer: `refused: ${written.problem}`, finishedAt: time };
}

function coverageStatus({ nodes }: PlaybookCoverage): NonNullable<PlaybookStatus['coverage']> {
  const oldest = nodes
    .flatMap(({ lastTurn }) => (lastTurn === undefined ? [] : [lastTurn.at]))
    .sort((a, b) => a - b)[0];
  return {
    nodes: nodes.length,
    overdue: nodes.filter(({ isAlarm }) => isAlarm).length,
    ...(oldest === undefined ? {} : { oldestTurn: new Date(oldest).toISOString() }),
  };
}

/** Guarded by the object's uid: one that was deleted and made again has not been read yet. */
async function writeStatus(
  request: Pick<DeskOptions, 'cluster' | 'namespace' | 'log'> & {
    readonly judged: JudgedPlaybook;
    readonly status: PlaybookStatus;
  },
  signal: AbortSignal,
): Promise<void> {
  const { cluster, namespace, judged, status } = request;
  const { name } = judged;
  const answer = await cluster.patch(
    {
      resource: playbookResource,
      namespace,
      name,
      subresource: 'status',
      patch: {
        type: 'json',
        operations: [
          { op: 'test', path: '/metadata/uid', value: judged.read.object?.resource.metadata.uid },
          { op: 'add', path: '/status', value: status },
        ],
      },
    },
    signal,
  );
  if (answer.kind !== 'ok' && answer.kind !== 'not-found')
    throw new Error(`The status of Playbook ${name} cannot be written: ${answer.message}`);
}
