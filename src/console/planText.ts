import type { Finding } from '../gates/finding.js';
import type { Plan, PlannedNode } from '../run/plan.js';
import { expectedRunText, expectedText } from './expectedText.js';
import { plainText } from './plainText.js';
import { table } from './table.js';

/** The plan as people read it: order, what happens to each node, then every finding with its hint. `window`: windowText. */
export function planText(plan: Plan, window: readonly string[] = []): string[] {
  const goes = plan.nodes.filter((node) => node.verdict === 'goes').length;
  const groups = groupNumbers(plan);
  const hasGroups = groups.size > 0;
  return [
    `Run ${plan.run} of playbook ${plan.playbook} on ${plan.target.server} (context ${plan.target.context}, cluster ${plan.clusterUid})`,
    `Plan ${plan.hash.slice(0, 12)}: ${String(plan.nodes.length)} nodes, ${String(goes)} can have their turn now`,
    ...expectedRunText(plan),
    ...window,
    '',
    ...table([
      ['#', ...(hasGroups ? ['GROUP'] : []), 'NODE', 'ZONE', 'LAST TURN', 'PODS TO MOVE', 'EXPECTED', 'VERDICT'],
      ...plan.nodes.map((node) => [
        placeText(plan, node),
        ...(hasGroups ? [String(groups.get(node.node) ?? '-')] : []),
        node.node,
        node.zone ?? '-',
        node.lastTurn ?? 'never',
        String(node.evictions),
        expectedText(node),
        verdictText(node),
      ]),
    ]),
    ...(hasGroups
      ? [
          '',
          'The turns of one group may overlap; whether they do is decided when it is time, as the cluster stands then. The time expected is that of turns one after the other.',
        ]
      : []),
    ...findingsText(plan.nodes.flatMap((node) => node.findings)),
  ];
}

/** Nodes that may be in work at the same time carry the same number. */
function groupNumbers({ nodes }: Plan): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let groups = 0;
  for (const { node, overlaps } of nodes) {
    if (overlaps.length === 0 || numbers.has(node)) continue;
    groups += 1;
    for (const member of [node, ...overlaps]) numbers.set(member, groups);
  }
  return numbers;
}

/** The place in the order of the whole run, whatever this call is narrowed to. */
function placeText(plan: Plan, node: PlannedNode): string {
  const place = plan.order.indexOf(node.node);
  return `${String(place + 1)}${place < plan.canaries ? ' canary' : ''}`;
}

function verdictText(node: PlannedNode): string {
  const cautions = node.findings.filter((finding) => finding.severity === 'caution').length;
  const codes = [
    ...new Set(node.findings.filter((finding) => finding.severity === 'block').map((finding) => finding.code)),
  ];
  switch (node.verdict) {
    case 'goes':
      return cautions === 0 ? 'goes' : `goes, ${String(cautions)} ${cautions === 1 ? 'caution' : 'cautions'}`;
    case 'blocked':
      return `blocked: ${codes.join(', ')}`;
    case 'done':
      return 'done in this run';
  }
}

/** Findings with their hints, the blocking ones first; the same sentence about several nodes once. */
export function findingsText(findings: readonly Finding[]): string[] {
  const lines: string[] = [];
  for (const severity of ['block', 'caution', 'info'] as const) {
    const bySentence = new Map<string, { finding: Finding; nodes: string[] }>();
    for (const finding of findings.filter((candidate) => candidate.severity === severity)) {
      const known = bySentence.get(finding.message) ?? { finding, nodes: [] };
      if (finding.node !== undefined && !known.nodes.includes(finding.node)) known.nodes.push(finding.node);
      bySentence.set(finding.message, known);
    }
    for (const { finding, nodes } of bySentence.values()) {
      lines.push(
        '',
        `${severity} ${finding.code}${nodes.length === 0 ? '' : ` (${nodes.join(', ')})`}`,
        `  ${plainText(finding.message)}`,
        `  ${plainText(finding.hint)}`,
      );
    }
  }
  return lines;
}
