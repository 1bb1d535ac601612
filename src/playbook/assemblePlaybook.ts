import { createHash } from 'node:crypto';
import type { FreezeRule, WindowRule } from '../calendar/schedule.js';
import { parseObjectPath } from '../cluster/parseObjectPath.js';
import { parseDuration } from '../time/duration.js';
import { TurnusError } from '../turnusError.js';
import { stages } from './fileFields.js';
import type {
  Count,
  HealthCondition,
  HostPolicy,
  JournalTarget,
  NotifyPolicy,
  Playbook,
  PlaybookSchedule,
  ReferencedFile,
  ScriptPolicy,
  SpreadOverride,
  SshPolicy,
} from './playbook.js';
import { absolutePath, readPath, writtenAs } from './referencedFiles.js';
import type { Calendar, FileContents, NamedFile, PathOrigin, Script } from './referencedFiles.js';
import type { PlaybookManifest } from './schema.js';

/** The playbook as the engine wants it. `manifest` has no mistake left, and `contents` holds every file of it that is read. */
export function assemblePlaybook(manifest: PlaybookManifest, origin: PathOrigin, contents: FileContents): Playbook {
  const { spec } = manifest;
  return {
    name: manifest.metadata.name,
    clusterUid: spec.cluster.uid,
    schedule: playbookSchedule(spec.schedule, origin, contents.calendars),
    nodes: {
      selector: spec.nodes.selector,
      exclude: spec.nodes.exclude,
      order: spec.nodes.order,
      canaries: spec.nodes.canaries,
      concurrency: spec.nodes.concurrency,
      maxUnavailable: countOf(spec.nodes.maxUnavailable),
      stopAfterFailures: spec.nodes.stopAfterFailures,
      steer: spec.nodes.steer,
    },
    duringTurn: { annotations: spec.duringTurn?.annotations ?? {}, labels: spec.duringTurn?.labels ?? {} },
    gates: {
      replicaSpread: {
        minReadyElsewhere: countOf(spec.gates.replicaSpread.minReadyElsewhere),
        singletons: spec.gates.replicaSpread.singletons,
        overrides: spec.gates.overrides.map(spreadOverride),
      },
      managedBudgets: spec.gates.managedBudgets.map(({ namespaces = {}, selector }) => ({ namespaces, selector })),
      capacity: { mode: spec.gates.capacity.mode },
      clusterHealth: {
        conditions: spec.gates.clusterHealth.conditions.map(healthCondition),
        waitMs: milliseconds(spec.gates.clusterHealth.wait),
      },
    },
    drain: {
      timeoutMs: milliseconds(spec.drain.timeout),
      attempts: spec.drain.attempts,
      localData: spec.drain.localData,
      unmanagedPods: spec.drain.unmanagedPods,
      jobPods: spec.drain.jobPods,
      jobPodsLimitMs: milliseconds(spec.drain.jobPodsLimit),
      waitForReplacements: spec.drain.waitForReplacements,
      overrides: spec.drain.overrides.map(({ namespaces = {}, selector = '', do: treatment }) => ({
        namespaces,
        selector,
        do: treatment,
      })),
    },
    host: hostPolicy(spec.host, origin, contents.scripts),
    health: {
      consecutive: spec.health.consecutive,
      intervalMs: milliseconds(spec.health.interval),
      timeoutMs: milliseconds(spec.health.timeout),
      daemonSets: spec.health.daemonSets,
      commands: spec.health.commands,
    },
    settle: { timeMs: milliseconds(spec.settle.time), timeoutMs: milliseconds(spec.settle.timeout) },
    runHistoryLimit: spec.runHistoryLimit,
    journal: journalTarget(spec.journal, origin),
    notify: notifyPolicy(spec.notify, origin),
    files: digests(spec, origin, contents),
    normalised: normalised(manifest),
  };
}

type ScheduleManifest = PlaybookManifest['spec']['schedule'];

function playbookSchedule(
  schedule: ScheduleManifest,
  origin: PathOrigin,
  calendars: ReadonlyMap<string, Calendar>,
): PlaybookSchedule {
  return {
    timeZone: schedule.timeZone,
    windows: schedule.windows.map(windowRule),
    freezes: schedule.freezes.map((freeze) => freezeRule(freeze, origin, calendars)),
    coverageMs: schedule.coverage === undefined ? undefined : milliseconds(schedule.coverage),
    expectedTurnMs: schedule.expectedTurn === undefined ? undefined : milliseconds(schedule.expectedTurn),
  };
}

function windowRule({ opens, from, duration }: ScheduleManifest['windows'][number]): WindowRule {
  const durationMs = milliseconds(duration);
  if (opens !== undefined) return { kind: 'cron', expression: opens, durationMs };
  if (from === undefined) throw bug('a window has neither opens nor from');
  return { kind: 'once', opens: from, durationMs };
}

function freezeRule(
  { name, from, until, rule, daysBefore = 0, daysAfter = 0, calendar }: ScheduleManifest['freezes'][number],
  origin: PathOrigin,
  calendars: ReadonlyMap<string, Calendar>,
): FreezeRule {
  if (rule !== undefined) return { kind: 'rule', name, rule, daysBefore, daysAfter };
  if (from !== undefined && until !== undefined) return { kind: 'dates', name, from, until };
  if (calendar === undefined) throw bug(`freeze ${name} has no dates`);
  return { kind: 'calendar', name, events: readAt(readPath(calendar, origin), calendars).events };
}

type GatesManifest = PlaybookManifest['spec']['gates'];

function spreadOverride({
  namespaces = {},
  minReadyElsewhere,
  singletons,
}: GatesManifest['overrides'][number]): SpreadOverride {
  return {
    namespaces,
    ...(minReadyElsewhere === undefined ? {} : { minReadyElsewhere: countOf(minReadyElsewhere) }),
    ...(singletons === undefined ? {} : { singletons }),
  };
}

type ConditionManifest = PlaybookManifest['spec']['gates']['clusterHealth']['conditions'][number];

function healthCondition({ path, namespace, name, ...condition }: ConditionManifest): HealthCondition {
  const parsed = parseObjectPath(path);
  if (parsed.kind === 'invalid') throw bug(`${path} is not a path`);
  return { ...condition, namespace, name, path: parsed.path };
}

type HostManifest = PlaybookManifest['spec']['host'];

function hostPolicy(host: HostManifest, origin: PathOrigin, scripts: ReadonlyMap<string, Script>): HostPolicy {
  const policies: Partial<Record<(typeof stages)[number], ScriptPolicy>> = {};
  for (const { stage, script, timeout } of writtenScripts(host)) {
    const path = readPath(script, origin);
    policies[stage] = { path, content: readAt(path, scripts).content, timeoutMs: milliseconds(timeout) };
  }
  return {
    ssh: sshPolicy(host.ssh, origin),
    scripts: policies,
    reboot: { when: host.reboot.when, timeoutMs: milliseconds(host.reboot.timeout) },
  };
}

function sshPolicy(ssh: HostManifest['ssh'], origin: PathOrigin): SshPolicy {
  const { user, port, bastion } = withSshDefaults(ssh);
  const path = (file: NamedFile | undefined) => (file === undefined ? undefined : readPath(file, origin));
  return {
    user,
    port,
    address: ssh.address,
    knownHosts: listed(ssh.knownHosts).map((file) => readPath(file, origin)),
    fingerprints: ssh.fingerprints,
    identity: path(ssh.identity),
    identityPassphrase: path(ssh.identityPassphrase),
    config: path(ssh.config),
    bastion: bastion?.map((each) => ({ host: each.host, port: each.port, user: each.user })),
    restricted: ssh.restricted,
    sudo: ssh.sudo,
  };
}

/**
 * Ports and users that are not written, filled in. With a config they stay open: it is asked before the defaults
 * count. An empty list of bastions then says something, and without a config nothing.
 */
function withSshDefaults(ssh: HostManifest['ssh']) {
  const { user, port, config } = ssh;
  const bastion = ssh.bastion === undefined ? undefined : listed(ssh.bastion);
  if (config !== undefined) return { user, port, bastion };
  const filled = bastion?.map((each) => ({ ...each, port: each.port ?? 22, user: each.user ?? user }));
  return { user, port: port ?? 22, bastion: filled?.length === 0 ? undefined : filled };
}

function journalTarget(journal: PlaybookManifest['spec']['journal'], origin: PathOrigin): JournalTarget | undefined {
  if (journal === undefined) return undefined;
  return journal.file === undefined ? { kind: 'stdout' } : { kind: 'file', path: absolutePath(journal.file, origin) };
}

function notifyPolicy(notify: PlaybookManifest['spec']['notify'], origin: PathOrigin): NotifyPolicy {
  const { webhooks = [], before } = notify ?? {};
  return {
    webhooks: webhooks.map(({ url, secret, events }) => ({ url, secretPath: readPath(secret, origin), events })),
    beforeMs: before === undefined ? undefined : milliseconds(before),
  };
}

/** Of all files whose content decides what happens, as they are written. */
function digests(spec: PlaybookManifest['spec'], origin: PathOrigin, contents: FileContents): ReferencedFile[] {
  const digestOf = (file: NamedFile, files: ReadonlyMap<string, { readonly bytes: Uint8Array }>) => {
    const { bytes } = readAt(readPath(file, origin), files);
    return [writtenAs(file), createHash('sha256').update(bytes).digest('hex')] as const;
  };
  const calendars = spec.schedule.freezes.flatMap(({ calendar }) => calendar ?? []);
  const found = new Map([
    ...writtenScripts(spec.host).map(({ script }) => digestOf(script, contents.scripts)),
    ...calendars.map((file) => digestOf(file, contents.calendars)),
  ]);
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([path, digest]) => ({ path, digest }));
}

function writtenScripts(host: HostManifest) {
  return stages.flatMap((stage) => {
    const given = host[stage];
    return given === undefined ? [] : [{ stage, ...given }];
  });
}

function readAt<Content>(path: string, files: ReadonlyMap<string, Content>): Content {
  const content = files.get(path);
  if (content === undefined) throw bug(`${path} was not read`);
  return content;
}

/**
 * What the playbook says, whatever way it is written: defaults filled in, the one known_hosts file as a list of one,
 * a list of one bastion as that one, keys in alphabetical order. Not where it is recorded and who is told.
 */
function normalised(manifest: PlaybookManifest): Readonly<Record<string, unknown>> {
  const { journal: _recorded, notify: _told, ...spec } = manifest.spec;
  const { bastion: _asWritten, ...ssh } = spec.host.ssh;
  const { user, port, bastion } = withSshDefaults(spec.host.ssh);
  const spelledOut = {
    ...ssh,
    knownHosts: listed(ssh.knownHosts),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    ...(bastion === undefined ? {} : { bastion: bastion.length === 1 ? bastion[0] : bastion }),
  };
  return sortedObject({ ...manifest, spec: { ...spec, host: { ...spec.host, ssh: spelledOut } } });
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  return typeof value === 'object' && value !== null ? sortedObject(value) : value;
}

function sortedObject(value: object): Record<string, unknown> {
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inside]: [string, unknown]) => [key, sorted(inside)]));
}

function listed<Item>(value: Item | Item[]): Item[] {
  return Array.isArray(value) ? value : [value];
}

function milliseconds(duration: string): number {
  const parsed = parseDuration(duration);
  if (parsed === undefined) throw bug(`${duration} is not a duration`);
  return parsed;
}

function countOf(written: number | string): Count {
  if (typeof written === 'number') return written;
  return `${Number(written.replace('%', ''))}%`;
}

function bug(message: string): TurnusError {
  return new TurnusError({
    code: 'playbook-unchecked',
    message: `The playbook was used before it was checked: ${message}.`,
    exitCode: 1,
  });
}
