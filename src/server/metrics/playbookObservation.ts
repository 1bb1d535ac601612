import type { PlaybookCoverage } from '../../run/coverage.js';
import { turnFailureCodes } from '../../run/failure.js';
import { runPhases, turnPhases } from '../../run/state.js';
import { turnSteps } from '../../run/turn.js';
import { stageWaits } from '../../drain/waitedTime.js';
import { waitReasons } from '../../drain/nextStep.js';
import { notificationResults } from '../notify/notificationResult.js';
import type { Instruments } from './instruments.js';

/** What is known of a playbook that is in force, as far as it is known. Times are milliseconds since the epoch. */
export interface PlaybookSight {
  readonly playbook: string;
  /** Whether it is valid as it stands now; one that is not leaves the former one in force. */
  readonly isValid: boolean;
  /** Something of it is in force, and nothing that is due was tried in vain. */
  readonly isReady: boolean;
  /** The window that is open and those that come, in their order; `closesAt` undefined: it has no end. */
  readonly windows: readonly { readonly opensAt: number; readonly closesAt: number | undefined }[];
  /** Undefined: not judged yet. */
  readonly coverage: Pick<PlaybookCoverage, 'nodes' | 'coverageMs'> | undefined;
}

/** Follows the playbooks; what depends on the time is worked out when it is read. */
export interface PlaybookObservation {
  /** `playbook`: the label. Its other series begin at 0 with the first call. */
  observe(sight: Omit<PlaybookSight, 'playbook'>, playbook: string): void;
  /** The playbook is gone: what stands still about it is taken out; what was counted stays. */
  forget(playbook: string): void;
  /** `now`: milliseconds since the epoch. */
  collect(now: number): void;
}

type Kept = Pick<PlaybookSight, 'windows'> & {
  readonly nodes: readonly { readonly since: number; readonly dueAt: number | undefined }[] | undefined;
};

export function playbookObservation(counts: Instruments): PlaybookObservation {
  const kept = new Map<string, Kept>();
  return {
    observe({ isValid, isReady, windows, coverage }, playbook) {
      if (!kept.has(playbook)) beginAtZero(counts, playbook);
      counts.playbookValid.set({ playbook }, isValid ? 1 : 0);
      counts.playbookReady.set({ playbook }, isReady ? 1 : 0);
      const nodes = coverage?.nodes.map(({ lastTurn, createdAt, dueAt }) => ({
        since: lastTurn?.at ?? createdAt,
        dueAt,
      }));
      kept.set(playbook, { windows, nodes });
      if (coverage?.coverageMs === undefined) counts.coverageLimit.remove({ playbook });
      else counts.coverageLimit.set({ playbook }, coverage.coverageMs / 1000);
    },
    forget(playbook) {
      kept.delete(playbook);
      const standing = [
        ...[
          counts.playbookValid,
          counts.playbookReady,
          counts.windowLeft,
          counts.nextWindow,
          counts.running,
          counts.oldestWait,
        ],
        ...[counts.coverageNodes, counts.coverageOverdue, counts.coverageAge, counts.coverageLimit],
      ];
      for (const gauge of standing) gauge.remove({ playbook });
      for (const phase of turnPhases) counts.runTurns.remove({ playbook, phase });
    },
    collect(now) {
      for (const [playbook, { windows, nodes }] of kept) {
        collectWindows(counts, { playbook, windows, now });
        if (nodes !== undefined) collectCoverage(counts, { playbook, nodes, now });
      }
    },
  };
}

function collectWindows(
  counts: Instruments,
  { playbook, windows, now }: { playbook: string; windows: Kept['windows']; now: number },
): void {
  const open = windows.find(({ opensAt, closesAt = Infinity }) => opensAt <= now && now < closesAt);
  const leftMs = open === undefined ? 0 : (open.closesAt ?? Infinity) - now;
  counts.windowLeft.set({ playbook }, leftMs / 1000);
  const next = windows.find(({ opensAt }) => opensAt > now);
  if (next === undefined) counts.nextWindow.remove({ playbook });
  else counts.nextWindow.set({ playbook }, next.opensAt / 1000);
}

function collectCoverage(
  counts: Instruments,
  { playbook, nodes, now }: { playbook: string; nodes: NonNullable<Kept['nodes']>; now: number },
): void {
  counts.coverageNodes.set({ playbook }, nodes.length);
  counts.coverageOverdue.set({ playbook }, nodes.filter(({ dueAt = Infinity }) => dueAt < now).length);
  const oldest = Math.min(now, ...nodes.map(({ since }) => since));
  counts.coverageAge.set({ playbook }, (now - oldest) / 1000);
}

/** A rate needs the 0 before the 1: every label that is one of a closed set is there from the beginning. */
function beginAtZero(counts: Instruments, playbook: string): void {
  counts.running.inc({ playbook }, 0);
  counts.oldestWait.inc({ playbook }, 0);
  counts.turnsStarted.inc({ playbook }, 0);
  counts.turnDuration.zero({ playbook });
  counts.notificationFailures.inc({ playbook }, 0);
  counts.notificationsWaiting.inc({ playbook }, 0);
  for (const how of ['started', 'resumed']) counts.runsBegun.inc({ playbook, how }, 0);
  for (const phase of runPhases) counts.runsLeft.inc({ playbook, phase }, 0);
  for (const phase of turnPhases) counts.runTurns.inc({ playbook, phase }, 0);
  for (const phase of finishedPhases) counts.turnsFinished.inc({ playbook, phase }, 0);
  for (const code of turnFailureCodes) counts.turnFailures.inc({ playbook, code }, 0);
  for (const { phase } of turnSteps) counts.stepDuration.zero({ playbook, phase });
  for (const reason of [...waitReasons, ...stageWaits]) counts.drainWait.inc({ playbook, reason }, 0);
  for (const result of notificationResults) counts.notifications.inc({ playbook, result }, 0);
}

/** In which a turn can end, for now or for good. */
const finishedPhases = ['Done', 'Failed', 'Blocked', 'Deferred', 'Skipped', 'Pending'] as const;
