import type { ApiAnswer, ClusterTarget } from '../cluster/clusterPort.js';
import { failed, ok, skipped, warning, type Judgement } from './check.js';

/** The API server answered, or did not. */
export function judgeReachable(api: {
  readonly target: ClusterTarget;
  readonly version: ApiAnswer<string>;
  /** Of a request on a connection that is open. */
  readonly roundTripMs: number | undefined;
}): Judgement {
  const { server, context, user } = api.target;
  if (api.version.kind !== 'ok') {
    return failed(
      'api-reachable',
      `The API server ${server} (context ${context}) does not answer: ${api.version.message}`,
      'Check the kubeconfig with: kubectl version',
    );
  }
  const howFast = api.roundTripMs === undefined ? '' : ` in ${String(Math.max(1, Math.round(api.roundTripMs)))} ms`;
  return ok('api-reachable', `${server} answers${howFast} (context ${context}, user ${user}).`);
}

export function judgeReadiness(readiness: ApiAnswer<string>): Judgement {
  if (readiness.kind === 'ok') return ok('api-ready', 'The API server calls itself ready.');
  return warning(
    'api-ready',
    `The API server does not call itself ready: ${readiness.message}`,
    'kubectl get --raw "/readyz?verbose" names what is not; no turn starts before it is.',
  );
}

/** What Turnus needs of the server's APIs: asked of discovery, because distributions number their versions freely. */
export interface ServedApis {
  /** Whether pods are evicted by policy/v1. */
  readonly evictions: ApiAnswer<boolean>;
  /** Whether ValidatingAdmissionPolicy (admissionregistration.k8s.io/v1) is served. */
  readonly admissionPolicies: ApiAnswer<boolean>;
}

export function judgeVersion(version: string, { evictions, admissionPolicies }: ServedApis): Judgement {
  for (const answer of [evictions, admissionPolicies]) {
    if (answer.kind === 'ok') continue;
    return skipped(
      'server-version',
      `The server is ${version}; what it serves cannot be read: ${answer.message}`,
      'Try again once the API server answers.',
    );
  }
  const missing = [
    ...(evictions.kind === 'ok' && !evictions.value ? ['evictions by policy/v1 (Kubernetes 1.22)'] : []),
    ...(admissionPolicies.kind === 'ok' && !admissionPolicies.value
      ? ['ValidatingAdmissionPolicy of admissionregistration.k8s.io/v1 (Kubernetes 1.30)']
      : []),
  ];
  if (missing.length === 0)
    return ok('server-version', `The server is ${version}; it serves evictions by policy/v1 and admission policies.`);
  return failed(
    'server-version',
    `The server is ${version} and does not serve ${missing.join(', nor ')}.`,
    'Turnus cannot work on this server: upgrade the control plane first.',
  );
}

export function judgeClusterUid(uid: ApiAnswer<string>, expected: string | undefined): Judgement {
  if (uid.kind !== 'ok') {
    return failed(
      'cluster-uid',
      `Namespace kube-system, whose uid identifies the cluster, cannot be read: ${uid.message}`,
      'Bind the ClusterRole turnus to the user (see docs/install.md).',
    );
  }
  if (expected === undefined) {
    return warning(
      'cluster-uid',
      `This is cluster ${uid.value}; the playbook does not say for which cluster it is.`,
      `Write spec.cluster.uid: ${uid.value} into the playbook; \`turnus run --yes\` needs it, or --context.`,
    );
  }
  if (expected !== uid.value) {
    return failed(
      'cluster-uid',
      `The playbook is for cluster ${expected} (spec.cluster.uid), but this is cluster ${uid.value}.`,
      'Choose the context of the right cluster with --context.',
    );
  }
  return ok('cluster-uid', `This is cluster ${uid.value}, as the playbook says.`);
}
