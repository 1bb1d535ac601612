import type { Rebooters } from '../cluster/rebooters.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import { drainForecast, type DrainForecast } from '../drain/forecast.js';
import type { DrainPolicy, GatesPolicy, HostPolicy, NodesPolicy } from '../playbook/playbook.js';
import { budgetGate } from './budgetGate.js';
import { clusterHealthGate, type ApiReadiness } from './clusterHealthGate.js';
import { conditionGate, type ConditionReading } from './conditionGate.js';
import { controlPlaneGate } from './controlPlaneGate.js';
import type { Finding, FindingCode, Severity } from './finding.js';
import { hostGate, type HostInspection } from './hostGate.js';
import { nodeGate } from './nodeGate.js';
import { otherRebooterGate } from './otherRebooterGate.js';
import { ownNodeGate } from './ownNodeGate.js';
import { podPolicyGate } from './podPolicyGate.js';
import { replicaSpreadGate } from './replicaSpreadGate.js';
import { unavailableGate } from './unavailableGate.js';

export interface NodeToEvaluate {
  readonly view: ClusterView;
  readonly node: NodeView;
  /**
   * `before-cordon`: all gates. `after-cordon`: nothing was evicted yet; the health of kube-system is not asked again.
   * `resumed`: pods of this turn are moving already, so what waits for a Ready pod is caution: the drain waits for it.
   */
  readonly moment: 'before-cordon' | 'after-cordon' | 'resumed';
  /** The name that our own cordon is marked with; undefined where there is none of ours. */
  readonly run: string | undefined;
  /** A cordon without a mark does not block: who asks for this drain has set it (turnus drain). */
  readonly acceptsUnmarkedCordon?: boolean | undefined;
  /** The playbook's nodes, without the excluded ones. */
  readonly selection: readonly NodeView[];
  readonly nodes: Pick<NodesPolicy, 'maxUnavailable'>;
  readonly gates: Pick<GatesPolicy, 'replicaSpread' | 'managedBudgets'>;
  readonly drain: DrainPolicy;
  readonly api: ApiReadiness;
  /** The conditions of the playbook, asked before the cordon alone; absent where nobody looked. */
  readonly conditions?: readonly ConditionReading[] | undefined;
  /** Absent where the host is not asked (turnus drain, rehearsals). */
  readonly host?: HostInspection;
  /** The node that this actor runs on, where it is known. */
  readonly ownNode?: string | undefined;
  /** What else takes nodes down, asked before the cordon alone; absent where nobody looked. */
  readonly others?: { readonly rebooters: Rebooters; readonly reboot: HostPolicy['reboot'] } | undefined;
}

export interface NodeEvaluation {
  /** Blocks first, then cautions, then information. */
  readonly findings: readonly Finding[];
  readonly forecast: DrainForecast;
}

/** May this node leave service now? Runs every gate. */
export function evaluateNode(question: NodeToEvaluate): NodeEvaluation {
  const { view, node, moment, run, selection, nodes, gates, drain, api, conditions, host, ownNode, others } = question;
  const { replicaSpread: spread, managedBudgets } = gates;
  const forecast = drainForecast({ view, node: node.name, policy: drain, spread, managedBudgets });
  const findings = [
    ...controlPlaneGate({ view, node }),
    ...ownNodeGate({ node, ownNode }),
    ...nodeGate({ node, run, acceptsUnmarkedCordon: question.acceptsUnmarkedCordon }),
    ...(host === undefined ? [] : hostGate({ node, host })),
    ...(moment === 'before-cordon' ? clusterHealthGate({ view, api, node: node.name }) : []),
    ...(moment === 'before-cordon' && conditions !== undefined ? conditionGate({ conditions, node: node.name }) : []),
    ...(moment === 'before-cordon' && others !== undefined ? otherRebooterGate({ view, node, host, ...others }) : []),
    ...unavailableGate({ node: node.name, selection, maxUnavailable: nodes.maxUnavailable }),
    ...budgetGate(forecast),
    ...replicaSpreadGate(forecast),
    ...podPolicyGate(forecast),
  ];
  return { findings: sortFindings(moment === 'resumed' ? findings.map(toleratedInWork) : findings), forecast };
}

const passing: ReadonlySet<FindingCode> = new Set<FindingCode>(['budget-not-now', 'budget-stale', 'replica-spread']);

function toleratedInWork(finding: Finding): Finding {
  return passing.has(finding.code) ? { ...finding, severity: 'caution' } : finding;
}

const rank: Readonly<Record<Severity, number>> = { block: 0, caution: 1, info: 2 };

function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const key = ({ code, objects }: Finding) => `${code} ${objects[0] ?? ''}`;
  return [...findings].sort(
    (one, other) => rank[one.severity] - rank[other.severity] || (key(one) < key(other) ? -1 : 1),
  );
}
