import type { ExplainedFinding, Explanation, Obstacle, RunAtWork } from '../run/explanation.js';
import type { TurnState } from '../run/state.js';
import { failureReport } from './failureReport.js';
import { responsibleTexts, someNames } from './ownersReport.js';
import { plainText } from './plainText.js';
import { timeText } from './timeText.js';
import { liveWaitText } from './waitText.js';

/** What stands in the way of a node, for people: what to change first, then where its run and its turn stand. */
export function explainText(explained: Explanation, now: number): string[] {
  const { inTheWay, toKnow, run, turn, runsNotRead } = explained;
  return [
    headLine(explained),
    basisLine(explained),
    ...inTheWay.flatMap(obstacleLines),
    ...(toKnow.length === 0 ? [] : ['', 'Not in the way, but to know:']),
    ...toKnow.flatMap((finding) => findingLines(finding)),
    ...(run === undefined ? [] : ['', ...runLines(explained, run, now)]),
    ...(turn === undefined ? [] : turnLines(turn, now)),
    ...(runsNotRead === undefined ? [] : ['', `No run was looked at: ${plainText(runsNotRead)}`]),
  ];
}

function headLine({ node, inTheWay }: Explanation): string {
  const count = inTheWay.length;
  if (count === 0) return `Nothing stands in the way of node ${plainText(node)}.`;
  return `${count === 1 ? 'One thing stands' : `${String(count)} things stand`} in the way of node ${plainText(node)}.`;
}

/** By what was judged, and what was not asked. */
function basisLine({ playbook, playbookOf, moment, isHostAsked, turn }: Explanation): string {
  const by = `playbook ${plainText(playbook)}${playbookOf === undefined ? '' : `, as run ${plainText(playbookOf)} keeps it`}`;
  switch (moment) {
    case 'before-cordon':
      return `Every gate was asked at this moment (${by}); ${isHostAsked ? 'the host was asked too' : 'the host was not asked'}.`;
    case 'after-cordon':
    case 'resumed':
      return `The gates of its drain were asked at this moment (${by}).`;
    case undefined:
      return turn === undefined
        ? `No gate was asked (${by}).`
        : `No gate was asked: the turn is ${plainText(turn.status.phase)} (${by}).`;
  }
}

function obstacleLines(obstacle: Obstacle): string[] {
  if (obstacle.kind === 'gate') return findingLines(obstacle);
  return ['', obstacle.kind, `  ${plainText(obstacle.message)}`, `  To change: ${plainText(obstacle.hint)}`];
}

function findingLines({ finding, concerns }: ExplainedFinding): string[] {
  return [
    '',
    `${finding.severity} ${finding.code}`,
    `  ${plainText(finding.message)}`,
    `  To change: ${plainText(finding.hint)}`,
    ...(finding.objects.length === 0 ? [] : [`  Objects: ${plainText(someNames(finding.objects))}`]),
    ...(concerns.length === 0 ? ['  Whose: the platform team'] : []),
    ...concerns
      .slice(0, mostOwners)
      .flatMap(({ owner, ownerResponsible, namespace, namespaceResponsible, pods }) => [
        `  Whose: ${plainText(owner)}${said(ownerResponsible)}, namespace ${plainText(namespace)}${said(namespaceResponsible)}`,
        ...(pods.length === 0 ? [] : [`    Pods: ${plainText(someNames(pods))}`]),
      ]),
    ...(concerns.length > mostOwners ? [`  and ${String(concerns.length - mostOwners)} more owners`] : []),
  ];
}

/** As many owners of one finding as are named. */
const mostOwners = 10;

function said(responsible: Parameters<typeof responsibleTexts>[0]): string {
  return responsibleTexts(responsible)
    .map((text) => ` (${plainText(text)})`)
    .join('');
}

function runLines({ node }: Explanation, run: RunAtWork, now: number): string[] {
  const place =
    run.place === undefined
      ? `node ${plainText(node)} is not in it`
      : `node ${plainText(node)} is number ${String(run.place)} of ${String(run.of)}`;
  return [
    `Run ${plainText(run.name)} is ${plainText(run.phase)}; ${place}.`,
    ...(run.waitingFor === undefined ? [] : [`  ${liveWaitText(run.waitingFor, now)}`]),
    ...(run.waitingFor !== undefined || run.message === undefined ? [] : [`  ${plainText(run.message)}`]),
    ...run.inWork.map(({ node: other, phase, waitingFor }) => {
      const waits = waitingFor === undefined ? '' : `, ${liveWaitText(waitingFor, now)}`;
      return `  In work: ${plainText(other)} (${plainText(phase)}${waits})`;
    }),
  ];
}

function turnLines(turn: TurnState, now: number): string[] {
  const { status } = turn;
  switch (status.phase) {
    case 'Failed':
    case 'Blocked':
    case 'Deferred':
      return ['', 'What its turn said last:', ...failureReport(turn, now)];
    default:
      return [
        `Its turn is ${plainText(status.phase)}${sinceText(turn, now)}.`,
        ...(status.waitingFor === undefined ? [] : [`  ${liveWaitText(status.waitingFor, now)}`]),
        ...(status.waitingFor !== undefined || status.message === undefined ? [] : [`  ${plainText(status.message)}`]),
      ];
  }
}

function sinceText({ status }: TurnState, now: number): string {
  const since = status.finishedAt ?? status.steps?.findLast(({ phase }) => phase === status.phase)?.startedAt;
  return since === undefined ? '' : ` since ${timeText(since, now)}`;
}
