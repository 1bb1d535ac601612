import type { ClusterPort, ClusterTarget } from '../cluster/clusterPort.js';
import { lastTurnOf } from '../cluster/marks.js';
import { readRebooters, type Rebooters } from '../cluster/rebooters.js';
import { readServices, type ClusterServices } from '../cluster/services.js';
import { podsOnNode } from '../cluster/podsInView.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import type { WatchCache } from '../cluster/watchCache.js';
import type { ApiReadiness } from '../gates/clusterHealthGate.js';
import type { ConditionReading } from '../gates/conditionGate.js';
import type { NodeEvaluation } from '../gates/evaluateNode.js';
import type { Finding } from '../gates/finding.js';
import type { AcceptedFindings } from '../drain/acceptedFindings.js';
import type { DrainForecast } from '../drain/forecast.js';
import type { HostPorts } from '../host/hostPort.js';
import type { Playbook } from '../playbook/playbook.js';
import type { Clock } from '../time/clock.js';
import { wholeRun, type ExpectedTime } from './expectedTime.js';
import { estimatedTurnMs } from './expectedTurn.js';
import { leftShortFor, type LeavingTurn } from './leftDisplaced.js';
import { nodeFindings, readApiReadiness } from './nodeFindings.js';
import { noNodes } from './noNodes.js';
import { wantedServices } from './nodeServices.js';
import { lastOf, orderNodes } from './orderNodes.js';
import { overlappingTurns } from './overlaps.js';
import { planHash } from './planHash.js';
import { readConditions } from './readConditions.js';
import { selectNodes } from './selectNodes.js';

/** Order, findings and forecast for all nodes before anything is touched. */
export interface Plan extends ExpectedTime {
  readonly run: string;
  readonly playbook: string;
  readonly clusterUid: string;
  readonly target: ClusterTarget;
  readonly hash: string;
  readonly canaries: number;
  /** Every node of the run, in the order of turns. */
  readonly order: readonly string[];
  /** The nodes that this call may take, in that order. */
  readonly nodes: readonly PlannedNode[];
}

export interface PlannedNode extends ExpectedTime {
  readonly node: string;
  readonly zone: string | undefined;
  /** RFC 3339; undefined where the node never had a turn. */
  readonly lastTurn: string | undefined;
  readonly verdict: 'goes' | 'blocked' | 'done';
  /** How long its turn would take by the playbook and its pods, whatever former turns say; milliseconds, 0 where it is done. */
  readonly estimateMs: number;
  /** Pods that would be evicted. */
  readonly evictions: number;
  readonly findings: readonly Finding[];
  /** Nodes whose turns may be in work at the same time as this one's, as the cluster stands now. */
  readonly overlaps: readonly string[];
}

/** What there is of the run already, or of the run that it supersedes. */
export interface ExistingRun {
  readonly order: readonly string[];
  readonly done: ReadonlySet<string>;
  /** Nodes whose cordon is this run's own. */
  readonly cordoned: ReadonlySet<string>;
  /** What people have taken on, by node. */
  readonly accepted: ReadonlyMap<string, AcceptedFindings>;
  /** What its turns have left behind. */
  readonly turns: readonly LeavingTurn[];
  /** The run that those cordons carry the mark of. */
  readonly cordonedBy: string;
}

export interface PlanRequest {
  readonly cluster: ClusterPort;
  readonly cache: WatchCache;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** Undefined: hosts are not asked (rehearsal). */
  readonly hosts: HostPorts | undefined;
  readonly playbook: Playbook;
  readonly run: string;
  readonly clusterUid: string;
  readonly existing: ExistingRun | undefined;
  /** Nodes that this call is narrowed to; undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  /** The node that this actor runs on; undefined where that is not known. */
  readonly ownNode: string | undefined;
}

/** What is asked of the cluster once for all nodes. */
interface ClusterAnswers {
  /** A node that leaves the cluster while the plan is made is in it still. */
  readonly view: ClusterView;
  readonly api: ApiReadiness;
  readonly rebooters: Rebooters;
  readonly conditions: readonly ConditionReading[];
  readonly services: ClusterServices;
}

/** How many hosts are asked at the same time. */
const hostsAtOnce = 8;

/** A plan of many nodes takes longer than a lease may go without being renewed: others get their turn after this. */
const withoutPauseMs = 50;

/** Makes the plan on one view of the cluster, which the answer holds too. Reads hosts, changes nothing. */
export async function makePlan(
  request: PlanRequest,
  signal: AbortSignal,
): Promise<{ readonly plan: Plan; readonly view: ClusterView }> {
  const { playbook, cluster, clock } = request;
  const view = request.cache.view();
  const nodes = plannedOrder(request, view);
  const [api, rebooters, conditions, services] = await Promise.all([
    readApiReadiness(cluster, signal),
    readRebooters(cluster, signal),
    readConditions({ cluster, conditions: playbook.gates.clusterHealth.conditions }, signal),
    readServices({ cluster, wanted: wantedServices({ view, playbook, beforeCordon: true }) }, signal),
  ]);
  const planned = new Map<string, Omit<PlannedNode, 'overlaps'>>();
  const waiting = nodes.filter((node) => request.only?.has(node.name) ?? true);
  let pausedAt = clock.monotonic();
  await Promise.all(
    Array.from({ length: hostsAtOnce }, async () => {
      for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
        if (clock.monotonic() - pausedAt > withoutPauseMs) {
          await clock.sleep(0, signal);
          pausedAt = clock.monotonic();
        }
        planned.set(
          node.name,
          await planNode({ ...request, view, api, rebooters, conditions, services }, node, signal),
        );
      }
    }),
  );
  const order = nodes.map(({ name }) => name);
  const goes = new Set([...planned.values()].flatMap(({ node, verdict }) => (verdict === 'goes' ? [node] : [])));
  const groups = overlappingTurns({ view, order, goes, playbook });
  const inOrder = order.flatMap((name) => {
    const node = planned.get(name);
    const group = groups.find((names) => names.includes(name)) ?? [];
    return node === undefined ? [] : [{ ...node, overlaps: group.filter((other) => other !== name) }];
  });
  const plan = {
    run: request.run,
    playbook: playbook.name,
    clusterUid: request.clusterUid,
    target: cluster.target,
    hash: planHash({ clusterUid: request.clusterUid, playbook }),
    canaries: playbook.nodes.canaries,
    order,
    nodes: inOrder,
    ...wholeRun(inOrder),
  };
  return { plan, view };
}

/** The run's frozen order, where there is one, then the nodes it does not know yet; our own last unless it has begun. */
function plannedOrder(request: PlanRequest, view: ClusterView): NodeView[] {
  const { playbook, existing, ownNode } = request;
  const selected = selectNodes(view, playbook.nodes);
  if (selected.length === 0) throw noNodes(playbook);
  const ordered = orderNodes(selected, playbook.nodes, ownNode);
  const known = (existing?.order ?? []).flatMap((name) => ordered.find((node) => node.name === name) ?? []);
  const order = [...known, ...ordered.filter((node) => !known.includes(node))];
  const hasBegun =
    ownNode !== undefined && (existing?.done.has(ownNode) === true || existing?.cordoned.has(ownNode) === true);
  return hasBegun ? order : lastOf(order, ownNode);
}

async function planNode(
  request: PlanRequest & ClusterAnswers,
  node: NodeView,
  signal: AbortSignal,
): Promise<Omit<PlannedNode, 'overlaps'>> {
  const lastTurn = lastTurnOf(node);
  const done = request.existing?.done.has(node.name) ?? false;
  const checked = done ? undefined : await evaluation(request, node, signal);
  const findings = checked?.findings ?? [];
  const verdict = done ? 'done' : findings.some((finding) => finding.severity === 'block') ? 'blocked' : 'goes';
  const estimateMs = checked === undefined ? 0 : estimateOf(request, node, checked.forecast);
  return {
    node: node.name,
    zone: node.labels['topology.kubernetes.io/zone'],
    lastTurn: lastTurn === undefined ? undefined : new Date(lastTurn.time).toISOString(),
    verdict,
    evictions: checked?.forecast.evictions ?? 0,
    findings,
    estimateMs,
    ...(verdict === 'goes' ? { expectedMs: estimateMs, basis: 'estimate' as const } : { expectedMs: 0 }),
  };
}

function estimateOf(
  { view, playbook, hosts }: PlanRequest & ClusterAnswers,
  node: NodeView,
  drain: DrainForecast,
): number {
  const stays = new Set(drain.stays.map(({ pod }) => pod.uid));
  const leaving = podsOnNode(view, node.name).filter(({ uid }) => !stays.has(uid));
  const rehearsal = hosts === undefined;
  const told = rehearsal ? undefined : playbook.schedule.expectedTurnMs;
  return told ?? estimatedTurnMs({ playbook, rehearsal, drain, leaving });
}

async function evaluation(
  request: PlanRequest & ClusterAnswers,
  node: NodeView,
  signal: AbortSignal,
): Promise<NodeEvaluation> {
  const { hosts } = request;
  return await nodeFindings(
    {
      api: request.api,
      playbook: request.playbook,
      view: request.view,
      nodeName: node.name,
      moment: 'before-cordon',
      run: request.existing?.cordoned.has(node.name) === true ? request.existing.cordonedBy : undefined,
      restartedAs: request.run,
      accepted: request.existing?.accepted.get(node.name),
      leftShort: leftShortFor(request.existing?.turns ?? [], node.name),
      ownNode: request.ownNode,
      rebooters: request.rebooters,
      conditions: request.conditions,
      services: request.services,
      host: hosts && ((address) => hosts.hostOf({ name: node.name, address })),
    },
    signal,
  );
}
