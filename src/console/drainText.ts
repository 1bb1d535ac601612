import type { ClusterTarget } from '../cluster/clusterPort.js';
import { podKey } from '../cluster/view.js';
import type { StayReason } from '../drain/classifyPods.js';
import type { NodeEvaluation } from '../gates/evaluateNode.js';
import { formatDuration } from '../time/duration.js';
import { findingsText } from './planText.js';
import { table } from './table.js';

/** What `turnus drain --dry-run` prints: what would leave in which order, what stays, and every finding with its hint. */
export function drainPreviewText(preview: {
  readonly node: string;
  readonly target: ClusterTarget;
  readonly evaluation: NodeEvaluation;
}): string[] {
  const { node, target, evaluation } = preview;
  const { forecast, findings } = evaluation;
  const blocks = findings.filter(({ severity }) => severity === 'block').length;
  const verdict = blocks === 0 ? 'can be drained now' : 'cannot be drained now';
  return [
    `Node ${node} of ${target.server} (context ${target.context}) ${verdict}: ${countOf(forecast.evictions, 'pod')} to evict, ${countOf(forecast.stays.length, 'pod')} to stay`,
    ...(forecast.evictions === 0 ? [] : ['', ...evictionTable(forecast.rounds)]),
    ...stayLines(forecast.stays),
    ...findingsText(findings),
    '',
    'Nothing was changed.',
  ];
}

function evictionTable(rounds: NodeEvaluation['forecast']['rounds']): string[] {
  const rows = [
    ['ROUND', 'POD', 'CONTROLLER', 'GRACE PERIOD'],
    ...rounds.flatMap((pods, round) =>
      pods.map((pod) => [
        String(round + 1),
        podKey(pod),
        pod.controller === undefined ? '-' : `${pod.controller.kind} ${pod.controller.name}`,
        formatDuration(pod.terminationGracePeriodSeconds * 1000),
      ]),
    ),
  ];
  const note = 'A round goes when the replacements of the one before are Ready.';
  return [...table(rows), ...(rounds.length > 1 ? ['', note] : [])];
}

const stayWords: Readonly<Record<StayReason, string>> = {
  daemonset: 'of DaemonSets',
  mirror: 'static',
  finished: 'finished',
  'bound-to-node': 'bound to the node',
  'left-by-policy': 'left by the playbook',
};

function stayLines(stays: NodeEvaluation['forecast']['stays']): string[] {
  const reasons = [...new Set(stays.map(({ why }) => why))];
  const lines = reasons.map((reason) => {
    const pods = stays.filter(({ why }) => why === reason).map(({ pod }) => podKey(pod));
    return `stay (${stayWords[reason]}): ${pods.join(', ')}`;
  });
  return lines.length === 0 ? [] : ['', ...lines];
}

function countOf(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? '' : 's'}`;
}
