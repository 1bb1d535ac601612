import type { AuditEntry } from '../auditLog.js';
import type { TurnReport } from '../runReport.js';
import type { Change, NodeState, PodState, RollRecord } from './rollRecord.js';

/** What one roll cost and what the customers saw of it. */
export interface RollFigures {
  readonly rollSeconds: number;
  /** Sum over the nodes of the time in which each was cordoned or not Ready. */
  readonly nodeSecondsOut: number;
  /** Sum over workloads of two or more replicas of the time without any Ready one. */
  readonly outageSeconds: number;
  readonly workloadsWithOutage: number;
  /** The same for workloads of one replica. */
  readonly singletonOutageSeconds: number;
  /** Pods bound to a node in the roll for each pod that there was before. */
  readonly movesAPod: number;
  readonly evictions: number;
  readonly refusedEvictions: number;
  readonly requests: number;
  readonly requestsAnEviction: number;
  /** By `verb resource/subresource`, most frequent first. */
  readonly requestsByKind: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly peakMemoryMiB: number;
  readonly spread: SpreadFigures;
  /** Mean seconds of a turn in each of its steps; empty where the way has no turns. */
  readonly secondsByStep: Readonly<Record<string, number>>;
}

/** How the replicas lay before and after, for workloads of two or more. */
export interface SpreadFigures {
  /** Workloads with all replicas on one node. */
  readonly onOneNode: BeforeAfter;
  readonly onOneZone: BeforeAfter;
  /** Those that were not so before. */
  readonly heapedOnNode: readonly string[];
  readonly heapedOnZone: readonly string[];
  readonly mostPodsOnANode: BeforeAfter;
  readonly fewestPodsOnANode: BeforeAfter;
}

interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

export interface Roll {
  readonly record: Pick<RollRecord, 'pods' | 'nodes'>;
  /** Desired replicas by the value of the label `app`. */
  readonly replicas: ReadonlyMap<string, number>;
  readonly zoneOf: ReadonlyMap<string, string>;
  /** Requests of the tool that is measured. */
  readonly requests: readonly AuditEntry[];
  readonly beganMs: number;
  readonly endedMs: number;
  readonly use: { readonly cpuSeconds: number; readonly peakMemoryMiB: number };
  readonly turns: readonly TurnReport[];
}

export function rollFigures(roll: Roll): RollFigures {
  const { record, replicas, zoneOf, requests, beganMs, endedMs, use } = roll;
  const outages = outageMs(roll);
  const several = [...outages].filter(([app]) => (replicas.get(app) ?? 0) > 1);
  const single = [...outages].filter(([app]) => replicas.get(app) === 1);
  const before = podsAt(record.pods, beganMs);
  const after = podsAt(record.pods, Infinity);
  const newlyBound = new Set(
    record.pods.filter(({ uid, state }) => state?.node !== undefined && !before.has(uid)).map(({ uid }) => uid),
  );
  const evictions = requests.filter((request) => isEviction(request) && request.code === 201).length;
  return {
    rollSeconds: seconds(endedMs - beganMs),
    nodeSecondsOut: seconds(timeOutMs(record.nodes, endedMs)),
    outageSeconds: seconds(sum(several.map(([, ms]) => ms))),
    workloadsWithOutage: several.filter(([, ms]) => ms > 0).length,
    singletonOutageSeconds: seconds(sum(single.map(([, ms]) => ms))),
    movesAPod: rounded(newlyBound.size / before.size),
    evictions,
    refusedEvictions: requests.filter((request) => isEviction(request) && request.code === 429).length,
    requests: requests.length,
    requestsAnEviction: rounded(requests.length / Math.max(1, evictions)),
    requestsByKind: byKind(requests),
    cpuSeconds: rounded(use.cpuSeconds),
    peakMemoryMiB: Math.round(use.peakMemoryMiB),
    secondsByStep: secondsByStep(roll.turns),
    spread: spreadFigures({ before: [...before.values()], after: [...after.values()], replicas, zoneOf }),
  };
}

function secondsByStep(turns: readonly TurnReport[]): Record<string, number> {
  const totals = new Map<string, number>();
  for (const { phase, startedAt, finishedAt } of turns.flatMap(({ steps = [] }) => steps)) {
    if (finishedAt === undefined) continue;
    totals.set(phase, (totals.get(phase) ?? 0) + Date.parse(finishedAt) - Date.parse(startedAt));
  }
  return Object.fromEntries([...totals].map(([phase, ms]) => [phase, seconds(ms / turns.length)]));
}

function byKind(requests: readonly AuditEntry[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { verb, resource, subresource } of requests) {
    const kind = `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([, one], [, other]) => other - one));
}

function isEviction({ subresource, verb }: AuditEntry): boolean {
  return subresource === 'eviction' && verb === 'create';
}

/** The pods by UID as they were then. */
function podsAt(changes: readonly Change<PodState>[], timeMs: number): ReadonlyMap<string, PodState> {
  const pods = new Map<string, PodState>();
  for (const { uid, state, timeMs: at } of changes) {
    if (at > timeMs) continue;
    if (state === undefined) pods.delete(uid);
    else pods.set(uid, state);
  }
  return pods;
}

/** Time without a serving pod, by workload. */
function outageMs({ record, replicas, beganMs, endedMs }: Roll): ReadonlyMap<string, number> {
  const outages = new Map([...replicas.keys()].map((app) => [app, 0]));
  const serving = new Map<string, Set<string>>([...replicas.keys()].map((app) => [app, new Set()]));
  const appOf = new Map<string, string>();
  const downSince = new Map<string, number>();
  for (const { uid, state, timeMs } of record.pods) {
    const app = state?.app ?? appOf.get(uid) ?? '';
    appOf.set(uid, app);
    const pods = serving.get(app);
    if (pods === undefined) continue;
    if (state?.serves === true) pods.add(uid);
    else pods.delete(uid);
    if (timeMs <= beganMs) continue;
    const since = downSince.get(app);
    if (pods.size === 0 && since === undefined) downSince.set(app, timeMs);
    if (pods.size > 0 && since !== undefined) {
      outages.set(app, (outages.get(app) ?? 0) + timeMs - since);
      downSince.delete(app);
    }
  }
  for (const [app, since] of downSince) outages.set(app, (outages.get(app) ?? 0) + Math.max(0, endedMs - since));
  return outages;
}

function timeOutMs(changes: readonly Change<NodeState>[], endedMs: number): number {
  const outSince = new Map<string, number>();
  let total = 0;
  for (const { uid, state, timeMs } of changes) {
    const since = outSince.get(uid);
    if (state?.inService === false && since === undefined) outSince.set(uid, timeMs);
    if (state?.inService === true && since !== undefined) {
      total += timeMs - since;
      outSince.delete(uid);
    }
  }
  return total + sum([...outSince.values()].map((since) => endedMs - since));
}

function spreadFigures(lay: {
  before: readonly PodState[];
  after: readonly PodState[];
  replicas: ReadonlyMap<string, number>;
  zoneOf: ReadonlyMap<string, string>;
}): SpreadFigures {
  const { before, after, replicas, zoneOf } = lay;
  const several = [...replicas].filter(([, count]) => count > 1).map(([app]) => app);
  const placesOf = (pods: readonly PodState[], app: string, place: (node: string) => string): number =>
    new Set(pods.flatMap((pod) => (pod.app === app && pod.node !== undefined ? [place(pod.node)] : []))).size;
  const gathered = (pods: readonly PodState[], place: (node: string) => string): string[] =>
    several.filter((app) => placesOf(pods, app, place) === 1);
  const node = (name: string): string => name;
  const zone = (name: string): string => zoneOf.get(name) ?? '';
  const nodeHeaps = { before: gathered(before, node), after: gathered(after, node) };
  const zoneHeaps = { before: gathered(before, zone), after: gathered(after, zone) };
  const counts = { before: podsByNode(before, zoneOf), after: podsByNode(after, zoneOf) };
  return {
    onOneNode: { before: nodeHeaps.before.length, after: nodeHeaps.after.length },
    onOneZone: { before: zoneHeaps.before.length, after: zoneHeaps.after.length },
    heapedOnNode: nodeHeaps.after.filter((app) => !nodeHeaps.before.includes(app)),
    heapedOnZone: zoneHeaps.after.filter((app) => !zoneHeaps.before.includes(app)),
    mostPodsOnANode: { before: Math.max(...counts.before), after: Math.max(...counts.after) },
    fewestPodsOnANode: { before: Math.min(...counts.before), after: Math.min(...counts.after) },
  };
}

function podsByNode(pods: readonly PodState[], zoneOf: ReadonlyMap<string, string>): number[] {
  return [...zoneOf.keys()].map((name) => pods.filter(({ node }) => node === name).length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function seconds(ms: number): number {
  return rounded(ms / 1000);
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}
