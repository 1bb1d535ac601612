import { openLiveView, type LiveView, type Terminal } from '../console/liveView.js';
import { doctorProgressLine, doctorText } from '../console/doctorText.js';
import { examine } from '../doctor/examine.js';
import type { HostsProgress } from '../doctor/nodeChecks.js';
import { exitCodeOfSignal } from '../run/runEnd.js';
import { abortOnSignals } from './abortOnSignals.js';
import { connectCluster } from './connectCluster.js';
import { print, type ClusterOptions, type CommandIo } from './io.js';
import { openHosts } from './openHosts.js';
import { openPlaybook } from './openPlaybook.js';

export interface DoctorOptions extends ClusterOptions {
  readonly file: string;
  readonly selector?: string;
  readonly node: readonly string[];
  readonly output: 'text' | 'json';
}

/** `turnus doctor`: everything that a run needs of cluster and hosts, looked at before the night; exit 3 where a check fails. */
export async function doctorCommand(io: CommandIo, options: DoctorOptions): Promise<number> {
  const playbook = await openPlaybook(io, options.file);
  const { stopping, stoppedBy } = abortOnSignals(io);
  const cluster = await connectCluster(io, { ...options, command: 'doctor' });
  const progress = openProgress(io);
  try {
    const report = await examine(
      {
        playbook,
        cluster,
        openHosts: async () => await openHosts(io, playbook),
        clock: io.clock,
        names: options.node,
        selector: options.selector,
        onHosts: progress.hosts,
      },
      stopping.signal,
    );
    progress.end();
    await print(
      io,
      options.output === 'json'
        ? JSON.stringify(report, undefined, 2)
        : doctorText(report, widthOf(io.stdout)).join('\n'),
    );
    return report.verdict === 'failed' ? 3 : 0;
  } catch (error) {
    const signal = stoppedBy();
    if (signal === undefined || error !== stopping.signal.reason) throw error;
    return exitCodeOfSignal[signal];
  } finally {
    progress.end();
    stopping.abort(new Error('the command has ended'));
    cluster.close();
  }
}

/** Of a file or a pipe, and of a terminal that is wider, this many columns are used. */
const widest = 120;

function widthOf(stream: Terminal): number {
  const columns = stream.columns ?? 0;
  return columns < 1 ? widest : Math.min(columns, widest);
}

/** One line on standard error while it lasts, where that is a terminal; nothing elsewhere. */
function openProgress(io: CommandIo): { readonly hosts: (hosts: HostsProgress) => void; readonly end: () => void } {
  const stream: Terminal = io.stderr;
  if (stream.isTTY !== true || io.env['TERM'] === 'dumb') return { hosts: () => undefined, end: () => undefined };
  let last: HostsProgress | undefined;
  let hasEnded = false;
  const view: LiveView = openLiveView({
    stream,
    clock: io.clock,
    draw: ({ columns }) => (hasEnded ? [] : [doctorProgressLine(last, columns)]),
  });
  view.redraw();
  return {
    hosts(hosts) {
      last = hosts;
      view.redraw();
    },
    end() {
      if (hasEnded) return;
      hasEnded = true;
      view.done();
    },
  };
}
