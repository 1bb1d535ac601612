import { stringify } from 'yaml';
import type { ApiObject, ClusterPort } from '../cluster/clusterPort.js';
import { notRead } from '../gates/conditionGate.js';
import type { AccessExtra } from '../install/accessRules.js';
import { applyManifests } from '../install/applyManifests.js';
import { conditionAccess } from '../install/conditionAccess.js';
import { readInstallation } from '../install/installation.js';
import { defaultNamespace, manifests } from '../install/manifests.js';
import { wantsSurge, type Playbook } from '../playbook/playbook.js';
import { checkedClusterUid, refuseUnreachable } from '../run/preconditions.js';
import { locateConditions, type ConditionTarget } from '../run/readConditions.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { print, say, type ClusterOptions, type CommandIo } from './io.js';
import { openPlaybook } from './openPlaybook.js';

export interface InstallOptions extends ClusterOptions {
  readonly print: boolean;
  readonly systemNamespace?: string;
  /** A playbook whose conditions need roles. */
  readonly file?: string;
  /** Permissions that not every cluster gives. */
  readonly with: readonly AccessExtra[];
}

/** As the formatter of the project writes YAML; no aliases, which not every reader of manifests knows. */
const yamlStyle = { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false } as const;

/** `turnus install`: applies, or prints, the objects that Turnus needs in the cluster. */
export async function installCommand(io: CommandIo, options: InstallOptions): Promise<number> {
  const playbook = options.file === undefined ? undefined : await openPlaybook(io, options.file);
  if (playbook !== undefined && wantsSurge(playbook) && !options.with.includes('surge')) {
    say(io, 'The playbook surges singletons, which needs `--with surge` as well; a run refuses to start without it.');
  }
  const hasConditions = (playbook?.gates.clusterHealth.conditions ?? []).length > 0;
  if (options.print && !hasConditions) {
    await printObjects(io, manifests(options.systemNamespace ?? defaultNamespace, options.with));
    return 0;
  }
  if (hasConditions) say(io, 'Asking the API server where the kinds of the conditions of the playbook are served.');
  const cluster = await connectCluster(io, { ...options, command: 'install' });
  const { signal } = new AbortController();
  try {
    const targets = playbook === undefined ? [] : await targetsOf({ cluster, playbook }, signal);
    const namespace = options.systemNamespace ?? (await installedNamespace(cluster, signal)) ?? defaultNamespace;
    const forConditions =
      playbook === undefined ? [] : conditionAccess({ playbook: playbook.name, namespace, targets });
    const objects = [...manifests(namespace, options.with), ...forConditions];
    if (options.print) {
      await printObjects(io, objects);
      return 0;
    }
    return await apply(io, { cluster, namespace, objects, roles: rolesOf(forConditions) }, signal);
  } finally {
    cluster.close();
  }
}

async function printObjects(io: CommandIo, objects: readonly ApiObject[]): Promise<void> {
  await print(io, objects.map((object) => stringify(object, yamlStyle)).join('---\n'));
}

/**
 * What the conditions of the playbook read.
 *
 * @throws TurnusError `condition-unreadable` where the API server does not serve it so, and as preconditions.ts says
 */
async function targetsOf(
  asked: { readonly cluster: ClusterPort; readonly playbook: Playbook },
  signal: AbortSignal,
): Promise<ConditionTarget[]> {
  const { cluster, playbook } = asked;
  await refuseUnreachable(cluster, signal);
  await checkedClusterUid({ cluster, expected: playbook.clusterUid, mustBeNamed: false }, signal);
  const { conditions } = playbook.gates.clusterHealth;
  const targets: ConditionTarget[] = [];
  for (const [position, { condition, place }] of (await locateConditions({ cluster, conditions }, signal)).entries()) {
    if (place.kind !== 'found') {
      const { message, hint } = notRead(condition, place, position);
      throw new TurnusError({ code: 'condition-unreadable', message: `${message} Nothing was installed.`, hint });
    }
    targets.push(place.target);
  }
  return targets;
}

async function apply(
  io: CommandIo,
  install: {
    readonly cluster: ClusterPort;
    readonly namespace: string;
    readonly objects: readonly ApiObject[];
    /** Those for the conditions of the playbook, as people name them. */
    readonly roles: readonly string[];
  },
  signal: AbortSignal,
): Promise<number> {
  const { cluster, namespace, objects, roles } = install;
  say(io, `Installing into ${cluster.target.server} (context ${cluster.target.context}), namespace ${namespace}.`);
  const end = await applyManifests(
    {
      cluster,
      clock: io.clock,
      objects,
      timeoutMs: 30_000,
      onApplied: (object) => {
        say(io, `applied ${object}`);
      },
    },
    signal,
  );
  switch (end.kind) {
    case 'installed':
      say(
        io,
        `Installed. Bind people with: kubectl create clusterrolebinding turnus-people --clusterrole=turnus --group=GROUP, and the Roles turnus in ${namespace}, default and kube-node-lease.`,
      );
      if (roles.length > 0) say(io, `For the conditions of the playbook, bind them to ${roles.join(', ')} as well.`);
      return 0;
    case 'failed': {
      const next = end.failure.kind === 'forbidden' ? 'run the command again as somebody who may' : 'then try again';
      say(io, `turnus: ${end.object} could not be applied: ${end.failure.message}`);
      say(io, `What was applied before it stays; ${next}.`);
      return 1;
    }
    case 'not-established':
      say(io, `turnus: ${end.object} was applied, but the API server does not serve it yet. Run the command again.`);
      return 1;
  }
}

function rolesOf(objects: readonly ApiObject[]): string[] {
  return objects
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .map(({ kind = '', metadata: { name = '', namespace } }) =>
      namespace === undefined ? `${kind} ${name}` : `${kind} ${name} in ${namespace}`,
    );
}

async function installedNamespace(...read: Parameters<typeof readInstallation>): Promise<string | undefined> {
  try {
    return (await readInstallation(...read)).namespace;
  } catch (error) {
    if (error instanceof TurnusError) return undefined;
    throw error;
  }
}
