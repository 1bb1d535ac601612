import type { JournalEntry, JournalRecord } from '../../src/journal/entry.js';
import { openMetrics, type Metrics, type MetricsOptions } from '../../src/server/metrics.js';

export const startedAt = Date.parse('2026-11-10T22:00:00Z');

/** Metrics on a clock that a test sets. */
export function metricsAt(options: Partial<MetricsOptions> = {}): { metrics: Metrics; time: { now: number } } {
  const time = { now: startedAt };
  const metrics = openMetrics({
    clock: { now: () => time.now },
    version: '0.1.0',
    nodeVersion: 'v20.20.2',
    usage: () => ({ residentBytes: 1, cpuSeconds: 1 }),
    startedAt,
    ...options,
  });
  return { metrics, time };
}

/** The value of one series of what was read; undefined where there is none. */
export function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1).replace('Inf', 'Infinity'));
}

let written = 0;

/** An entry as a sink gets it. */
export function entry(record: JournalRecord, run = 'monthly-2026-11'): JournalEntry {
  written += 1;
  const time = new Date(startedAt + written * 1000).toISOString();
  return { seq: written, time, run, prev: '', hash: written.toString(16).padStart(64, '0'), ...record };
}

export const runStarted: JournalRecord = {
  type: 'run.started',
  actor: 'turnus-0',
  requester: 'anna@bank.example',
  playbook: 'monthly',
  order: ['node-1', 'node-2'],
  rehearsal: false,
  window: { opensAt: '2026-11-10T22:00:00.000Z', closesAt: '2026-11-11T04:00:00.000Z' },
};
