import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import type { Night } from './night.js';

/** Runs of nights and years are named after it. */
export const playbookName = 'monthly';

/** What a playbook has besides, and files that it names, by their names. */
export interface MoreOfPlaybook {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, string>;
}

/** The playbook of a night, read as a team's would be: from its text. */
export async function nightPlaybook(night: Night, clusterUid: string, more?: MoreOfPlaybook): Promise<Playbook> {
  const files = new Map([
    ['playbook.yaml', JSON.stringify(playbookDocument(night, clusterUid, more))],
    ...(more?.files ?? []),
  ]);
  const answer = await loadPlaybook({
    now: 0,
    file: '/night/playbook.yaml',
    homeDirectory: '/night',
    readFile: (path) => {
      const known = files.get(path.slice(path.lastIndexOf('/') + 1));
      const bytes = Buffer.from(known ?? '#!/bin/sh\necho reboot=required >"$TURNUS_RESULT"\n');
      return Promise.resolve({ kind: 'ok', bytes });
    },
  });
  if (answer.kind !== 'ok')
    throw new Error(`the playbook of the night is not valid: ${JSON.stringify(answer.mistakes)}`);
  return answer.playbook;
}

function playbookDocument({ playbook, workloads }: Night, uid: string, more: MoreOfPlaybook | undefined): unknown {
  const script = (timeoutMs: number) => ({ script: { path: './script.sh' }, timeout: seconds(timeoutMs) });
  const jobTimeoutMs = 4 * playbook.jobMs + 60_000;
  return {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { name: playbookName },
    spec: {
      cluster: { uid },
      nodes: {
        canaries: playbook.concurrency > 1 ? 0 : 1,
        concurrency: playbook.concurrency,
        maxUnavailable: playbook.maxUnavailable,
        stopAfterFailures: playbook.stopAfterFailures,
        steer: playbook.steer === true ? 'taint' : 'off',
      },
      ...(playbook.duringTurn === undefined ? {} : { duringTurn: playbook.duringTurn }),
      gates: {
        ...(playbook.singletons === undefined ? {} : { replicaSpread: { singletons: playbook.singletons } }),
        overrides: (playbook.namespaceSpread ?? []).map(({ namespace, ...spread }) => ({
          namespaces: named(namespace),
          ...spread,
        })),
      },
      drain: {
        timeout: seconds(playbook.drainTimeoutMs),
        attempts: playbook.attempts,
        unmanagedPods: 'delete',
        overrides: workloads.flatMap(({ name, namespace, treatment }) =>
          treatment === undefined ? [] : { namespaces: named(namespace), selector: `app=${name}`, do: treatment },
        ),
      },
      host: {
        ssh: { user: 'root', knownHosts: { path: './known_hosts' } },
        ...Object.fromEntries(playbook.stages.map((stage) => [stage, script(jobTimeoutMs)])),
        reboot: { when: playbook.reboot, timeout: seconds(4 * playbook.bootMs + 120_000) },
      },
      health: { consecutive: 2, interval: '3s', timeout: '10m' },
      settle: { time: '5s', timeout: '10m' },
      ...more?.spec,
    },
  };
}

/** The label by which a namespace is known. */
function named(namespace: string) {
  return { 'kubernetes.io/metadata.name': namespace };
}

function seconds(milliseconds: number): string {
  return `${String(Math.max(1, Math.round(milliseconds / 1000)))}s`;
}
