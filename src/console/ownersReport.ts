import type { Responsible } from '../cluster/responsible.js';
import type { Severity } from '../gates/finding.js';
import type { FindingsByOwner, GatheredFinding, NamespaceFindings } from '../run/ownersOfFindings.js';
import type { Plan } from '../run/plan.js';
import type { Block } from './document.js';
import { expectedText } from './expectedText.js';

/** As many nodes and pods of one finding as are named, and as many sentences of one code. */
const mostNames = 10;
const mostMessages = 3;

/** What a plan means for each team, ready to be sent days before the window; bounded for each finding. */
export function ownersReport(plan: Plan, findings: FindingsByOwner, now: number): Block[] {
  const { namespaces, platform } = findings;
  return [
    { kind: 'heading', level: 1, text: `Planned maintenance of cluster ${plan.target.context}` },
    ...paragraphs([
      `Playbook ${plan.playbook}, as seen on ${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC: ${tally(plan)}`,
      'Each node is emptied before it is updated: its pods are evicted, and their owners start them again on other nodes.',
    ]),
    ...namespaces.flatMap(namespaceBlocks),
    ...(platform.length === 0
      ? []
      : [{ kind: 'heading', level: 2, text: 'For the platform team' } as const, ...platform.map(itemOf)]),
    ...(namespaces.length + platform.length === 0
      ? paragraphs(['Nothing stands in the way, and there is nothing that a team must know.'])
      : []),
  ];
}

function tally(plan: Plan): string {
  const { nodes } = plan;
  const blocked = nodes.filter(({ verdict }) => verdict === 'blocked').map(({ node }) => node);
  const goes = nodes.filter(({ verdict }) => verdict === 'goes').length;
  const time = plan.basis === undefined ? '' : `, in ${expectedText(plan)}`;
  const rest = blocked.length === 0 ? '' : ` ${String(blocked.length)} cannot: ${someNames(blocked)}.`;
  return `${String(goes)} of ${counted(nodes.length, 'node')} can have ${goes === 1 ? 'its' : 'their'} turn${time}.${rest}`;
}

function namespaceBlocks({ namespace, responsible, owners }: NamespaceFindings): Block[] {
  return [
    { kind: 'heading', level: 2, text: `Namespace ${namespace}` },
    ...paragraphs(responsibleTexts(responsible)),
    ...owners.flatMap((owner): Block[] => [
      { kind: 'heading', level: 3, text: owner.owner },
      ...paragraphs(responsibleTexts(owner.responsible)),
      ...owner.findings.map(itemOf),
    ]),
  ];
}

function itemOf(finding: GatheredFinding): Block {
  const { code, severity, meaning, nodes, pods, messages, hints } = finding;
  const more = messages.length - mostMessages;
  return {
    kind: 'item',
    text: `${title[severity]} ${someNames(nodes)}: ${meaning} (${code})`,
    details: [
      ...messages.slice(0, mostMessages),
      ...(more > 0 ? [`And ${String(more)} more of the same kind.`] : []),
      ...consequence(severity, nodes),
      ...hints.slice(0, mostMessages).map((hint) => `What to change: ${hint}`),
      ...(pods.length === 0 ? [] : [`Pods: ${someNames(pods)}.`]),
    ],
  };
}

const title: Readonly<Record<Severity, string>> = {
  block: 'Blocks the maintenance of',
  caution: 'To know before the maintenance of',
  info: 'For the record, at the maintenance of',
};

function consequence(severity: Severity, nodes: readonly string[]): string[] {
  const what = nodes.length === 1 ? 'this node stays' : 'these nodes stay';
  switch (severity) {
    case 'block':
      return [`What it means: until it is changed, ${what} in service without the update.`];
    case 'caution':
      return ['What it means: the maintenance goes on, and this is what it brings about.'];
    case 'info':
      return [];
  }
}

/** `team: payments; owner: anna`, or nothing. */
export function responsibleTexts(responsible: Responsible): string[] {
  const said = Object.entries(responsible).map(([key, value]) => `${key}: ${value}`);
  return said.length === 0 ? [] : [said.join('; ')];
}

/** At most ten names, then how many more. */
export function someNames(names: readonly string[]): string {
  const more = names.length - mostNames;
  return `${names.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function paragraphs(texts: readonly string[]): Block[] {
  return texts.map((text) => ({ kind: 'paragraph', text }));
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
