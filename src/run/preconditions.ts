import type { ApiAnswer, ClusterPort } from '../cluster/clusterPort.js';
import { clusterUid } from '../cluster/clusterUid.js';
import { recordOf, stringOf, timeOf } from '../cluster/json.js';
import { describePermission, missingPermissions, type Permission } from '../cluster/permissions.js';
import { isForSurge } from '../install/accessRules.js';
import { TurnusError } from '../turnusError.js';

/** @throws TurnusError `api-…` where the API server does not answer */
export async function refuseUnreachable(cluster: ClusterPort, signal: AbortSignal): Promise<void> {
  const answer = await cluster.serverVersion(signal);
  if (answer.kind === 'ok') return;
  throw new TurnusError({
    code: `api-${answer.kind}`,
    message: `The API server ${cluster.target.server} (context ${cluster.target.context}) does not answer: ${answer.message}`,
    hint: 'Check the kubeconfig with: kubectl version',
  });
}

/**
 * The uid of the cluster, where it is the one that the playbook is for. `mustBeNamed`: nobody will be asked, so the
 * playbook or the context must have said which cluster is meant.
 *
 * @throws TurnusError `wrong-cluster`, `cluster-not-named`, `cluster-uid-unreadable`
 */
export async function checkedClusterUid(
  check: { cluster: ClusterPort; expected: string | undefined; mustBeNamed: boolean },
  signal: AbortSignal,
): Promise<string> {
  const { cluster, expected } = check;
  const { target } = cluster;
  const answer = await clusterUid(cluster, signal);
  if (answer.kind !== 'ok') {
    throw new TurnusError({
      code: 'cluster-uid-unreadable',
      message: `Namespace kube-system, whose uid identifies the cluster, cannot be read: ${answer.message}`,
      hint: 'Bind the ClusterRole turnus to the user.',
    });
  }
  if (expected !== undefined && expected !== answer.value) {
    throw new TurnusError({
      code: 'wrong-cluster',
      message: `The playbook is for cluster ${expected} (spec.cluster.uid), but ${target.server} (context ${target.context}) is cluster ${answer.value}.`,
      hint: 'Choose the context of the right cluster with --context; nothing was touched.',
    });
  }
  if (expected === undefined && check.mustBeNamed) {
    throw new TurnusError({
      code: 'cluster-not-named',
      message: 'With --yes nobody is asked whether this is the right cluster, and the playbook does not say.',
      hint: `Write spec.cluster.uid: ${answer.value} into the playbook, or give --context.`,
    });
  }
  return answer.value;
}

/** @throws TurnusError `permission-missing`, with every permission by name */
export async function refuseMissingPermissions(
  request: { cluster: ClusterPort; wanted: readonly Permission[] },
  signal: AbortSignal,
): Promise<void> {
  const { cluster, wanted } = request;
  const answer = await missingPermissions({ cluster, wanted, signal });
  if (answer.kind !== 'ok') {
    throw new TurnusError({
      code: 'permissions-unknown',
      message: `The API server does not say what ${cluster.target.user} may do: ${answer.message}`,
    });
  }
  if (answer.value.length === 0) return;
  const missing = answer.value.map(({ permission }) => describePermission(permission));
  const forSurge = answer.value.some(({ permission }) => isForSurge(permission));
  const install = `turnus install -f PLAYBOOK${forSurge ? ' --with surge' : ''}`;
  throw new TurnusError({
    code: 'permission-missing',
    message: `${cluster.target.user} may not: ${missing.join('; ')}.`,
    hint: `Bind the roles that \`${install}\` makes to this user; nothing was touched.`,
  });
}

const selfReviews = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews', namespaced: false };

/** Who we are for the API server, and when it was asked by its own clock. */
export interface SelfReview {
  readonly username: string | undefined;
  /** Milliseconds since the epoch, cut to the second; undefined where the server does not say. */
  readonly serverTimeMs: number | undefined;
}

/** Asks the API server who we are (SelfSubjectReview, KEP-3325). Stores nothing. */
export async function reviewSelf(cluster: ClusterPort, signal: AbortSignal): Promise<ApiAnswer<SelfReview>> {
  const object = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} };
  const answer = await cluster.create({ resource: selfReviews, object }, signal);
  if (answer.kind !== 'ok') return answer;
  const username = stringOf(recordOf(recordOf(answer.value['status'])['userInfo'])['username']);
  return { kind: 'ok', value: { username, serverTimeMs: timeOf(answer.value.metadata.creationTimestamp) } };
}

/** Who we are for the API server; a run's requester must be that. */
export async function readUserName(cluster: ClusterPort, signal: AbortSignal): Promise<string> {
  const answer = await reviewSelf(cluster, signal);
  return (answer.kind === 'ok' ? answer.value.username : undefined) ?? cluster.target.user;
}
