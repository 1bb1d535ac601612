import type { ClusterPort } from '../cluster/clusterPort.js';
import { seeLease, type LeaseSight } from '../cluster/leaseSight.js';
import { openRunConsole, type RunConsole } from '../console/runConsole.js';
import { statusJson, statusText, type RunStatusView } from '../console/statusText.js';
import { readInstallation } from '../install/installation.js';
import { followRun } from '../run/followRun.js';
import { listAllRuns, readRunState, type ListedRun } from '../run/listRuns.js';
import { exitCodeOfSignal } from '../run/runEnd.js';
import { abortOnSignals } from './abortOnSignals.js';
import { leaseName } from '../run/underLease.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { print, say, type ClusterOptions, type CommandIo } from './io.js';

export interface StatusOptions extends ClusterOptions {
  readonly output: 'text' | 'json';
  readonly watch: boolean;
}

/** How often the Lease is looked at while a run is watched; it is read, not watched, to ask for no more rights. */
const lookAtLeaseEveryMs = 5000;

/** `turnus status`: one run, its turns, what failed and what to do. Reads only. */
export async function statusCommand(io: CommandIo, name: string | undefined, options: StatusOptions): Promise<number> {
  const { stopping, stoppedBy } = abortOnSignals(io);
  // Nobody reads any more (`| head`).
  io.stdout.once('error', () => {
    stopping.abort(new Error('standard output is closed'));
  });
  const cluster = await connectCluster(io, { ...options, command: 'status' });
  try {
    return await showStatus(io, { cluster, name, options }, stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted || error !== stopping.signal.reason) throw error;
    const signal = stoppedBy();
    return signal === undefined ? 0 : exitCodeOfSignal[signal];
  } finally {
    cluster.close();
  }
}

async function showStatus(
  io: CommandIo,
  call: { cluster: ClusterPort; name: string | undefined; options: StatusOptions },
  signal: AbortSignal,
): Promise<number> {
  const { cluster, name, options } = call;
  const { namespace } = await readInstallation(cluster, signal);
  const runs = await listAllRuns({ cluster, namespace }, signal);
  const run = name === undefined ? runs[0] : runs.find((candidate) => candidate.name === name);
  if (run === undefined) {
    if (name !== undefined) throw unknownRun(name, { runs, namespace });
    if (options.output === 'json') await print(io, 'null');
    else say(io, `There is no run in namespace ${namespace}; \`turnus run -f PLAYBOOK\` begins one.`);
    return 0;
  }
  const lease = { cluster, clock: io.clock, namespace, name: leaseName };
  const [state, actor] = await Promise.all([
    readRunState({ cluster, namespace, run }, signal),
    seeLease(lease, signal),
  ]);
  const others = runs.filter((other) => other !== run);
  const view: RunStatusView = { state, actor, lease: `${namespace}/${leaseName}`, others };
  if (options.watch) return await watchRun(io, { view, lease, json: options.output === 'json' }, signal);
  const { clock } = io;
  await print(
    io,
    options.output === 'json'
      ? JSON.stringify(statusJson(view), undefined, 2)
      : statusText(view, clock.now()).join('\n'),
  );
  return 0;
}

interface Watching {
  readonly view: RunStatusView;
  readonly lease: Parameters<typeof seeLease>[0];
  readonly json: boolean;
}

/** Follows the run on a live screen, by lines or, for programs, by one line of JSON a change. */
async function watchRun(io: CommandIo, watching: Watching, signal: AbortSignal): Promise<number> {
  const { view, lease, json } = watching;
  const { name } = view.state;
  let actor = view.actor;
  const screen: RunConsole | undefined = json
    ? undefined
    : openRunConsole({ stream: io.stdout, env: io.env, clock: io.clock });
  const tell = (line: string) => {
    if (screen === undefined) say(io, line);
    else screen.log(line);
  };
  const ending = new AbortController();
  const looking = lookAtLease(lease, AbortSignal.any([signal, ending.signal]), (sight) => {
    actor = sight;
    screen?.actor(sight);
  });
  looking.catch(() => undefined);
  screen?.actor(actor);
  try {
    const end = await followRun({
      ...lease,
      name,
      random: io.random,
      signal,
      onChange: (state) => {
        if (screen === undefined) io.stdout.write(`${JSON.stringify(statusJson({ ...view, state, actor }))}\n`);
        else screen.change(state);
      },
      onProblem: (failure) => {
        if (failure === undefined) tell(`Run ${name} is followed again.`);
        else tell(`warning: run ${name} cannot be followed, what is shown may be old: ${failure.message}`);
      },
    });
    screen?.end(end.kind === 'ended' ? end.state : undefined);
    if (end.kind === 'deleted') tell(`Run ${name} was deleted.`);
    return 0;
  } finally {
    ending.abort(new Error('the run is no longer watched'));
    screen?.end();
  }
}

async function lookAtLease(
  lease: Watching['lease'],
  signal: AbortSignal,
  onSight: (sight: LeaseSight) => void,
): Promise<never> {
  for (;;) {
    await lease.clock.sleep(lookAtLeaseEveryMs, signal);
    onSight(await seeLease(lease, signal));
  }
}

function unknownRun(name: string, known: { runs: readonly ListedRun[]; namespace: string }): TurnusError {
  const names = known.runs.map((run) => run.name);
  return new TurnusError({
    code: 'unknown-run',
    message: `There is no run ${JSON.stringify(name)} in namespace ${known.namespace}.`,
    hint: names.length === 0 ? 'There is no run at all.' : `There are: ${names.join(', ')}.`,
  });
}
