import type { CompletedTurn } from '../run/completedTurn.js';
import { alarmingNodes, type NodeCoverage, type PlaybookCoverage } from '../run/coverage.js';
import type { CurrentRun } from '../run/currentRun.js';
import type { CoverageReading } from '../run/readCoverage.js';
import { formatDuration } from '../time/duration.js';
import { someNames } from './ownersReport.js';
import { plainText } from './plainText.js';
import { table } from './table.js';
import { timeText } from './timeText.js';

/** Which node had its last turn when, for people; the last line says how many need one and what to do. */
export function coverageText({ coverage, notUnderstood }: CoverageReading): string[] {
  const { playbooks, notSelected, judgedAt } = coverage;
  return [
    ...playbooks.flatMap((playbook) => [...playbookLines(playbook, judgedAt), '']),
    ...(notSelected.length === 0 ? [] : [`Not selected, and so never taken: ${names(notSelected)}`]),
    ...notUnderstood.map((sentence) => `Not counted: ${plainText(sentence)}`),
    lastLine({ coverage, notUnderstood }),
  ];
}

function playbookLines(judged: PlaybookCoverage, now: number): string[] {
  const { playbook, snapshotOf, coverageMs, nodes, current } = judged;
  const limit =
    coverageMs === undefined
      ? 'spec.schedule.coverage is not given, so nothing is overdue'
      : `every node has its turn within ${formatDuration(coverageMs)}`;
  const kept = snapshotOf === undefined ? '' : `, as run ${plainText(snapshotOf)} keeps it`;
  return [
    `Playbook ${plainText(playbook)}${kept}: ${limit}`,
    '',
    ...(nodes.length === 0
      ? ['It selects no node.']
      : table([
          ['NODE', 'VERDICT', 'AGE', 'DUE', 'LAST TURN', 'RUN', 'VERSIONS'],
          ...nodes.map((node) => nodeCells(node, now)),
        ])),
    ...(current === undefined ? [] : runLines(current)),
  ];
}

function nodeCells(judged: NodeCoverage, now: number): string[] {
  const { node, ageMs, dueAt, lastTurn } = judged;
  const at = (ms: number | undefined) => (ms === undefined ? '-' : timeText(new Date(ms).toISOString(), now));
  return [
    plainText(node),
    verdictText(judged),
    ageMs === undefined ? '-' : formatDuration(ageMs),
    at(dueAt),
    at(lastTurn?.at),
    plainText(lastTurn?.run ?? '-'),
    lastTurn === undefined ? '-' : versionsText(lastTurn),
  ];
}

function verdictText({ verdict, isAlarm }: NodeCoverage): string {
  switch (verdict) {
    case 'covered':
      return 'covered';
    case 'overdue':
      return 'OVERDUE';
    case 'never':
      return isAlarm ? 'OVERDUE, never done' : 'never done';
    case 'no-limit':
      return 'done';
  }
}

/** What the turn changed, and what its scripts said. */
function versionsText({ versionsBefore, versionsAfter, scriptVersions }: CompletedTurn): string {
  const fields = ['kernel', 'osImage', 'kubelet', 'containerRuntime'] as const;
  const changed = fields.flatMap((field) => {
    const [before, after] = [versionsBefore?.[field], versionsAfter?.[field]];
    return before === undefined || after === undefined || before === after
      ? []
      : [`${field} ${plainText(before)} -> ${plainText(after)}`];
  });
  const said = Object.entries(scriptVersions).map(([name, value]) => `${plainText(name)} ${plainText(value)}`);
  const isRecorded = versionsBefore !== undefined && versionsAfter !== undefined;
  return [...changed, ...said].join(', ') || (isRecorded ? 'unchanged' : '-');
}

function runLines({ run, phase, toCome, joined, notInRun, vanished }: CurrentRun): string[] {
  const waiting = toCome.map((turn) => `${turn.node} (${turn.phase})`);
  return [
    '',
    `Run ${plainText(run)} is ${plainText(phase)}; ${waiting.length === 0 ? 'none of its nodes is left' : `not done yet: ${names(waiting)}`}`,
    ...(joined.length === 0 ? [] : [`  Joined since its plan: ${names(joined)}`]),
    ...(notInRun.length === 0 ? [] : [`  Selected, and not in it: ${names(notInRun)}`]),
    ...(vanished.length === 0 ? [] : [`  Left the cluster before their turn: ${names(vanished)}`]),
  ];
}

function lastLine({ coverage, notUnderstood }: CoverageReading): string {
  const { playbooks } = coverage;
  const total = new Set(playbooks.flatMap(({ nodes }) => nodes.map(({ node }) => node))).size;
  const alarms = alarmingNodes(coverage);
  if (alarms.length === 0) {
    const open = notUnderstood.length === 0 ? '' : ' What is not counted may hide one: use the version that wrote it.';
    const yet = playbooks.flatMap(({ nodes }) => nodes).filter(({ verdict }) => verdict === 'never').length;
    const later = yet === 0 ? '' : `, ${String(yet)} of them not done yet`;
    return `No alarm: ${String(total)} ${total === 1 ? 'node' : 'nodes'}${later}.${open}`;
  }
  const steps = playbooks.filter(({ nodes }) => nodes.some(({ isAlarm }) => isAlarm)).map(nextStep);
  return `${String(alarms.length)} of ${String(total)} nodes ${alarms.length === 1 ? 'is' : 'are'} overdue: ${names(alarms)}. Next: ${[...steps, 'turnus explain NODE says what keeps a node waiting'].join('; ')}.`;
}

function nextStep({ playbook, current }: PlaybookCoverage): string {
  return current === undefined
    ? `turnus run -f PLAYBOOK (playbook ${plainText(playbook)})`
    : `turnus status ${plainText(current.run)} says where the run stands and how it goes on`;
}

function names(all: readonly string[]): string {
  return plainText(someNames(all));
}
