import type { ClusterPort } from '../cluster/clusterPort.js';
import type { Rebooters } from '../cluster/rebooters.js';
import type { ClusterServices } from '../cluster/services.js';
import type { ClusterView } from '../cluster/view.js';
import type { ApiReadiness } from '../gates/clusterHealthGate.js';
import type { ConditionReading } from '../gates/conditionGate.js';
import { evaluateNode, type NodeEvaluation, type NodeToEvaluate } from '../gates/evaluateNode.js';
import type { HostInspection } from '../gates/hostGate.js';
import type { LeftShort } from '../gates/notRecoveredGate.js';
import type { AcceptedFindings } from '../drain/acceptedFindings.js';
import { restartMark } from '../drain/surge.js';
import type { HostPort } from '../host/hostPort.js';
import type { StoredPlaybook } from '../playbook/storedPlaybook.js';
import { addressOf } from './hostAddress.js';
import { selectNodes } from './selectNodes.js';

export interface NodeQuestion {
  readonly api: ApiReadiness;
  /** What the cluster answered about the playbook's conditions; absent: nobody looked. */
  readonly conditions?: readonly ConditionReading[] | undefined;
  readonly playbook: StoredPlaybook;
  readonly view: ClusterView;
  readonly nodeName: string;
  readonly moment: NodeToEvaluate['moment'];
  /** Name of the run where the node's cordon is its own. */
  readonly run: string | undefined;
  /** What Deployments carry that the turn restarts, before the node's name: for a run its name. */
  readonly restartedAs: string;
  /** What a person has taken on for this node. */
  readonly accepted?: AcceptedFindings | undefined;
  /** What turns of the run have taken from owners, and may not be back; absent: nothing. */
  readonly leftShort?: LeftShort | undefined;
  /** A cordon without a mark does not block (turnus drain). */
  readonly acceptsUnmarkedCordon?: boolean | undefined;
  /** Undefined: the host is not asked. */
  readonly host: ((address: string) => HostPort) | undefined;
  /** The node that this actor runs on, where it is known (rule 13). */
  readonly ownNode?: string | undefined;
  /** What else takes nodes down (rule 11); absent: nobody looked. */
  readonly rebooters?: Rebooters | undefined;
  /** The Services that the node's pods are behind; absent: nobody looked. */
  readonly services?: ClusterServices | undefined;
}

/** What the gates say, and what the host said. */
export interface NodeAnswer extends NodeEvaluation {
  /** Undefined where the host was not asked. */
  readonly host: HostInspection | undefined;
}

/** What the API server says of itself now. */
export async function readApiReadiness(cluster: ClusterPort, signal: AbortSignal): Promise<ApiReadiness> {
  const answer = await cluster.readiness(signal);
  return answer.kind === 'ok' ? { ready: true, message: '' } : { ready: false, message: answer.message };
}

/** Asks the host what the gates need to know, and runs every gate for one node. */
export async function nodeFindings(question: NodeQuestion, signal: AbortSignal): Promise<NodeAnswer> {
  const { playbook, view, nodeName } = question;
  const node = view.nodes.get(nodeName);
  if (node === undefined) throw new Error(`node ${nodeName} is not in the view`);
  const host = await inspection(question, signal);
  const evaluation = evaluateNode({
    view,
    node,
    moment: question.moment,
    run: question.run,
    restartedFor: restartMark({ turn: question.restartedAs, node: nodeName }),
    accepted: question.accepted,
    leftShort: question.leftShort,
    acceptsUnmarkedCordon: question.acceptsUnmarkedCordon,
    selection: selectNodes(view, playbook.nodes),
    nodes: playbook.nodes,
    gates: playbook.gates,
    drain: playbook.drain,
    api: question.api,
    conditions: question.conditions,
    ownNode: question.ownNode,
    services: question.services && {
      read: question.services,
      hasLeaveScript: playbook.host.scripts.leave !== undefined,
    },
    others: question.rebooters && { rebooters: question.rebooters, reboot: playbook.host.reboot },
    ...(host === undefined ? {} : { host }),
  });
  return { ...evaluation, host };
}

async function inspection(question: NodeQuestion, signal: AbortSignal): Promise<HostInspection | undefined> {
  const node = question.view.nodes.get(question.nodeName);
  if (question.host === undefined || node === undefined) return undefined;
  const { ssh } = question.playbook.host;
  const address = addressOf(node, ssh.address);
  return { address, ssh, answer: address === undefined ? undefined : await question.host(address).inspect(signal) };
}
