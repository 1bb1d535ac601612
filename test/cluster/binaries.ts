import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, runCommandOk } from './runCommand.js';
import { TestbedError } from './testbedError.js';

const sources = dirname(fileURLToPath(import.meta.url));
const sourceFiles = [
  'controlplane/go.mod',
  'controlplane/go.sum',
  'controlplane/main.go',
  'kwok/go.mod',
  'kwok/go.sum',
];
const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/**
 * Answers the directory with etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, and builds them
 * where it is not there yet: minutes the first time, nothing later. The directory lies outside the clone, named by the
 * digest of the sources: `$TURNUS_TEST_CACHE`, `$XDG_CACHE_HOME` or `~/.cache`, in `turnus-testbed/`.
 */
export async function ensureBinaries(print: (line: string) => void = console.error): Promise<string> {
  const cache = join(cacheRoot(), 'turnus-testbed');
  const directory = join(cache, await sourcesDigest());
  if (existsSync(directory)) return directory;

  await requireGo();
  print(`Building the test cluster's control plane and kwok into ${directory} (some minutes, only this once)`);
  const startedAt = Date.now();
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, 'building-'));
  try {
    await build(unfinished);
    await rename(unfinished, directory).catch((error: unknown) => {
      if (!existsSync(directory)) throw error; // else another process was faster, and built the same
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  print(`Built in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return directory;
}

function cacheRoot(): string {
  return process.env['TURNUS_TEST_CACHE'] ?? process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
}

async function sourcesDigest(): Promise<string> {
  const digest = createHash('sha256');
  for (const file of sourceFiles) digest.update(`${file}\n`).update(await readFile(join(sources, file)));
  return digest.digest('hex');
}

async function requireGo(): Promise<void> {
  const hint =
    'Install Go 1.26 or newer (https://go.dev/dl) and put it on the PATH: the test cluster is built from Go modules.';
  const result = await runCommand('go', ['version']).catch((cause: unknown) => {
    throw new TestbedError('The test cluster needs Go, and there is no go on the PATH', { hint, cause });
  });
  if (result.exitCode !== 0) throw new TestbedError(`"go version" fails: ${result.stderr.trim()}`, { hint });
}

async function build(directory: string): Promise<void> {
  const env = { ...process.env, GOWORK: 'off', CGO_ENABLED: '0' };
  const flags = ['build', '-p', '2', '-trimpath', '-ldflags'];
  await runCommandOk('go', [...flags, `-s -w ${await versionFlags()}`, '-o', join(directory, 'controlplane'), '.'], {
    cwd: join(sources, 'controlplane'),
    env,
  });
  for (const component of components) await symlink('controlplane', join(directory, component));
  await runCommandOk('go', [...flags, '-s -w', '-o', join(directory, 'kwok'), 'sigs.k8s.io/kwok/cmd/kwok'], {
    cwd: join(sources, 'kwok'),
    env,
  });
}

/** Kubernetes binaries learn their version at link time; without it the API server calls itself v0.0.0. */
async function versionFlags(): Promise<string> {
  const goMod = await readFile(join(sources, 'controlplane/go.mod'), 'utf8');
  const [, version, major, minor] = /^\s*k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\S+)/m.exec(goMod) ?? [];
  if (version === undefined || major === undefined || minor === undefined) {
    throw new TestbedError('controlplane/go.mod requires no k8s.io/kubernetes');
  }
  const settings = {
    'k8s.io/component-base/version.gitVersion': version,
    'k8s.io/component-base/version.gitMajor': major,
    'k8s.io/component-base/version.gitMinor': minor,
    'k8s.io/component-base/version.gitTreeState': 'clean',
    'k8s.io/client-go/pkg/version.gitVersion': version,
  };
  return Object.entries(settings)
    .map(([variable, value]) => `-X ${variable}=${value}`)
    .join(' ');
}
