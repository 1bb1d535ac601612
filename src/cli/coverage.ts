import { coverageJson } from '../console/coverageJson.js';
import { coverageText } from '../console/coverageText.js';
import { alarmingNodes } from '../run/coverage.js';
import { readCoverage } from '../run/readCoverage.js';
import { connectCluster } from './connectCluster.js';
import { print, type ClusterOptions, type CommandIo } from './io.js';
import { openPlaybook } from './openPlaybook.js';

export interface CoverageOptions extends ClusterOptions {
  readonly file?: string;
  readonly output: 'text' | 'json';
}

/** `turnus coverage`: when each node had its last turn; exit 3 where one is overdue, or where that cannot be said. */
export async function coverageCommand(io: CommandIo, options: CoverageOptions): Promise<number> {
  const playbook = options.file === undefined ? undefined : await openPlaybook(io, options.file);
  const cluster = await connectCluster(io, { ...options, command: 'coverage' });
  try {
    const { signal } = new AbortController();
    const { clock } = io;
    const reading = await readCoverage({ cluster, clock, playbook }, signal);
    await print(
      io,
      options.output === 'json'
        ? JSON.stringify(coverageJson(reading), undefined, 2)
        : coverageText(reading).join('\n'),
    );
    return alarmingNodes(reading.coverage).length + reading.notUnderstood.length > 0 ? 3 : 0;
  } finally {
    cluster.close();
  }
}
