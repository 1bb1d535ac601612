import { z } from 'zod';
import { duringTurnSchema } from './duringTurnSchema.js';
import {
  count,
  duration,
  flag,
  labelKey,
  labelSelector,
  listOf,
  mapping,
  objectPath,
  oneOf,
  text,
  wholeNumber,
} from './fieldKinds.js';
import { hostSchema } from './hostSchema.js';
import { journalSchema, notifySchema } from './reportingSchema.js';
import { scheduleSchema } from './scheduleSchema.js';

/*
 * Every field of a playbook with its default. Those that only one kind of source may have are part of it, so that the
 * reason can be given (refusedReferences.ts). Rules between fields are in consistency.ts.
 */

const labelMap = (description: string) =>
  z
    .record(z.string(), z.string({ error: 'expected a text' }), { error: 'expected a mapping of texts' })
    .describe(description);

const namespaces = labelMap('Labels that the namespace carries.').optional();

const nodes = mapping('Which nodes have their turn, in which order and how many.', {
  selector: labelSelector("Label selector in kubectl's syntax. Empty: every node that is not control plane.").default(
    '',
  ),
  exclude: labelKey('Label key: nodes that carry it are not of this playbook.').default('turnus.dev/exclude'),
  order: listOf(
    'What decides the order, the first first: `longestSinceTurn`, then `name`.',
    oneOf('A criterion.', ['longestSinceTurn', 'name']),
    'longestSinceTurn, name',
  )
    .refine((order) => order.length > 0 && new Set(order).size === order.length, {
      error: 'expected a list that names longestSinceTurn, name or both, each once',
    })
    .default(['longestSinceTurn']),
  canaries: wholeNumber('Nodes that go first and one at a time; the others follow when these are well.', {
    min: 0,
    max: 10_000,
  }).default(1),
  concurrency: wholeNumber('Turns in work at the same time.', { min: 1, max: 10_000 }).default(1),
  maxUnavailable: count(
    "Nodes of the selection that may be out of service at the same time, the one whose turn it is and other people's included.",
    { min: 1 },
  ).default(1),
  stopAfterFailures: wholeNumber('Failed turns after which no other turn starts.', { min: 1, max: 10_000 }).default(1),
  steer: oneOf(
    'How pods are kept from moving to nodes whose turn is still to come: by a `taint` (PreferNoSchedule), or `off`.',
    ['taint', 'off'],
  ).default('taint'),
});

const managedBudget = mapping('Budgets that an operator runs.', {
  namespaces,
  selector: labelSelector('Label selector of the budgets.').default(''),
});

const condition = mapping('A condition on an object of the cluster.', {
  apiVersion: text(
    'Group and version of the object.',
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z]([-a-z0-9]*[a-z0-9])?$/,
    'a group and version such as ceph.rook.io/v1',
  ),
  kind: text('Kind of the object.', /^[A-Z]\w{0,62}$/, 'a kind such as CephCluster'),
  namespace: text(
    'Its namespace. Without it, all namespaces are meant, or the kind has none.',
    /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
    'the name of a namespace',
  ).optional(),
  name: text(
    'Its name. Without it, all objects of the kind are meant.',
    /^(?!\.{1,2}$)[^\s/%]{1,253}$/,
    'the name of an object',
  ).optional(),
  path: objectPath(
    'The field, in the JSONPath of kubectl: `.status.ceph.health`, `.status.conditions[?(@.type=="Ready")].status`.',
  ),
  in: listOf(
    'Values with which nodes may leave, as kubectl prints them.',
    z.string({ error: 'expected a text; put it in quotes, such as "True"' }),
    'texts',
  ).min(1, { error: 'expected at least one value' }),
});

const gates = mapping('Checks before a node leaves service. PodDisruptionBudgets are always honoured.', {
  replicaSpread: mapping('How many replicas of each owner stay Ready on other nodes.', {
    minReadyElsewhere: count(
      'Replicas of each owner that stay Ready elsewhere: rounded up, never more than all but one.',
      { min: 0 },
    ).default('50%'),
    singletons: oneOf(
      'What happens to workloads with one replica: `allow` moves them with a short outage, `block` keeps their node in service, `surge` starts the replacement first.',
      ['allow', 'surge', 'block'],
    ).default('allow'),
  }).prefault({}),
  managedBudgets: listOf(
    'Budgets that a storage or database operator opens by itself once evictions go on.',
    managedBudget,
    'budgets ({namespaces, selector})',
  ).default([]),
  capacity: mapping('Whether the pods of a node fit on the others.', {
    mode: oneOf('What happens where they do not: a caution in the plan (`warn`), or the node stays (`block`).', [
      'warn',
      'block',
    ]).default('warn'),
  }).prefault({}),
  clusterHealth: mapping('Conditions of the cluster without which no node leaves.', {
    conditions: listOf('Conditions on objects.', condition, 'conditions ({apiVersion, kind, path, in})').default([]),
    wait: duration('How long a turn waits, before its cordon, for conditions that do not hold.', {
      zero: true,
    }).default('30m'),
  }).prefault({}),
  overrides: listOf(
    'Another spread of replicas for some namespaces. For each field the first entry that gives it decides.',
    mapping('A spread of replicas for some namespaces.', {
      namespaces,
      singletons: oneOf('As in replicaSpread.', ['allow', 'surge', 'block']).optional(),
      minReadyElsewhere: count('As in replicaSpread.', { min: 0 }).optional(),
    }),
    'overrides ({namespaces, singletons, minReadyElsewhere})',
  ).default([]),
});

const drain = mapping('How the node is emptied.', {
  timeout: duration('One hard bound for the whole drain. Then it is undone.').default('15m'),
  attempts: wholeNumber('Drains of one node in a window before it is left.', { min: 1, max: 100 }).default(2),
  localData: oneOf('Pods with emptyDir volumes: evicted and their data lost (`delete`), or the node stays (`block`).', [
    'delete',
    'block',
  ]).default('delete'),
  unmanagedPods: oneOf('Pods without a controller: evicted for good (`delete`), or the node stays (`block`).', [
    'delete',
    'block',
  ]).default('block'),
  jobPods: oneOf('Running Job pods: waited for (`wait`), evicted like others (`evict`), or the node stays (`block`).', [
    'wait',
    'evict',
    'block',
  ]).default('wait'),
  jobPodsLimit: duration('How long running Job pods are waited for before the node is deferred.').default('1h'),
  waitForReplacements: flag('Whether the host is touched only when the evicted pods are Ready elsewhere.').default(
    true,
  ),
  overrides: listOf(
    'Another treatment for some pods. The first entry that means a pod decides.',
    mapping('A treatment for some pods.', {
      namespaces,
      selector: labelSelector('Label selector of the pods.').optional(),
      do: oneOf(
        'What is done with them: evicted whatever localData, unmanagedPods, jobPods and their annotations say (`evict`), left on the node (`leave`), waited for until they have gone by themselves (`wait`), or the node stays (`block`).',
        ['evict', 'leave', 'wait', 'block'],
      ),
    }),
    'overrides ({namespaces, selector, do})',
  ).default([]),
});

/** `spec.health`. */
export const healthSchema = mapping('When the node counts as well again.', {
  consecutive: wholeNumber('Checks in a row that must pass.', { min: 1, max: 1000 }).default(3),
  interval: duration('Time between two checks.').default('5s'),
  timeout: duration('How long the node may take to become well. Then the turn fails.').default('15m'),
  daemonSets: flag('Whether the DaemonSet and static pods of the node must be Ready again.').default(true),
  commands: listOf(
    'Commands on the host that must exit 0, such as `systemctl is-active kubelet`. They only look.',
    text('A command.', /^\S(.*\S)?$/, 'a command on one line'),
    'commands',
  ).default([]),
});

const settle = mapping('The rest after a turn.', {
  time: duration('Time that passes after the uncordon, whatever is Ready. `0s` is allowed.', { zero: true }).default(
    '30s',
  ),
  timeout: duration(
    'How long the displaced workloads may take to be Ready again. Then nodes that hold their replicas are left.',
  ).default('15m'),
});

const spec = mapping('What the playbook says.', {
  cluster: mapping('The cluster the playbook is meant for.', {
    uid: text(
      'The uid of namespace kube-system: `kubectl get namespace kube-system -o jsonpath={.metadata.uid}`.',
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'the uid of namespace kube-system, see kubectl get namespace kube-system -o jsonpath={.metadata.uid}',
    ).optional(),
  }).prefault({}),
  schedule: scheduleSchema.prefault({}),
  nodes: nodes.prefault({}),
  duringTurn: duringTurnSchema.optional(),
  gates: gates.prefault({}),
  drain: drain.prefault({}),
  host: hostSchema,
  health: healthSchema.prefault({}),
  settle: settle.prefault({}),
  journal: journalSchema.optional(),
  notify: notifySchema.optional(),
  runHistoryLimit: wholeNumber(
    'Ended runs of the playbook that are kept; older ones are deleted when a run ends. Rehearsals are counted by themselves.',
    { min: 1, max: 1000 },
  ).default(13),
});

/** The whole file. What it returns has every default filled in and everything else as written. */
export const playbookSchema = mapping('How the nodes of a cluster are taken through their maintenance.', {
  apiVersion: z
    .literal('turnus.dev/v1alpha1', { error: 'expected turnus.dev/v1alpha1' })
    .describe('Version of the format.'),
  kind: z.literal('Playbook', { error: 'expected Playbook' }).describe('Kind of the file.'),
  metadata: mapping('What the playbook is called.', {
    name: text(
      'Name of the playbook. Runs are named after it, such as monthly-2026-11.',
      /^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/,
      'a name of at most 40 small letters, digits and hyphens',
    ),
  }),
  spec,
});

/** A playbook as written, with defaults. */
export type PlaybookManifest = z.output<typeof playbookSchema>;
