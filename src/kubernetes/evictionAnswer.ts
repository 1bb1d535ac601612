import type { EvictionAnswer } from '../cluster/clusterPort.js';
import { parseJson } from '../cluster/json.js';
import { apiFailureOf, retryAfterMsOf, statusDetailsOf, type RefusedAnswer, type StatusDetails } from './apiFailure.js';

/**
 * What the server's answer to an eviction means (pkg/registry/core/pod/storage/eviction.go and
 * staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go). Webhooks are looked at first,
 * because they choose status, reason and causes as they like.
 */
export function evictionAnswerOf(answer: RefusedAnswer): EvictionAnswer {
  if (answer.status >= 200 && answer.status < 300) return { kind: 'accepted' };
  const details = statusDetailsOf(parseJson(answer.body));
  const failure = apiFailureOf(answer);
  const message = failure.message;
  const denier = denierOf(details.message);
  if (denier !== undefined) return { kind: 'denied', webhook: denier, message };

  const budgetCause = details.causes.find((cause) => cause.reason === 'DisruptionBudget');
  if (answer.status === 429 && budgetCause !== undefined) {
    return {
      kind: 'budget',
      budget: budgetNameOf(budgetCause.message),
      retryAfterMs: retryAfterMsOf(answer, details),
      message: budgetCause.message === '' ? message : budgetCause.message,
    };
  }
  if (failure.kind === 'throttled') return failure;
  if (answer.status === 404 && isAboutThePod(details)) return { kind: 'gone' };
  if (answer.status === 409 && isUidMismatch(details.message)) return { kind: 'gone' };
  if (answer.status === 403 && details.causes.some((cause) => cause.reason === 'NamespaceTerminating')) {
    return { kind: 'namespace-terminating', message };
  }
  return { kind: 'refused', status: answer.status, message };
}

/**
 * Name of the admission webhook, or of the ValidatingAdmissionPolicy, that said no; also of a webhook that could not be
 * asked and whose failurePolicy is Fail: a 500 (apiserver/pkg/admission/plugin/webhook/errors, ToStatusErr and the
 * dispatchers' NewInternalError).
 */
function denierOf(message: string): string | undefined {
  return (
    /admission webhook "([^"]+)" denied the request/.exec(message)?.[1] ??
    /ValidatingAdmissionPolicy '([^']+)' with binding '[^']+' denied request/.exec(message)?.[1] ??
    /failed calling webhook "([^"]+)"/.exec(message)?.[1]
  );
}

/** The cause is a sentence such as "The disruption budget web needs 2 healthy pods and has 2 currently". */
function budgetNameOf(message: string): string | undefined {
  return /disruption budget ([a-z0-9]\S*)/i.exec(message)?.[1];
}

/** A 404 without a name says that the eviction itself is not served: such a pod is still there. */
function isAboutThePod(details: StatusDetails): boolean {
  return (
    details.reason === 'NotFound' && details.name !== '' && (details.kind === 'pods' || details.kind === 'namespaces')
  );
}

/**
 * Two sentences say it: "the UID in the precondition (A) does not match the UID in record (B)" from the deletion
 * (apiserver/pkg/registry/rest/delete.go), "UID in precondition: A, UID in object meta: B" from the storage below
 * (apiserver/pkg/storage, Preconditions.Check).
 */
function isUidMismatch(message: string): boolean {
  return /UID in (the )?precondition/i.test(message);
}
