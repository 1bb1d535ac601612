import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand, runCommandOk } from './runCommand.js';
import { TestbedError } from './testbedError.js';

const sources = dirname(fileURLToPath(import.meta.url));
const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** Programs built from Go modules, kept outside the clone under the digest of what they are built from. */
interface Programs {
  /** Stands in what is printed. */
  what: string;
  /** Relative to this directory. */
  sourceFiles: string[];
  build: (directory: string) => Promise<void>;
}

const controlPlane: Programs = {
  what: "the test cluster's control plane and kwok",
  sourceFiles: ['controlplane/go.mod', 'controlplane/go.sum', 'controlplane/main.go', 'kwok/go.mod', 'kwok/go.sum'],
  build: buildControlPlane,
};

const kubectl: Programs = {
  what: 'kubectl',
  sourceFiles: ['kubectl/go.mod', 'kubectl/go.sum', 'kubectl/main.go'],
  build: buildKubectl,
};

const helm: Programs = {
  what: 'what renders the Helm chart',
  sourceFiles: ['helm/go.mod', 'helm/go.sum', 'helm/main.go'],
  build: buildHelm,
};

/**
 * Answers the directory with etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, and builds them
 * where it is not there yet: minutes the first time, nothing later. The directory lies outside the clone, named by the
 * digest of the sources: `$TURNUS_TEST_CACHE`, `$XDG_CACHE_HOME` or `~/.cache`, in `turnus-testbed/`.
 */
export async function ensureBinaries(): Promise<string> {
  return await ensureBuilt(controlPlane);
}

/** Answers the path of kubectl in the version of the control plane; built and kept like {@link ensureBinaries}. */
export async function ensureKubectl(): Promise<string> {
  return join(await ensureBuilt(kubectl), 'kubectl');
}

/** Answers the path of the program that renders the chart (helm/main.go); built and kept like {@link ensureBinaries}. */
export async function ensureHelm(): Promise<string> {
  return join(await ensureBuilt(helm), 'helm');
}

async function ensureBuilt({ what, sourceFiles, build }: Programs): Promise<string> {
  const cache = join(cacheRoot(), 'turnus-testbed');
  const directory = join(cache, await digestOf(sourceFiles));
  if (existsSync(directory)) return directory;

  await requireGo();
  console.error(`Building ${what} into ${directory} (some minutes, only this once)`);
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
  console.error(`Built in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return directory;
}

function cacheRoot(): string {
  return process.env['TURNUS_TEST_CACHE'] ?? process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
}

async function digestOf(sourceFiles: string[]): Promise<string> {
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

async function buildControlPlane(directory: string): Promise<void> {
  const version = await versionFlags('controlplane/go.mod', 'k8s.io/kubernetes');
  await goBuild({ module: 'controlplane', what: '.', flags: version, program: join(directory, 'controlplane') });
  for (const component of components) await symlink('controlplane', join(directory, component));
  await goBuild({ module: 'kwok', what: 'sigs.k8s.io/kwok/cmd/kwok', flags: '', program: join(directory, 'kwok') });
}

async function buildKubectl(directory: string): Promise<void> {
  const flags = await versionFlags('kubectl/go.mod', 'k8s.io/kubectl');
  await goBuild({ module: 'kubectl', what: '.', flags, program: join(directory, 'kubectl') });
}

async function buildHelm(directory: string): Promise<void> {
  await goBuild({ module: 'helm', what: '.', flags: '', program: join(directory, 'helm') });
}

async function goBuild(options: { module: string; what: string; flags: string; program: string }): Promise<void> {
  const { module, what, flags, program } = options;
  await runCommandOk('go', ['build', '-p', '2', '-trimpath', '-ldflags', `-s -w ${flags}`, '-o', program, what], {
    cwd: join(sources, module),
    env: { ...process.env, GOWORK: 'off', CGO_ENABLED: '0' },
  });
}

/** Kubernetes binaries learn their version at link time; without it they call themselves v0.0.0. */
async function versionFlags(goMod: string, required: string): Promise<string> {
  const content = await readFile(join(sources, goMod), 'utf8');
  const [, minor, patch] = new RegExp(`^\\s*${required} v\\d+\\.(\\d+)\\.(\\S+)`, 'm').exec(content) ?? [];
  if (minor === undefined || patch === undefined) {
    throw new TestbedError(`${goMod} requires no ${required}`);
  }
  // The libraries of Kubernetes 1.36.3 are numbered 0.36.3.
  const version = `v1.${minor}.${patch}`;
  const settings = {
    'k8s.io/component-base/version.gitVersion': version,
    'k8s.io/component-base/version.gitMajor': '1',
    'k8s.io/component-base/version.gitMinor': minor,
    'k8s.io/component-base/version.gitTreeState': 'clean',
    'k8s.io/client-go/pkg/version.gitVersion': version,
  };
  return Object.entries(settings)
    .map(([variable, value]) => `-X ${variable}=${value}`)
    .join(' ');
}
