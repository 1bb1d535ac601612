import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { drainedLines, drainLine, drainWaitLine } from '../console/drainLines.js';
import { drainPreviewText } from '../console/drainText.js';
import type { JournalSink } from '../journal/entry.js';
import { openFileSink } from '../journal/fileSink.js';
import { drainDefaults } from '../playbook/drainDefaults.js';
import { drainAlone, type DrainAloneEnd } from '../run/drainAlone.js';
import { drainMark } from '../run/drainMark.js';
import { prepareDrain, type PreparedDrain } from '../run/prepareDrain.js';
import { previewDrain } from '../run/previewDrain.js';
import { countTurns, exitCode } from '../run/runEnd.js';
import type { TurnStatus } from '../run/state.js';
import { leaseName } from '../run/underLease.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { print, say, type ClusterOptions, type CommandIo } from './io.js';
import { openPlaybook } from './openPlaybook.js';
import { stopOnSignals, type Stopping } from './stopOnSignals.js';
import { readThisMachine } from './thisMachine.js';

export interface DrainOptions extends ClusterOptions {
  readonly file?: string;
  readonly dryRun: boolean;
  readonly journal?: string;
}

/** `turnus drain NODE`: the gates (not the host's) and the drain alone. The node stays cordoned once it is empty. */
export async function drainCommand(io: CommandIo, nodeName: string, options: DrainOptions): Promise<number> {
  const playbook = options.file === undefined ? drainDefaults() : await openPlaybook(io, options.file);
  const stopping = stopOnSignals(io, (line) => {
    say(io, line);
  });
  const cluster = await connectCluster(io, { ...options, command: 'drain' });
  const closing = new AbortController();
  const giveUp = () => {
    closing.abort(stopping.signal.reason);
  };
  stopping.signal.addEventListener('abort', giveUp);
  try {
    const prepared = await prepareDrain({
      playbook,
      nodeName,
      dryRun: options.dryRun,
      cluster,
      clock: io.clock,
      random: io.random,
      thisMachine: await readThisMachine(io),
      signal: closing.signal,
      onProblem: ({ subject, failure }) => {
        say(io, `warning: ${subject} cannot be followed: ${failure.message}`);
      },
    });
    try {
      if (options.dryRun) return await preview(io, prepared, stopping.signal);
      // What follows needs the cluster to give the node back.
      stopping.signal.removeEventListener('abort', giveUp);
      return await act(io, { prepared, options, stopping });
    } finally {
      await prepared.close();
    }
  } catch (error) {
    if (stopping.stoppedBy() === undefined || error !== stopping.signal.reason) throw error;
    say(io, 'Stopped.');
    return stoppedExit(stopping);
  } finally {
    closing.abort();
    cluster.close();
  }
}

async function preview(io: CommandIo, prepared: PreparedDrain, signal: AbortSignal): Promise<number> {
  const evaluation = await previewDrain(prepared, signal);
  const { node, cluster } = prepared;
  await print(io, drainPreviewText({ node: node.name, target: cluster.target, evaluation }).join('\n'));
  return evaluation.findings.some(({ severity }) => severity === 'block') ? 3 : 0;
}

interface DrainCall {
  readonly prepared: PreparedDrain;
  readonly options: DrainOptions;
  readonly stopping: Stopping;
}

async function act(io: CommandIo, { prepared, options, stopping }: DrainCall): Promise<number> {
  const log = (line: string | undefined) => {
    if (line !== undefined) say(io, line);
  };
  if (prepared.namespace === undefined) {
    log('Turnus is not installed in this cluster, so no lease keeps a second actor out.');
  }
  const sinks: JournalSink[] = options.journal === undefined ? [] : [await openFileSink(options.journal)];
  let latest: TurnStatus | undefined;
  try {
    const end = await drainAlone({
      prepared,
      clock: io.clock,
      actor: `${userInfo().username}@${hostname()}/${randomUUID().slice(0, 8)}`,
      sinks,
      onRecord: (record) => {
        log(drainLine(record));
      },
      onChange: (status) => {
        log(drainWaitLine(latest, status));
        latest = status;
      },
      log,
      stop: stopping.signal,
    });
    return tellEnd(io, end, { prepared, stopping });
  } catch (error) {
    if (latest?.cordoned === true) log(leftCordoned(prepared));
    throw error;
  } finally {
    for (const sink of sinks) await sink.close();
  }
}

function tellEnd(io: CommandIo, end: DrainAloneEnd, { prepared, stopping }: Omit<DrainCall, 'options'>): number {
  const { node, namespace = '', user } = prepared;
  const where = `${namespace}/${leaseName}`;
  switch (end.kind) {
    case 'drained': {
      const foundCordoned = node.unschedulable;
      const lines = drainedLines({ node: node.name, foundCordoned, mark: drainMark(user), status: end.status });
      for (const line of lines) say(io, line);
      return 0;
    }
    case 'not-drained':
    case 'stopped':
      say(io, end.message);
      say(io, howItWasLeft(prepared, end.status));
      return end.kind === 'stopped' ? stoppedExit(stopping) : 3;
    case 'other':
      say(io, `turnus: ${end.holder} is at work in this cluster and holds the lease ${where}.`);
      say(io, `Node ${node.name} was left as it is; when that one has ended, start the same command again.`);
      return 7;
    case 'failure':
      throw new TurnusError({
        code: 'lease-failed',
        message: `The lease ${where} cannot be taken: ${end.failure.message}`,
        exitCode: 1,
      });
  }
}

function howItWasLeft(prepared: PreparedDrain, { cordoned, evictions = 0 }: TurnStatus): string {
  const { node } = prepared;
  const pods = `${String(evictions)} ${evictions === 1 ? 'pod was' : 'pods were'} evicted`;
  if (node.unschedulable) return `Node ${node.name} is not drained and stays cordoned, as it was before; ${pods}.`;
  if (cordoned === true) return leftCordoned(prepared);
  return `Node ${node.name} is not drained and takes pods as before; ${pods}.`;
}

function leftCordoned({ node, user }: PreparedDrain): string {
  return `Node ${node.name} is cordoned (${drainMark(user)}). Start the same command again to go on, or give it back: kubectl uncordon ${node.name}`;
}

function stoppedExit({ stoppedBy }: Stopping): number {
  return exitCode(countTurns({ turns: new Map() }), stoppedBy() ?? { kind: 'other-actor' });
}
