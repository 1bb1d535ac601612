import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../cluster.js';
import type { Cluster } from '../cluster.js';
import { startHosts } from '../hosts/startHosts.js';
import type { Hosts } from '../hosts/startHosts.js';
import { writePlaybook } from '../playbook.js';
import type { PlaybookOptions } from '../playbook.js';
import type { CommandResult } from '../runCommand.js';
import { runCommandOk } from '../runCommand.js';
import { installTurnus, runs, turnusWrites } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import type { TurnusOptions } from '../turnus.js';

let cluster: Cluster;
let hosts: Hosts;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  hosts = await startHosts({ cluster });
});

afterAll(async () => {
  await cluster.stop();
});

const at = (file: string): string => join(cluster.directory, file);

async function written(file: string, content: string): Promise<string> {
  await writeFile(at(file), content);
  return at(file);
}

async function playbookWith(name: string, options: Omit<PlaybookOptions, 'cluster' | 'hosts'> = {}): Promise<string> {
  return await writePlaybook({ cluster, hosts, name, ...options });
}

/** The usual playbook with a change of its text. */
async function changedPlaybook(name: string, change: (text: string) => string): Promise<string> {
  const path = await playbookWith(name);
  await writeFile(path, change(await readFile(path, 'utf8')));
  return path;
}

/** The admin's kubeconfig with other fields. */
async function kubeconfigWith(name: string, change: (text: string) => string): Promise<string> {
  return await written(name, change(await readFile(cluster.kubeconfigPath, 'utf8')));
}

interface BadInput {
  name: string;
  /** Arguments after `run --yes`, and how it is started otherwise. */
  given: () => Promise<{ args: string[]; options?: TurnusOptions }>;
  /** What, where, and what to do: all of it is in the message. */
  says: (RegExp | (() => string))[];
  /** 2 */
  exitCode?: number;
}

async function expectRefusal({ given, says, exitCode = 2 }: BadInput, installed: boolean): Promise<void> {
  const { args, options } = await given();
  const before = await turnusWrites(cluster);
  const result = await runTurnus(['run', '--yes', ...args], { kubeconfig: cluster.kubeconfigPath, ...options });
  expect({ exitCode: result.exitCode, said: result.stderr }).toMatchObject({ exitCode });
  for (const words of says) {
    if (words instanceof RegExp) expect(result.stderr).toMatch(words);
    else expect(result.stderr).toContain(words());
  }
  expectPlainSentences(result);
  if (exitCode === 2) expect(await turnusWrites(cluster)).toEqual(before);
  if (!installed) expect(before).toEqual([]);
  const node = await cluster.api.get({ kind: 'Node', name: 'node-1' });
  expect(node.spec).not.toHaveProperty('unschedulable');
  expect(node.metadata.annotations ?? {}).not.toHaveProperty('turnus.dev/cordoned-by');
  expect(await hosts.host('node-1').counter('updates')).toBe(0);
}

/** No stack trace, no name of an exception, no excuse. */
function expectPlainSentences({ stdout, stderr }: CommandResult): void {
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toMatch(/unexpected error|defect of Turnus|undefined|\[object/);
  expect(stderr).not.toContain('BEGIN OPENSSH PRIVATE KEY');
}

const notInstalled: BadInput[] = [
  {
    name: 'a kubeconfig that does not exist',
    given: async () => ({
      args: ['-f', await playbookWith('a'), '--kubeconfig', '/nowhere/kubeconfig'],
    }),
    says: [/kubeconfig \/nowhere\/kubeconfig does not exist/, /--kubeconfig/],
  },
  {
    name: 'no kubeconfig at all',
    given: async () => ({ args: ['-f', await playbookWith('b')], options: { env: { KUBECONFIG: '' } } }),
    says: [/no kubeconfig/, /--kubeconfig/],
  },
  {
    name: 'a kubeconfig that is not YAML',
    given: async () => ({
      args: ['-f', await playbookWith('c'), '--kubeconfig', await written('broken', 'clusters: [\nusers: }')],
    }),
    says: [() => at('broken'), /broken:\d+:\d+ is not valid YAML/, /kubectl config view/],
  },
  {
    name: 'a kubeconfig that holds something else',
    given: async () => ({ args: ['-f', await playbookWith('d'), '--kubeconfig', await written('list', '- 1\n')] }),
    says: [() => at('list'), /is not a kubeconfig/],
  },
  {
    name: 'a context that is not in the kubeconfig',
    given: async () => ({ args: ['-f', await playbookWith('e'), '--context', 'production'] }),
    says: [/no context "production"/, /Its contexts: testbed/],
  },
  {
    name: 'credentials that the API server does not accept',
    given: async () => ({
      args: [
        ...['-f', await playbookWith('f'), '--kubeconfig'],
        await kubeconfigWith('stranger', (text) => text.replace(/"token": "\w+"/, '"token": "wrong"')),
      ],
    }),
    says: [() => cluster.server, /[Uu]nauthorized/],
  },
  {
    name: 'an API server that does not answer',
    given: async () => ({
      args: [
        ...['-f', await playbookWith('g'), '--kubeconfig'],
        await kubeconfigWith('dead', (text) => text.replace(cluster.server, 'https://127.0.0.1:1')),
      ],
    }),
    says: [/https:\/\/127\.0\.0\.1:1 .*does not answer/, /ECONNREFUSED|refused/, /kubectl version/],
  },
  {
    name: 'a playbook for another cluster',
    given: async () => ({
      args: ['-f', await playbookWith('h', { spec: { cluster: { uid: '00000000-0000-0000-0000-000000000000' } } })],
    }),
    says: [/cluster 00000000-0000-0000-0000-000000000000 \(spec\.cluster\.uid\)/, () => cluster.uid, /--context/],
  },
  {
    name: 'a playbook that names no cluster, and nobody to ask',
    given: async () => ({ args: ['-f', await playbookWith('i', { spec: { cluster: undefined } })] }),
    says: [/--yes/, () => `spec.cluster.uid: ${cluster.uid}`],
  },
  {
    name: 'a cluster without our CustomResourceDefinitions',
    given: async () => ({ args: ['-f', await playbookWith('j')] }),
    says: [/CustomResourceDefinition maintenanceruns\.turnus\.dev is not installed/, /turnus install/],
  },
];

const installed: BadInput[] = [
  {
    name: 'a playbook that does not exist',
    given: () => Promise.resolve({ args: ['-f', '/nowhere/playbook.yaml'] }),
    says: [/\/nowhere\/playbook\.yaml.*no such file/],
  },
  {
    name: 'unknown keys',
    given: async () => ({
      args: ['-f', await changedPlaybook('k', (text) => text.replace('drain:', 'drian:').replace('when:', 'wehn:'))],
    }),
    says: [/k\.yaml:\d+:\d+ spec\.drian: unknown field; did you mean drain\?/, /spec\.host\.reboot\.wehn/],
  },
  {
    name: 'wrong units',
    given: async () => ({ args: ['-f', await playbookWith('l', { spec: { drain: { timeout: '15 minutes' } } })] }),
    says: [/l\.yaml:\d+:\d+ spec\.drain\.timeout: expected a duration such as .*not "15 minutes"/],
  },
  {
    name: 'a number without a unit',
    given: async () => ({ args: ['-f', await playbookWith('m', { spec: { settle: { time: 30 } } })] }),
    says: [/m\.yaml:\d+:\d+ spec\.settle\.time: expected a duration/],
  },
  {
    name: 'two documents in one file',
    given: async () => ({ args: ['-f', await changedPlaybook('n', (text) => `${text}---\n${text}`)] }),
    says: [/n\.yaml:\d+:\d+.*document/],
  },
  {
    name: 'a selector that matches no node',
    given: async () => ({ args: ['-f', await playbookWith('o', { spec: { nodes: { selector: 'pool=none' } } })] }),
    says: [/selects no node.*pool=none/, /spec\.nodes\.selector/],
  },
  {
    name: 'a selector that is none',
    given: async () => ({ args: ['-f', await playbookWith('p', { spec: { nodes: { selector: 'pool in (' } } })] }),
    says: [/p\.yaml:\d+:\d+ spec\.nodes\.selector/],
  },
  {
    name: 'a node that is not of the playbook',
    given: async () => ({ args: ['-f', await playbookWith('q'), '--node', 'node-9'] }),
    says: [/node-9: no such node/, /It selects: node-1/],
  },
  {
    name: 'a script that does not exist',
    given: async () => ({
      args: ['-f', await playbookWith('r', { spec: { host: { update: { script: { path: './missing.sh' } } } } })],
    }),
    says: [/r\.yaml:\d+:\d+ spec\.host\.update\.script\.path: there is no file/, () => at('missing.sh')],
  },
  {
    name: 'a key file that does not exist',
    given: async () => ({
      args: ['-f', await playbookWith('s', { spec: { host: { ssh: { identity: { path: '/nowhere/id' } } } } })],
    }),
    says: [/s\.yaml:\d+:\d+ spec\.host\.ssh\.identity\.path.*\/nowhere\/id/],
  },
  {
    name: 'a key with a passphrase and no agent',
    given: async () => {
      const key = at('locked_key');
      await runCommandOk('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret words', '-f', key]);
      return { args: ['-f', await playbookWith('t', { spec: { host: { ssh: { identity: { path: key } } } } })] };
    },
    says: [() => `${at('locked_key')} has a passphrase`, /ssh-add/, /identityPassphrase/],
  },
  {
    name: 'a public key instead of a private one',
    given: async () => {
      const identity = { path: `${hosts.identityPath}.pub` };
      return { args: ['-f', await playbookWith('u', { spec: { host: { ssh: { identity } } } })] };
    },
    says: [() => `${hosts.identityPath}.pub is a public key`, /spec\.host\.ssh\.identity/],
  },
  {
    name: 'known_hosts without the host: a gate says no',
    given: async () => {
      const knownHosts = { path: await written('empty_known_hosts', '# nobody\n') };
      return { args: ['-f', await playbookWith('v', { spec: { host: { ssh: { knownHosts } } } })] };
    },
    says: [/host-key-unknown \(node-1\)/, /SHA256:/, /known_hosts/],
    exitCode: 3,
  },
];

describe('before anything is installed, run refuses', () => {
  it.each(notInstalled)('$name', async (input) => {
    await expectRefusal(input, false);
  });
});

describe('run refuses', () => {
  beforeAll(async () => {
    await installTurnus(cluster);
  });

  it.each(installed)('$name', async (input) => {
    await expectRefusal(input, true);
  });

  it('to start without --yes where there is no terminal to ask on', async () => {
    const result = await runTurnus(['run', '-f', await playbookWith('w')], { kubeconfig: cluster.kubeconfigPath });
    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toMatch(/no terminal to ask on/);
    expect(result.stderr).toMatch(/--yes/);
    expect((await runs(cluster)).map(({ name }) => name.split('-')[0])).toEqual(['v']);
  });

  it('words that it does not know, and says where help is', async () => {
    for (const args of [['run', '--fast'], ['rnu'], ['run'], ['plan', '-f', 'x', '-o', 'xml']]) {
      const result = await runTurnus(args);
      expect(result, args.join(' ')).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toMatch(/turnus --help|Did you mean|Allowed choices/);
    }
  });
});
