import { withHistory } from '../run/forecastRun.js';
import { readPastTurns } from '../run/pastTurns.js';
import { prepareRun, type Prepared } from '../run/prepareRun.js';
import { connectCluster } from './connectCluster.js';
import { say, type ClusterOptions, type CommandIo } from './io.js';
import { openHosts } from './openHosts.js';
import { openPlaybook } from './openPlaybook.js';
import { readThisMachine } from './thisMachine.js';

export interface PlanOptions extends ClusterOptions {
  readonly file: string;
  readonly selector?: string;
  readonly node: readonly string[];
  readonly rehearse?: boolean;
  readonly yes?: boolean;
  readonly replace?: boolean;
  readonly now?: boolean;
  readonly overrideFreeze?: readonly string[];
}

/** Reads the playbook, connects, and makes the plan. `close` of the answer also closes the connections. */
export async function preparePlan(
  io: CommandIo,
  options: PlanOptions & { readonly command: 'plan' | 'run'; readonly stop?: AbortSignal },
): Promise<Prepared> {
  const { command } = options;
  const playbook = await openPlaybook(io, options.file);
  const cluster = await connectCluster(io, options);
  const closing = new AbortController();
  // Only while the plan is made: what follows needs the cluster to give a node back.
  const giveUp = () => {
    closing.abort(options.stop?.reason);
  };
  options.stop?.addEventListener('abort', giveUp);
  try {
    options.stop?.throwIfAborted();
    const rehearsal = options.rehearse ?? false;
    const prepared = await prepareRun({
      command,
      playbook,
      cluster,
      openHosts: rehearsal ? undefined : async () => await openHosts(io, playbook),
      clock: io.clock,
      random: io.random,
      thisMachine: await readThisMachine(io),
      mustBeNamed: command === 'run' && options.yes === true && options.context === undefined,
      rehearsal,
      replace: options.replace === true,
      overrides: { windows: options.now === true, freezes: options.overrideFreeze ?? [] },
      names: options.node,
      selector: options.selector,
      signal: closing.signal,
      onProblem: ({ subject, failure }) => {
        say(io, `warning: ${subject} cannot be followed: ${failure.message}`);
      },
    });
    const close = async () => {
      await prepared.close();
      closing.abort();
      cluster.close();
    };
    try {
      // A rehearsal is quicker than what former runs have measured.
      const past = rehearsal ? [] : await readPastTurns({ cluster, playbook: playbook.name }, closing.signal);
      return { ...prepared, plan: withHistory(prepared.plan, past), past, close };
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    closing.abort();
    cluster.close();
    throw error;
  } finally {
    options.stop?.removeEventListener('abort', giveUp);
  }
}
