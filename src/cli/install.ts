import { stringify } from 'yaml';
import { applyManifests } from '../install/applyManifests.js';
import { readInstallation } from '../install/installation.js';
import { defaultNamespace, manifests } from '../install/manifests.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { print, say, type ClusterOptions, type CommandIo } from './io.js';

export interface InstallOptions extends ClusterOptions {
  readonly print: boolean;
  readonly systemNamespace?: string;
}

/** As the formatter of the project writes YAML; no aliases, which not every reader of manifests knows. */
const yamlStyle = { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false } as const;

/** `turnus install`: applies, or prints, the objects that Turnus needs in the cluster. */
export async function installCommand(io: CommandIo, options: InstallOptions): Promise<number> {
  if (options.print) {
    await print(
      io,
      manifests(options.systemNamespace ?? defaultNamespace)
        .map((object) => stringify(object, yamlStyle))
        .join('---\n'),
    );
    return 0;
  }
  const cluster = await connectCluster(io, options);
  const { signal } = new AbortController();
  try {
    const namespace = options.systemNamespace ?? (await installedNamespace(cluster, signal)) ?? defaultNamespace;
    say(io, `Installing into ${cluster.target.server} (context ${cluster.target.context}), namespace ${namespace}.`);
    const end = await applyManifests(
      {
        cluster,
        clock: io.clock,
        objects: manifests(namespace),
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
        return 0;
      case 'failed':
        say(io, `turnus: ${end.object} could not be applied: ${end.failure.message}`);
        say(io, 'What was applied before it stays; run the command again as somebody who may.');
        return 1;
      case 'not-established':
        say(io, `turnus: ${end.object} was applied, but the API server does not serve it yet. Run the command again.`);
        return 1;
    }
  } finally {
    cluster.close();
  }
}

async function installedNamespace(...read: Parameters<typeof readInstallation>): Promise<string | undefined> {
  try {
    return (await readInstallation(...read)).namespace;
  } catch (error) {
    if (error instanceof TurnusError) return undefined;
    throw error;
  }
}
