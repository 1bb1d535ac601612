import type { CompletedTurn } from '../run/completedTurn.js';
import { alarmingNodes, type NodeCoverage, type PlaybookCoverage } from '../run/coverage.js';
import type { CoverageReading } from '../run/readCoverage.js';

/** The coverage for programs, as docs/coverage.md has it: additions to it are possible, nothing is renamed. */
export function coverageJson({ coverage, notUnderstood }: CoverageReading): Readonly<Record<string, unknown>> {
  return {
    judgedAt: timestampOf(coverage.judgedAt),
    alarms: alarmingNodes(coverage),
    playbooks: coverage.playbooks.map(playbookJson),
    notSelected: coverage.notSelected,
    notUnderstood,
  };
}

function playbookJson({ playbook, snapshotOf, coverageMs, nodes, current }: PlaybookCoverage) {
  return { playbook, snapshotOf, coverageMs, nodes: nodes.map(nodeJson), currentRun: current };
}

function nodeJson({ node, verdict, isAlarm, createdAt, lastTurn, ageMs, dueAt }: NodeCoverage) {
  return {
    node,
    verdict,
    alarm: isAlarm,
    ageMs,
    dueAt: dueAt === undefined ? undefined : timestampOf(dueAt),
    createdAt: timestampOf(createdAt),
    lastTurn: lastTurn && turnJson(lastTurn),
  };
}

function turnJson({ at, run, knownBy, versionsBefore, versionsAfter, scriptVersions }: CompletedTurn) {
  return { time: timestampOf(at), run, knownBy, versionsBefore, versionsAfter, scriptVersions };
}

/** RFC 3339, UTC. */
function timestampOf(ms: number): string {
  return new Date(ms).toISOString();
}
