import type { ApiAnswer, ApiObject } from '../cluster/clusterPort.js';
import { recordOf } from '../cluster/json.js';
import type { LeaseSight } from '../cluster/leaseSight.js';
import { describePermission, type MissingPermission } from '../cluster/permissions.js';
import { isForSurge } from '../install/accessRules.js';
import { formatDuration } from '../time/duration.js';
import { failed, ok, skipped, type Judgement } from './check.js';

/** What this user may do of what a run does: one line for each permission that is missing, and how many are there. */
export function judgePermissions(asked: {
  readonly user: string;
  /** How many were asked for. */
  readonly wanted: number;
  readonly missing: ApiAnswer<readonly MissingPermission[]>;
}): readonly Judgement[] {
  const { user, wanted, missing } = asked;
  if (missing.kind !== 'ok') {
    return [
      failed(
        'permission',
        `The API server does not say what ${user} may do: ${missing.message}`,
        missing.kind === 'forbidden'
          ? 'Every authenticated user may ask (ClusterRole system:basic-user); bind it to this user.'
          : 'Mend what the API server says of itself, and ask again; a run asks the same and does not begin without an answer.',
      ),
    ];
  }
  const granted = wanted - missing.value.length;
  return [
    ...(granted === 0
      ? []
      : [ok('permission', `${user} has ${String(granted)} of the ${String(wanted)} permissions that a run needs.`)]),
    ...missing.value.map(({ permission, reason }) =>
      failed(
        'permission',
        `${user} may not ${describePermission(permission)}${reason === '' ? '' : ` (${reason})`}.`,
        isForSurge(permission)
          ? 'Surging of singletons needs it: `turnus install --with surge`, and bind the ClusterRole turnus to this user.'
          : 'Bind the roles that `turnus install -f PLAYBOOK` makes to this user; --print shows them (see docs/install.md).',
      ),
    ),
  ];
}

/** Where the objects of Turnus are, or why that is not known. */
export type InstallationReading =
  | { readonly kind: 'installed'; readonly namespace: string; readonly schema: number }
  | { readonly kind: 'not-usable'; readonly message: string; readonly hint: string };

export function judgeInstallation(installation: InstallationReading): Judgement {
  if (installation.kind === 'not-usable') return failed('custom-resources', installation.message, installation.hint);
  const { schema, namespace } = installation;
  return ok(
    'custom-resources',
    `The CRDs of Turnus are installed in schema ${String(schema)}; its objects are in namespace ${namespace}.`,
  );
}

export function judgeNamespace(name: string, answer: ApiAnswer<ApiObject>): Judgement {
  if (answer.kind === 'not-found') {
    return failed(
      'namespace',
      `Namespace ${name}, in which Turnus keeps its objects, is not there.`,
      'Run `turnus install`.',
    );
  }
  if (answer.kind !== 'ok') return skipped('namespace', `Namespace ${name} cannot be read: ${answer.message}`);
  if (recordOf(answer.value['status'])['phase'] === 'Terminating') {
    return failed(
      'namespace',
      `Namespace ${name}, in which Turnus keeps its objects, is being deleted.`,
      'Wait until it is gone, then run `turnus install`; what it held of former runs is lost.',
    );
  }
  return ok('namespace', `Namespace ${name} is there.`);
}

/** Who acts at the moment: for the record, it speaks neither for nor against a run in another night. */
export function judgeLease(lease: string, sight: LeaseSight, now: number): Judgement {
  switch (sight.kind) {
    case 'free':
      return ok('lease', `Nobody holds the Lease ${lease}: no actor is at work.`);
    case 'alive':
      return ok('lease', `${sight.holder} holds the Lease ${lease} and is at work; \`turnus status\` shows on what.`);
    case 'silent': {
      const since = sight.renewedAt === undefined ? '' : ` for ${formatDuration(Math.max(0, now - sight.renewedAt))}`;
      return ok(
        'lease',
        `${sight.holder} holds the Lease ${lease} but has not renewed it${since}: another may take it.`,
      );
    }
    case 'unknown':
      return skipped('lease', `Who holds the Lease ${lease} cannot be read: ${sight.failure.message}`);
  }
}
