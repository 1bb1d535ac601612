import type { Rebooters } from '../cluster/rebooters.js';
import type { ClusterServices } from '../cluster/services.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import { asAccepted, nothingAccepted, type AcceptedFindings } from '../drain/acceptedFindings.js';
import { drainForecast, type DrainForecast } from '../drain/forecast.js';
import { occupancy } from '../drain/occupancy.js';
import { neighbourhoodOf } from '../drain/simulatedView.js';
import type { DrainPolicy, GatesPolicy, HostPolicy, NodesPolicy } from '../playbook/playbook.js';
import { budgetGate } from './budgetGate.js';
import { capacityGate } from './capacityGate.js';
import { clusterHealthGate, type ApiReadiness } from './clusterHealthGate.js';
import { conditionGate, type ConditionReading } from './conditionGate.js';
import { controlPlaneGate } from './controlPlaneGate.js';
import type { Finding, FindingCode, Severity } from './finding.js';
import { daemonSetTrafficGate } from './daemonSetTrafficGate.js';
import { hostGate, type HostInspection } from './hostGate.js';
import { lastBackendGate } from './lastBackendGate.js';
import { nodeGate } from './nodeGate.js';
import { notRecoveredGate, type LeftShort } from './notRecoveredGate.js';
import { otherRebooterGate } from './otherRebooterGate.js';
import { ownNodeGate } from './ownNodeGate.js';
import { podPolicyGate } from './podPolicyGate.js';
import { replicaSpreadGate } from './replicaSpreadGate.js';
import { zoneSpreadGate } from './zoneSpreadGate.js';
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
  /** What the turn of this node marks restarted Deployments with; absent where there is no turn yet. */
  readonly restartedFor?: string | undefined;
  /** What a person has taken on for this node. Absent: nothing. */
  readonly accepted?: AcceptedFindings | undefined;
  /** Absent: nothing. */
  readonly leftShort?: LeftShort | undefined;
  /** A cordon without a mark does not block: who asks for this drain has set it (turnus drain). */
  readonly acceptsUnmarkedCordon?: boolean | undefined;
  /** The playbook's nodes, without the excluded ones. */
  readonly selection: readonly NodeView[];
  readonly nodes: Pick<NodesPolicy, 'maxUnavailable'>;
  readonly gates: Pick<GatesPolicy, 'replicaSpread' | 'managedBudgets' | 'capacity'>;
  readonly drain: DrainPolicy;
  readonly api: ApiReadiness;
  /** The conditions of the playbook, asked before the cordon alone; absent where nobody looked. */
  readonly conditions?: readonly ConditionReading[] | undefined;
  /** Absent where the host is not asked (turnus drain, rehearsals). */
  readonly host?: HostInspection;
  /** The node that this actor runs on, where it is known. */
  readonly ownNode?: string | undefined;
  /** The Services that the node's pods are behind, as far as they matter at this moment; absent where nobody looked. */
  readonly services?: { readonly read: ClusterServices; readonly hasLeaveScript: boolean } | undefined;
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
  const services = question.services?.read;
  const vitalServices = services?.vital ?? [];
  const isBefore = moment === 'before-cordon';
  const { replicaSpread: spread, managedBudgets, capacity } = gates;
  const { restartedFor, accepted = nothingAccepted } = question;
  const near = neighbourhoodOf(view, node.name, vitalServices);
  const occupied = occupancy(view, node.name);
  const forecast = drainForecast({
    view,
    node: node.name,
    policy: drain,
    spread,
    managedBudgets,
    near,
    occupied,
    vitalServices,
    accepted,
    ...(restartedFor === undefined ? {} : { restartedFor }),
  });
  const findings = [
    ...controlPlaneGate({ view, node }),
    ...ownNodeGate({ node, ownNode }),
    ...nodeGate({ node, run, acceptsUnmarkedCordon: question.acceptsUnmarkedCordon }),
    ...(host === undefined ? [] : hostGate({ node, host })),
    ...(isBefore ? clusterHealthGate({ view, api, node: node.name }) : []),
    ...(isBefore && conditions !== undefined ? conditionGate({ conditions, node: node.name }) : []),
    ...(isBefore && others !== undefined ? otherRebooterGate({ view, node, host, ...others }) : []),
    ...unavailableGate({ node: node.name, selection, maxUnavailable: nodes.maxUnavailable }),
    ...(question.leftShort === undefined
      ? []
      : notRecoveredGate({
          view,
          node,
          leftShort: question.leftShort,
          waitsForReplacements: drain.waitForReplacements,
        })),
    ...budgetGate(forecast),
    ...replicaSpreadGate(forecast),
    ...(isBefore ? zoneSpreadGate({ view: near, node }) : []),
    ...lastBackendGate({ view: near, node, forecast, services }),
    ...(isBefore && question.services !== undefined
      ? daemonSetTrafficGate({
          view: near,
          node,
          services: services?.all,
          hasLeaveScript: question.services.hasLeaveScript,
        })
      : []),
    ...podPolicyGate(forecast),
    ...capacityGate({ view, near, node, policy: drain, occupied, capacity }),
  ];
  const standing = findings.map((finding) => asAccepted(finding, accepted));
  return { findings: sortFindings(moment === 'resumed' ? standing.map(toleratedInWork) : standing), forecast };
}

const passing: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'budget-not-now',
  'budget-stale',
  'replica-spread',
  'not-recovered',
  'last-webhook-backend',
  'rollout-under-way',
]);

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
