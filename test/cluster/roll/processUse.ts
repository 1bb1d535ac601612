import { readFile } from 'node:fs/promises';
import { setInterval } from 'node:timers';

export interface ProcessUse {
  /** User and system time of the process and of those of its children that have ended. */
  cpuSeconds: number;
  /** The most resident memory of the process or of one of its children at one moment. */
  peakMemoryMiB: number;
}

/** /proc/PID/stat counts in these (sysconf(_SC_CLK_TCK) of Linux on every architecture that Node runs on). */
const ticksASecond = 100;

/** Follows what a process uses until `stop`; what it used in the last tenth of a second may be missing. */
export function watchProcess(pid: number): { stop(): ProcessUse } {
  const use: ProcessUse = { cpuSeconds: 0, peakMemoryMiB: 0 };
  const look = async (): Promise<void> => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined) return;
    // The name in parentheses may hold spaces; utime, stime, cutime and cstime are fields 14 to 17 (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
    use.cpuSeconds = Math.max(use.cpuSeconds, ticks / ticksASecond);
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    for (const each of [String(pid), ...children.trim().split(' ')]) {
      const status = await readFile(`/proc/${each}/status`, 'utf8').catch(() => '');
      const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
      use.peakMemoryMiB = Math.max(use.peakMemoryMiB, peakKiB / 1024);
    }
  };
  const timer = setInterval(() => void look(), 100);
  return {
    stop: () => {
      clearInterval(timer);
      return use;
    },
  };
}
