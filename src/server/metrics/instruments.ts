import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Every metric of Turnus, registered in `registry`. docs/metrics.md lists them all, and is tested against this. */
export type Instruments = ReturnType<typeof instruments>;

/** Seconds: from a step that finds its work done to a slow update. */
const stepBuckets = [1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];
/** Seconds: from a rehearsal to a node whose pods are hard to move. */
const turnBuckets = [60, 120, 300, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 14_400];

export function instruments(registry: Registry) {
  const { counter, gauge, histogram } = makers(registry);
  return {
    buildInfo: gauge('turnus_build_info', 'Always 1: which version runs.', ['version', 'node_version']),
    leader: gauge('turnus_leader', '1 on the replica that decides when runs start, else 0.', []),
    acting: gauge('turnus_acting', '1 while this process holds the Lease under which nodes are touched, else 0.', []),

    running: gauge('turnus_running', '1 while this process has a run of the playbook in work, else 0.', ['playbook']),
    runTurns: gauge('turnus_run_turns', 'Turns of the run in work, by their phase; 0 where none is.', [
      'playbook',
      'phase',
    ]),
    oldestWait: gauge(
      'turnus_oldest_wait_seconds',
      'Since when the run in work waits for the same thing, the longest.',
      ['playbook'],
    ),
    runsBegun: counter('turnus_runs_begun_total', 'Runs that this process began or went on with.', ['playbook', 'how']),
    runsLeft: counter('turnus_runs_left_total', 'Runs that this process worked on to an end, by their phase then.', [
      'playbook',
      'phase',
    ]),
    turnsStarted: counter('turnus_turns_started_total', 'Turns begun from their first step.', ['playbook']),
    turnsFinished: counter('turnus_turns_finished_total', 'Turns that ended, by phase.', ['playbook', 'phase']),
    turnFailures: counter('turnus_turn_failures_total', 'Turns that failed, by what failed.', ['playbook', 'code']),
    stepDuration: histogram('turnus_step_duration_seconds', 'Length of completed steps of turns.', stepBuckets, [
      'playbook',
      'phase',
    ]),
    turnDuration: histogram(
      'turnus_turn_duration_seconds',
      'Work on a turn that is done, from its check.',
      turnBuckets,
      ['playbook'],
    ),

    evictions: counter('turnus_evictions_total', 'Answers of the API server to evictions.', ['answer']),
    drainWait: counter('turnus_drain_wait_seconds_total', 'Time in which drains waited, by what for.', [
      'playbook',
      'reason',
    ]),
    budgetWait: counter('turnus_budget_wait_seconds_total', 'Time in which drains waited for a budget, by its name.', [
      'playbook',
      'namespace',
      'budget',
    ]),

    windowLeft: gauge('turnus_window_left_seconds', 'Until the open window closes; 0 where none is open.', [
      'playbook',
    ]),
    nextWindow: gauge('turnus_next_window_opens_timestamp_seconds', 'When the next window opens, Unix time.', [
      'playbook',
    ]),
    playbookReady: gauge('turnus_playbook_ready', '1 where nothing hinders what is due, else 0.', ['playbook']),
    playbookValid: gauge('turnus_playbook_valid', '1 where the playbook as it stands is valid, else 0.', ['playbook']),
    coverageNodes: gauge('turnus_coverage_nodes', 'Nodes that the playbook selects.', ['playbook']),
    coverageOverdue: gauge('turnus_coverage_overdue_nodes', 'Nodes whose turn is overdue by spec.schedule.coverage.', [
      'playbook',
    ]),
    coverageAge: gauge('turnus_coverage_age_seconds', 'Time since the turn that is the longest ago of any node.', [
      'playbook',
    ]),
    coverageLimit: gauge('turnus_coverage_limit_seconds', 'spec.schedule.coverage.', ['playbook']),

    watchLag: gauge('turnus_watch_lag_seconds', 'Since when a watched resource cannot be followed; 0: all can.', []),
    apiRequests: counter('turnus_api_requests_total', 'Requests to the API server, by status.', ['method', 'code']),

    notifications: counter('turnus_notifications_total', 'Notifications that left their queue, by what came of them.', [
      'playbook',
      'result',
    ]),
    notificationFailures: counter('turnus_notification_failures_total', 'Attempts to deliver that did not succeed.', [
      'playbook',
    ]),
    notificationsWaiting: gauge('turnus_notifications_waiting', 'Notifications in queues.', ['playbook']),

    residentMemory: gauge('process_resident_memory_bytes', 'Resident memory of this process.', []),
    cpuSeconds: counter('process_cpu_seconds_total', 'Time that this process spent on processors.', []),
    startTime: gauge('process_start_time_seconds', 'When this process started, Unix time.', []),
  };
}

function makers(registry: Registry) {
  const registers = [registry];
  return {
    counter: <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Counter<T>({ name, help, labelNames, registers }),
    gauge: <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Gauge<T>({ name, help, labelNames, registers }),
    histogram: <T extends string>(name: string, help: string, buckets: number[], labelNames: T[]) =>
      new Histogram<T>({ name, help, labelNames, buckets, registers }),
  };
}
