import { expect } from 'vitest';
import { budgetVerdict } from '../../../src/cluster/budgetArithmetic.js';
import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { parseBudget } from '../../../src/cluster/parseBudget.js';
import { parsePod } from '../../../src/cluster/parsePod.js';
import { podKey, type BudgetView, type ClusterView, type PodView } from '../../../src/cluster/view.js';
import type { WatchCache } from '../../../src/cluster/watchCache.js';
import { budgetAllowance } from '../../../src/drain/budgetAllowance.js';
import type { ManagedBudgets } from '../../../src/drain/managedBudgets.js';
import type { Permission } from '../../../src/drain/nextStep.js';
import { podBudgets, type SelectedPods } from '../../../src/drain/podBudgets.js';
import type { TestApi } from '../api.js';
import type { KubeObject } from '../objects.js';
import { waitFor } from '../waitFor.js';

/** Ours and the server's word about the eviction of one pod, on the same versions of all objects. */
export interface Case {
  /** `namespace/name` */
  readonly pod: string;
  readonly uid: string;
  readonly verdict: Verdict;
  /** The budgets that select it. */
  readonly budgets: readonly SelectedPods[];
  readonly server: string;
  readonly agrees: boolean;
  /** With all numbers, for the person who reads a difference. */
  readonly explanation: string;
}

export type Verdict =
  | 'unguarded'
  | 'not-started'
  | 'finished'
  | 'terminating'
  | 'free'
  | 'allowed'
  | 'not-now'
  | 'never'
  | 'not-synced'
  | 'stale'
  | 'managed'
  | 'conflict';

export interface Comparison {
  readonly api: TestApi;
  readonly cache: WatchCache;
  readonly namespaces: readonly string[];
  readonly managedBudgets: ManagedBudgets;
  /** The disruption controller works: its numbers are those of this moment, and ours must be the same. */
  readonly counted: boolean;
}

const triesMs = 15_000;

/**
 * Asks both about every pod of the namespaces. Where an object changes between the first look and the last answer, or
 * where the two differ because the disruption controller has not caught up, both are asked again, for 15 s at most.
 * That the versions are the same after all of the answers also says that no dry run has changed anything.
 */
export async function compareVerdicts(comparison: Comparison): Promise<readonly Case[]> {
  let cases: readonly Case[] = [];
  let changed = 'never asked';
  const agreed = async (): Promise<boolean> => {
    const before = await untilViewShows(comparison);
    cases = await askBoth(comparison, comparison.cache.view());
    const after = (await objectsIn(comparison)).versions;
    changed = before === after ? '' : 'the objects changed while they were asked about';
    return changed === '' && cases.every(({ agrees }) => agrees);
  };
  await waitFor({ what: 'both to agree', probe: agreed, timeoutMs: triesMs, intervalMs: 500 }).catch(() => undefined);
  expect(changed).toBe('');
  return cases;
}

/** Those on which the two differ, as text. */
export function differences(cases: readonly Case[]): string[] {
  return cases.filter(({ agrees }) => !agrees).map(({ explanation }) => explanation);
}

interface Objects {
  readonly pods: readonly PodView[];
  readonly budgets: readonly BudgetView[];
  /** The resourceVersion of each. */
  readonly versions: string;
}

async function objectsIn({ api, namespaces }: Comparison): Promise<Objects> {
  const pods: PodView[] = [];
  const budgets: BudgetView[] = [];
  const versions: string[] = [];
  for (const namespace of namespaces) {
    const listed = {
      pods: await api.list({ kind: 'Pod', namespace }),
      budgets: await api.list({ kind: 'PodDisruptionBudget', namespace }),
    };
    pods.push(...listed.pods.map((pod) => parsePod(asObject(pod))));
    budgets.push(...listed.budgets.map((budget) => parseBudget(asObject(budget))));
    for (const { metadata } of [...listed.pods, ...listed.budgets]) {
      versions.push(`${namespace}/${metadata.name} ${metadata.resourceVersion ?? ''}`);
    }
  }
  return { pods, budgets, versions: versions.sort().join('\n') };
}

/** An object of the tests' types as one of the port's: the same JSON. */
function asObject(object: KubeObject): ApiObject {
  return object as unknown as ApiObject;
}

/** Waits until the watch cache has what the API server has; answers the versions. */
async function untilViewShows(comparison: Comparison): Promise<string> {
  const { cache, namespaces } = comparison;
  const sorted = <O extends { namespace: string; name: string }>(objects: Iterable<O>): O[] =>
    [...objects]
      .filter(({ namespace }) => namespaces.includes(namespace))
      .sort((one, other) => (podKey(one) < podKey(other) ? -1 : 1));
  return await waitFor({
    what: 'the watch cache to show what the API server has',
    timeoutMs: 10_000,
    probe: async () => {
      const { pods, budgets, versions } = await objectsIn(comparison);
      const view = cache.view();
      expect(sorted(view.pods.values())).toEqual(sorted(pods));
      expect(sorted(view.budgets)).toEqual(sorted(budgets));
      return versions;
    },
  });
}

/** Our word as the drain of the pod's node would have it, then the server's. */
async function askBoth(comparison: Comparison, view: ClusterView): Promise<readonly Case[]> {
  const { api, namespaces, managedBudgets, counted } = comparison;
  const asked = [...view.pods.values()].filter(({ namespace }) => namespaces.includes(namespace));
  const cases: Case[] = [];
  for (const node of new Set(asked.map(({ nodeName }) => nodeName ?? ''))) {
    const pods = asked.filter(({ nodeName = '' }) => nodeName === node);
    const now = Date.now();
    const budgets = podBudgets(view, pods, managedBudgets);
    const inFlight = new Set<string>();
    const allowance = budgetAllowance({ node, budgets, inFlight, now });
    for (const pod of pods) {
      const selecting = budgets.get(pod.uid) ?? [];
      const permission = allowance.ask(pod);
      const verdict = verdictOf(pod, selecting, permission, now);
      const { namespace, name, uid } = pod;
      const answer = await api.evict({ namespace, name, uid, dryRun: true });
      const server = answerText(answer.status, answer.body);
      const agrees = expectedAnswers(permission, selecting, counted).test(server);
      cases.push({
        pod: podKey(pod),
        uid,
        verdict,
        budgets: selecting,
        server,
        agrees,
        explanation: explain({ pod, selecting, permission, server, body: answer.body }),
      });
    }
  }
  return cases;
}

function verdictOf(pod: PodView, selecting: readonly SelectedPods[], permission: Permission, now: number): Verdict {
  if (pod.terminating) return 'terminating';
  if (pod.phase === 'Succeeded' || pod.phase === 'Failed') return 'finished';
  if (pod.phase === 'Pending') return 'not-started';
  const [only, ...more] = selecting;
  if (only === undefined) return 'unguarded';
  if (more.length > 0) return 'conflict';
  const { kind } = budgetVerdict({ ...only, pod, inFlight: new Set(), now });
  return permission.kind === 'wait' && permission.wait.for === 'managed-budget' ? 'managed' : kind;
}

/** The answers that the server may give if we are right. The numbers of our sentence must be the server's. */
function expectedAnswers(permission: Permission, selecting: readonly SelectedPods[], counted: boolean): RegExp {
  if (permission.kind === 'go') return /^201$/;
  if (permission.kind === 'never') return permission.finding.code === 'budget-conflict' ? /^500$/ : /^429 (?!stale)/;
  // A budget that was never computed has no observedGeneration either, which the server looks at first.
  if (['managed-budget', 'budget-not-synced'].includes(permission.wait.for)) return /^429 /;
  if (permission.wait.for === 'budget-stale') return /^429 stale$/;
  const numbers = /needs (\d+) healthy pods? and has (\d+)/.exec(permission.wait.message);
  const name = selecting[0]?.budget.name ?? '';
  if (numbers === null || !counted) return /^429 (?!stale)/;
  return new RegExp(`^429 (closed|${name} needs ${numbers[1] ?? ''} has ${numbers[2] ?? ''})$`);
}

interface StatusBody {
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { reason?: string; message?: string }[]; retryAfterSeconds?: number };
}

/** The server's answer: `201`, `500` for two budgets, `429` with what the cause says, else all of it. */
function answerText(status: number, body: unknown): string {
  const { message = '', details } = body as StatusBody;
  if (status === 201) return '201';
  if (status === 500 && message.includes('more than one PodDisruptionBudget')) return '500';
  const cause = details?.causes?.find(({ reason }) => reason === 'DisruptionBudget')?.message;
  if (status !== 429 || cause === undefined) return `other ${String(status)} ${message}`;
  if ((details?.retryAfterSeconds ?? 0) > 0) return '429 stale';
  const numbers = /disruption budget (\S+) needs (\d+) healthy pods? and has (\d+)/.exec(cause);
  return numbers === null ? '429 closed' : `429 ${numbers[1] ?? ''} needs ${numbers[2] ?? ''} has ${numbers[3] ?? ''}`;
}

function explain(parts: {
  pod: PodView;
  selecting: readonly SelectedPods[];
  permission: Permission;
  server: string;
  body: unknown;
}): string {
  const { pod, selecting, permission, server, body } = parts;
  const { phase, ready, terminating, controller } = pod;
  const budgets = selecting.map(({ budget, members, attainable, owners }) => ({
    name: budget.name,
    minAvailable: budget.minAvailable,
    maxUnavailable: budget.maxUnavailable,
    policy: budget.unhealthyPodEvictionPolicy,
    managedBy: budget.managedBy,
    status: budget.status,
    generation: budget.generation,
    attainable,
    owners,
    members: members.map((member) => `${member.name}${member.ready ? '' : '!'}`).join(' '),
  }));
  return JSON.stringify({
    pod: podKey(pod),
    phase,
    ready,
    terminating,
    controller: controller?.kind,
    server,
    permission,
    body,
    budgets,
  });
}
