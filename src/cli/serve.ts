import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import type { JournalSink } from '../journal/entry.js';
import { openFileSink } from '../journal/fileSink.js';
import { streamSink } from '../journal/streamSink.js';
import type { Playbook } from '../playbook/playbook.js';
import { checkedClusterUid, refuseMissingPermissions, refuseUnreachable } from '../run/preconditions.js';
import { createApp } from '../server/http.js';
import { listen } from '../server/listen.js';
import { openLog, type Log, type LogLevel } from '../server/log.js';
import { fileSource, objectSource, type PlaybookSource } from '../server/playbooks/playbookSource.js';
import type { OwnObjects } from '../server/ownObjects.js';
import { serve } from '../server/serve.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { homeDirectory, type ClusterOptions, type CommandIo } from './io.js';
import { handOverOnSignals } from './handOverOnSignals.js';
import { openHosts } from './openHosts.js';
import { clusterFiles, machineFiles, type PlaybookFiles } from './playbookFiles.js';
import { openPlaybook } from './openPlaybook.js';
import { readThisMachine } from './thisMachine.js';
import { openWatching, type Watching } from './watching.js';

export interface ServeOptions extends ClusterOptions {
  /** None: the `Playbook` objects of the cluster. */
  readonly file: readonly string[];
  readonly listen: string;
  readonly logLevel: LogLevel;
}

/** `turnus serve`: does by itself what playbooks say, until a signal ends it; exit 0. */
export async function serveCommand(io: CommandIo, options: ServeOptions): Promise<number> {
  await refuseUnservable(io, options.file);
  const log = openLog({ stream: io.stdout, level: options.logLevel, clock: io.clock });
  const ending = handOverOnSignals(io, log);
  const watching = openWatching(io, log);
  const cluster = watching.counted(
    await connectCluster(io, { ...options, command: 'serve', onAnswer: watching.onAnswer }),
  );
  try {
    const place = await preparedPlace(cluster, options, ending.stop);
    const files = options.file.length > 0 ? machineFiles : clusterFiles({ cluster, ...place }, ending.stop);
    const server = await listen({ app: createApp(watching), address: options.listen });
    log.info({ event: 'listening', msg: `Answers on ${server.address}.`, details: { address: server.address } });
    try {
      await servePlaybooks({ io, options, log, ending, watching, cluster, place, files });
    } finally {
      await watching.close(closeWithinMs);
      const deadline = io.clock.deadline(closeWithinMs, new AbortController().signal);
      await server.close(deadline.signal);
      deadline.clear();
    }
    log.info({ event: 'ended', msg: 'Has ended; what is due is left to the next actor.' });
    return 0;
  } catch (error) {
    if (!ending.stop.aborted) throw error;
    return 0;
  } finally {
    ending.close();
    cluster.close();
  }
}

/** Notifications and requests under way get this long when the process ends. */
const closeWithinMs = 700;

interface Place {
  readonly namespace: string;
  readonly clusterUid: string;
}

async function preparedPlace(cluster: ClusterPort, options: ServeOptions, signal: AbortSignal): Promise<Place> {
  await refuseUnreachable(cluster, signal).catch(startedAgain);
  const { namespace } = await readInstallation(cluster, signal);
  const extras = options.file.length > 0 ? [] : (['serve'] as const);
  await refuseMissingPermissions({ cluster, wanted: permissionsFor('run', namespace, extras) }, signal);
  const clusterUid = await checkedClusterUid({ cluster, expected: undefined, mustBeNamed: false }, signal);
  return { namespace, clusterUid };
}

/** Whoever starts the process again after a while has what it needs then: exit 2 would say that it is in vain. */
function startedAgain(error: unknown): never {
  if (!(error instanceof TurnusError)) throw error;
  const { code, message, hint } = error;
  throw new TurnusError({ code, message, exitCode: 1, cause: error, ...(hint === undefined ? {} : { hint }) });
}

/** A mistake in a file is told at once, as by every other command; one made later leaves the former version in force. */
async function refuseUnservable(io: CommandIo, files: readonly string[]): Promise<void> {
  const names = new Map<string, string>();
  for (const file of files) {
    const playbook = await openPlaybook(io, file);
    const other = names.get(playbook.name);
    if (other !== undefined) {
      throw new TurnusError({
        code: 'playbook-twice',
        message: `${other} and ${file} are both named ${playbook.name} (metadata.name).`,
        hint: 'Runs are told apart by the name of their playbook: give each its own.',
      });
    }
    names.set(playbook.name, file);
    if (playbook.journal === undefined) {
      throw new TurnusError({
        code: 'no-journal',
        message: `${file} does not say where its journal goes (spec.journal).`,
        hint: 'Write journal: {file: /var/lib/turnus/journal.ndjson}, or {stdout: true} where the output is kept.',
      });
    }
  }
}

async function servePlaybooks(call: {
  readonly io: CommandIo;
  readonly options: ServeOptions;
  readonly log: Log;
  readonly ending: ReturnType<typeof handOverOnSignals>;
  readonly watching: Watching;
  readonly cluster: ClusterPort;
  readonly place: Place;
  readonly files: PlaybookFiles;
}): Promise<void> {
  const { io, options, log, ending, watching, cluster, place, files } = call;
  const withPlaybooks = options.file.length === 0;
  const hasContext = options.context !== undefined;
  const quiet: CommandIo = { ...io, stderr: watching.warnings };
  let own: OwnObjects | undefined;
  const source: PlaybookSource = withPlaybooks
    ? objectSource({ readFile: files.readFile, clock: io.clock, objects: () => own?.playbooks() ?? [] })
    : fileSource({
        files: options.file,
        readFile: files.readFile,
        homeDirectory: homeDirectory(io),
        clock: io.clock,
      });
  await serve({
    ...place,
    cluster,
    clock: io.clock,
    random: io.random,
    source,
    withPlaybooks,
    actor: `${io.env['POD_NAME'] ?? hostname()}/${randomUUID().slice(0, 8)}`,
    thisMachine: await readThisMachine(io),
    // An object stands in the cluster that it is for.
    mustBeNamed: !withPlaybooks && !hasContext,
    openHosts: async (playbook) => await openHosts(quiet, playbook, files),
    openSinks: async (playbook) => [
      await openJournalSink(io, playbook),
      ...watching.sinks(playbook, { clusterUid: place.clusterUid, files }),
    ],
    stop: ending.stop,
    hurry: ending.hurry,
    leftToOthers: new Set(),
    onProblem: (resource, failure) => {
      log.warn({ event: 'watch.failing', msg: `${resource} cannot be followed: ${failure.message}` });
    },
    onWatching: (objects) => {
      own = objects;
      watching.follow(objects);
    },
    onWaiting: (holder) => {
      log.info({ event: 'standby', msg: `${holder === '' ? 'Nobody' : holder} leads; this process stands by.` });
    },
    onLead: watching.onLead,
    onCache: watching.onCache,
    onRun: watching.onRun,
    onRunLeft: watching.onRunLeft,
    onPlan: (announcement) => {
      watching.announce(announcement, { clusterUid: place.clusterUid, files });
    },
    onJudged: watching.onJudged,
    onForgotten: watching.onForgotten,
    log: (event, fields, msg) => {
      const level = failing.has(event) ? 'warn' : 'info';
      log[level]({ event, ...fields, msg });
    },
  });
}

const failing: ReadonlySet<string> = new Set([
  'lead.lost',
  'act.failed',
  'act.refused',
  'playbook.invalid',
  'playbooks.unread',
  'coverage.unread',
  'plan.failed',
  'run.unserved',
  'lease.held',
]);

async function openJournalSink(io: CommandIo, { name, journal }: Playbook): Promise<JournalSink> {
  if (journal === undefined) throw new Error(`playbook ${name} is served without a journal`);
  if (journal.kind === 'file') return await openFileSink(journal.path);
  return streamSink({ stream: io.stdout, name: 'standard output' });
}
