import { parseDuration } from '../time/duration.js';
import { wrongDuringTurnKeys } from './duringTurnSchema.js';
import { scriptFields, stages } from './fileFields.js';
import { userNameExpected } from './hostSchema.js';
import type { Problem } from './mistake.js';
import { scheduleContradictions } from './scheduleRules.js';
import { healthSchema } from './schema.js';
import { valueAt, valuesAt } from './writtenContent.js';

/** Rules between fields. They read the file as parsed, so that they also speak where other fields are wrong. */
export function contradictions(content: unknown): Problem[] {
  return [
    ...unlimitedManagedBudgets(content),
    ...unlimitedOverrides(content),
    ...emptyGateOverrides(content),
    ...unansweredReboot(content),
    ...unverifiableHosts(content),
    ...beyondRestrictedKey(content),
    ...missingUser(content),
    ...passphraseWithoutKey(content),
    ...unreachableHealth(content),
    ...conditionsOnSecrets(content),
    ...wrongDuringTurnKeys(content),
    ...scheduleContradictions(content),
  ];
}

/** Things that are allowed and that the team should know of. */
export function cautions(content: unknown): Problem[] {
  const found: Problem[] = [];
  if (valueAt(content, ['spec', 'cluster', 'uid']) === undefined) {
    found.push({
      path: ['spec', 'cluster', 'uid'],
      at: 'value',
      message: 'is not given: nothing keeps the playbook from another cluster, and `turnus run --yes` needs --context',
    });
  }
  found.push(...unreachableConcurrency(content));
  const host = ['spec', 'host'];
  const noScript = stages.every((stage) => valueAt(content, [...host, stage]) === undefined);
  if (noScript && valueAt(content, [...host, 'reboot', 'when']) === 'never') {
    found.push({
      path: host,
      at: 'key',
      message: 'has no script and never reboots: nodes are emptied and nothing is done',
    });
  }
  return found;
}

/** Turns beyond `maxUnavailable` never begin: nothing goes wrong, and nothing goes faster. */
function unreachableConcurrency(content: unknown): Problem[] {
  const field = ['spec', 'nodes', 'concurrency'];
  const concurrency = valueAt(content, field);
  const room = valueAt(content, ['spec', 'nodes', 'maxUnavailable']) ?? 1;
  if (typeof concurrency !== 'number' || typeof room !== 'number' || concurrency <= room) return [];
  const message = `${String(concurrency)} is never reached: spec.nodes.maxUnavailable is ${String(room)}; raise it to ${String(concurrency)}, or write ${String(room)}`;
  return [{ path: field, at: 'value', message }];
}

/** An entry that says nothing would take every budget of the cluster as one that an operator opens. */
function unlimitedManagedBudgets(content: unknown): Problem[] {
  return valuesAt(content, ['spec', 'gates', 'managedBudgets', '*'])
    .filter(({ value }) => meansEverything(value))
    .map(({ path }) => ({
      path,
      at: 'value',
      message: 'means every budget of the cluster; name the namespaces, or give a selector',
    }));
}

/** Neither the namespaces nor a selector limits what the entry means. */
function meansEverything(entry: unknown): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  const namespaces = valueAt(entry, ['namespaces']) ?? {};
  const selector = valueAt(entry, ['selector']) ?? '';
  const isEmpty = typeof namespaces === 'object' && Object.keys(namespaces).length === 0;
  return isEmpty && typeof selector === 'string' && selector.trim() === '';
}

/** An override for everything is a default written in the wrong place, or an entry whose selector was forgotten. */
function unlimitedOverrides(content: unknown): Problem[] {
  const entries = (field: readonly string[], message: string): Problem[] =>
    valuesAt(content, [...field, '*'])
      .filter(({ value }) => meansEverything(value))
      .map(({ path }) => ({ path, at: 'value', message }));
  return [
    ...entries(
      ['spec', 'gates', 'overrides'],
      'means every namespace; name the labels of the namespaces, or change spec.gates.replicaSpread instead',
    ),
    ...entries(
      ['spec', 'drain', 'overrides'],
      'means every pod of the cluster; name the namespaces, or give a selector',
    ),
  ];
}

function emptyGateOverrides(content: unknown): Problem[] {
  return valuesAt(content, ['spec', 'gates', 'overrides', '*'])
    .filter(
      ({ value }) =>
        typeof value === 'object' &&
        value !== null &&
        valueAt(value, ['singletons']) === undefined &&
        valueAt(value, ['minReadyElsewhere']) === undefined,
    )
    .map(({ path }) => ({
      path,
      at: 'value',
      message: 'changes nothing; give singletons, minReadyElsewhere or both',
    }));
}

function unansweredReboot(content: unknown): Problem[] {
  const host = valueAt(content, ['spec', 'host']);
  if (typeof host !== 'object' || valueAt(host, ['update']) !== undefined) return [];
  const when = ['spec', 'host', 'reboot', 'when'];
  if ((valueAt(content, when) ?? 'required') !== 'required') return [];
  const message =
    'required needs an update script that says so, and there is no spec.host.update; add it, or write always or never';
  return [{ path: when, at: 'value', message }];
}

function unverifiableHosts(content: unknown): Problem[] {
  const ssh = ['spec', 'host', 'ssh'];
  if (typeof valueAt(content, ssh) !== 'object') return [];
  const files = valueAt(content, [...ssh, 'knownHosts']);
  const pinned = valueAt(content, [...ssh, 'fingerprints']);
  const noFile = files === undefined || (Array.isArray(files) && files.length === 0);
  const nonePinned =
    typeof pinned === 'object' && pinned !== null ? Object.keys(pinned).length === 0 : pinned === undefined;
  const message =
    'is missing: host keys are always verified; give a known_hosts file, such as {path: ~/.ssh/known_hosts}, or fingerprints';
  return noFile && nonePinned ? [{ path: [...ssh, 'knownHosts'], at: 'value', message }] : [];
}

/** What a restricted key cannot do, because turnus-host on the host takes plain words and knows no commands. */
function beyondRestrictedKey(content: unknown): Problem[] {
  if (valueAt(content, ['spec', 'host', 'ssh', 'restricted']) !== true) return [];
  const commands = ['spec', 'health', 'commands'];
  const given = valueAt(content, commands);
  const found: Problem[] = [];
  if (Array.isArray(given) && given.length > 0) {
    const message =
      'cannot run with spec.host.ssh.restricted: the key starts installed scripts only; check the same in the script `join`';
    found.push({ path: commands, at: 'value', message });
  }
  const named = ['path', 'configMapKeyRef.key', 'secretKeyRef.key'].map((source) => source.split('.'));
  for (const path of scriptFields.flatMap((field) => named.map((source) => [...field, ...source]))) {
    const written = valueAt(content, path);
    if (typeof written !== 'string' || /(^|\/)[A-Za-z0-9][A-Za-z0-9._-]*$/.test(written)) continue;
    const message =
      'needs a file name of letters, digits, dots, dashes and underscores: with spec.host.ssh.restricted the host knows the script by it';
    found.push({ path, at: 'value', message });
  }
  return found;
}

const sshField = ['spec', 'host', 'ssh'];

function sshSays(content: unknown, field: string): boolean {
  return valueAt(content, [...sshField, field]) !== undefined;
}

function missingUser(content: unknown): Problem[] {
  const ssh = valueAt(content, sshField);
  const isMapping = typeof ssh === 'object' && ssh !== null && !Array.isArray(ssh);
  if (!isMapping || sshSays(content, 'user') || sshSays(content, 'config')) return [];
  return [{ path: [...sshField, 'user'], at: 'value', message: `is missing; expected ${userNameExpected}` }];
}

function passphraseWithoutKey(content: unknown): Problem[] {
  const isNeeded = sshSays(content, 'identity') || sshSays(content, 'config');
  if (isNeeded || !sshSays(content, 'identityPassphrase')) return [];
  const path = [...sshField, 'identityPassphrase'];
  return [{ path, at: 'key', message: 'opens a private key, and none is named; add spec.host.ssh.identity' }];
}

function unreachableHealth(content: unknown): Problem[] {
  const path = ['spec', 'health'];
  const health = healthSchema.safeParse(valueAt(content, path) ?? {});
  if (!health.success) return [];
  const { consecutive, interval, timeout } = health.data;
  const shortestMs = (consecutive - 1) * (parseDuration(interval) ?? 0);
  if (shortestMs < (parseDuration(timeout) ?? Number.POSITIVE_INFINITY)) return [];
  const message = `${timeout} is too short for ${consecutive} checks in a row, one every ${interval}; allow more time or fewer checks`;
  return [{ path: [...path, 'timeout'], at: 'value', message }];
}

/** What a condition reads is shown in plans, findings and the journal, so it cannot be a Secret. */
function conditionsOnSecrets(content: unknown): Problem[] {
  return valuesAt(content, ['spec', 'gates', 'clusterHealth', 'conditions', '*'])
    .filter(({ value }) => valueAt(value, ['apiVersion']) === 'v1' && valueAt(value, ['kind']) === 'Secret')
    .map(({ path }) => ({
      path: [...path, 'kind'],
      at: 'value',
      message: 'Secrets cannot be read: what a condition reads is shown in plans and in the journal; name another kind',
    }));
}
