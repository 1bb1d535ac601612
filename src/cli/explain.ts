import { explainText } from '../console/explainText.js';
import { explainNode } from '../run/explainNode.js';
import { connectCluster } from './connectCluster.js';
import { print, say, type ClusterOptions, type CommandIo } from './io.js';
import { openHosts } from './openHosts.js';
import { openPlaybook } from './openPlaybook.js';
import { readThisMachine } from './thisMachine.js';

export interface ExplainOptions extends ClusterOptions {
  readonly file?: string;
  /** False: the host is not asked, although a playbook is given. */
  readonly host: boolean;
  readonly output: 'text' | 'json';
}

/** `turnus explain`: why a node waits and which object to change; exit 3 where something stands in its way. */
export async function explainCommand(io: CommandIo, node: string, options: ExplainOptions): Promise<number> {
  const playbook = options.file === undefined ? undefined : await openPlaybook(io, options.file);
  const cluster = await connectCluster(io, { ...options, command: 'explain' });
  const closing = new AbortController();
  try {
    const explained = await explainNode(
      {
        cluster,
        node,
        playbook,
        // The playbook of a run names files of another machine: keys to log in with are not among what is here.
        openHosts: playbook === undefined || !options.host ? undefined : async () => await openHosts(io, playbook),
        clock: io.clock,
        random: io.random,
        thisMachine: await readThisMachine(io),
        onProblem: ({ subject, failure }) => {
          say(io, `warning: ${subject} cannot be followed: ${failure.message}`);
        },
      },
      closing.signal,
    );
    await print(
      io,
      options.output === 'json'
        ? JSON.stringify(explained, undefined, 2)
        : explainText(explained, io.clock.now()).join('\n'),
    );
    return explained.inTheWay.length > 0 ? 3 : 0;
  } finally {
    closing.abort();
    cluster.close();
  }
}
