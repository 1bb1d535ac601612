import type { ResourceDefinition } from './resourceDefinition.js';
import type { Refusal, Reply } from './simulatedApi.js';

/** Every way the API server says no (apimachinery, pkg/api/errors/errors.go). */
export type Refused = Extract<Reply<never>, { kind: 'refused' }>;

export function refused(status: Refusal): Refused {
  return { kind: 'refused', status };
}

export function ok<T>(value: T): Reply<T> {
  return { kind: 'ok', value };
}

/** Nobody serves this path. */
export function notServed(): Refused {
  const message = 'the server could not find the requested resource';
  return refused({ code: 404, reason: 'NotFound', message, details: {} });
}

export function notFound(resource: ResourceDefinition, name: string): Refused {
  const message = `${resource.qualified} "${name}" not found`;
  return refused({ code: 404, reason: 'NotFound', message, details: detailsOf(resource.plural, resource.group, name) });
}

export function alreadyExists(resource: ResourceDefinition, name: string): Refused {
  const message = `${resource.qualified} "${name}" already exists`;
  const details = detailsOf(resource.plural, resource.group, name);
  return refused({ code: 409, reason: 'AlreadyExists', message, details });
}

/** `on` is the plural or, for preconditions of a deletion, the kind, with the group. */
export function conflict(on: string, name: string, why: string): Refused {
  const [kind = '', ...group] = on.split('.');
  const message = `Operation cannot be fulfilled on ${on} "${name}": ${why}`;
  return refused({ code: 409, reason: 'Conflict', message, details: detailsOf(kind, group.join('.'), name) });
}

function detailsOf(kind: string, group: string, name: string) {
  return group === '' ? { name, kind } : { name, group, kind };
}

export function wroteFirst(resource: ResourceDefinition, name: string): Refused {
  const why = 'the object has been modified; please apply your changes to the latest version and try again';
  return conflict(resource.qualified, name, why);
}

/** A deletion was meant for a namesake (apiserver, pkg/registry/rest/delete.go). */
export function otherUid(
  kind: string,
  name: string,
  uids: { readonly asked: string; readonly found: string },
): Refused {
  const why = `the UID in the precondition (${uids.asked}) does not match the UID in record (${uids.found}). The object might have been deleted and then recreated`;
  return conflict(kind, name, why);
}

export function badRequest(message: string): Refused {
  return refused({ code: 400, reason: 'BadRequest', message });
}

export function methodNotAllowed(): Refused {
  const message = 'the server does not allow this method on the requested resource';
  return refused({ code: 405, reason: 'MethodNotAllowed', message });
}

/** `problem` is what is wrong with the field: `Required value`. */
export function invalid(resource: ResourceDefinition, name: string, field: string, problem: string): Refused {
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  const causes = [{ reason: 'FieldValueInvalid', message: problem, field }];
  const message = `${kind} "${name}" is invalid: ${field}: ${problem}`;
  const details = { ...detailsOf(resource.kind, resource.group, name), causes };
  return refused({ code: 422, reason: 'Invalid', message, details });
}

/** A JSON patch whose test failed, or that points at nothing (apiserver, pkg/endpoints/handlers/patch.go). */
export function patchDoesNotApply(): Refused {
  const message = 'the server rejected our request due to an error in our request';
  return refused({ code: 422, reason: 'Invalid', message, details: {} });
}

export function expired(message: string): Refused {
  return refused({ code: 410, reason: 'Expired', message });
}

/** Nothing new comes into a namespace that goes (apiserver, pkg/admission/plugin/namespace/lifecycle). */
export function namespaceTerminating(resource: ResourceDefinition, name: string, namespace: string): Refused {
  return refused({
    code: 403,
    reason: 'Forbidden',
    message: `${resource.qualified} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    details: {
      ...detailsOf(resource.plural, resource.group, name),
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated` }],
    },
  });
}
