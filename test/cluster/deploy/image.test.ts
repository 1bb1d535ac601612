import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../runCommand.js';
import { playDockerfile } from './playDockerfile.js';
import type { PlayedImage } from './playDockerfile.js';
import { deployDirectory } from './render.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));

let version: string;
let image: PlayedImage;

beforeAll(async () => {
  ({ version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as { version: string });
  image = await playDockerfile({ file: join(deployDirectory, 'Dockerfile'), context: project });
}, 600_000);

afterAll(async () => {
  await image.remove();
});

const inImage = (...path: string[]): string => join(image.root, 'opt', 'turnus', ...path);

type LockedPackages = Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;

/** By their paths, as package-lock.json has them. */
async function packagesOf(lockFile: string): Promise<LockedPackages> {
  return (JSON.parse(await readFile(lockFile, 'utf8')) as { packages: LockedPackages }).packages;
}

describe('the image', () => {
  it('has an exact base, another user than root, and no shell before the program', () => {
    expect(new Set(image.bases).size).toBe(1);
    expect(image.bases[0]).toMatch(/^node:\d+\.\d+\.\d+-[a-z]+-slim(@sha256:[0-9a-f]{64})?$/);
    expect(image.user).toBe('65532:65532');
    expect(image.entrypoint).toEqual(['/usr/local/bin/node', '/opt/turnus/dist/main.js']);
    expect(existsSync(join(image.root, image.entrypoint[1] ?? ''))).toBe(true);
  });

  it('holds the packages that Turnus needs, none for development or for trying it out, and no machine code', async () => {
    const locked = await packagesOf(join(project, 'package-lock.json'));
    const needed = Object.keys(locked).filter((path) => {
      const { dev, optional, devOptional } = locked[path] ?? {};
      return path !== '' && dev !== true && optional !== true && devOptional !== true;
    });
    const installed = await packagesOf(inImage('node_modules', '.package-lock.json'));
    expect(Object.keys(installed).sort()).toEqual(needed.sort());
    const files = await readdir(inImage('node_modules'), { recursive: true });
    expect(files.filter((path) => path.endsWith('.node'))).toEqual([]);
    expect((await readdir(inImage())).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
    expect(await readdir(inImage('dist'))).not.toContain('sandbox');
  });

  it('says its version, helps, validates a playbook and prints what it installs', async () => {
    expect(await image.run(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n` });
    expect(await image.run(['--help'])).toMatchObject({ exitCode: 0, stderr: '' });
    const playbook = join(project, 'playbooks', 'kind.yaml');
    expect((await image.run(['schedule', '-f', playbook])).exitCode).toBe(0);
    const manifests = await image.run(['install', '--print']);
    expect(manifests.stdout).toBe(await readFile(join(deployDirectory, 'turnus.yaml'), 'utf8'));
  });

  it('can load every module that it holds, with the packages that it holds', async () => {
    const files = await readdir(inImage('dist'), { recursive: true });
    const modules = files.filter((path) => path.endsWith('.js') && path !== 'main.js');
    expect(modules.length).toBeGreaterThan(100);
    const urls = modules.map((path) => pathToFileURL(inImage('dist', path)).href);
    const program = `for (const url of ${JSON.stringify(urls)}) await import(url);`;
    const result = await runCommand(process.execPath, ['--input-type=module', '-e', program], { cwd: '/' });
    expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  it('says that it has no sandbox where one is asked for', async () => {
    const result = await image.run(['sandbox']);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('This installation of Turnus has no sandbox');
  });
});

describe('the versions', () => {
  it('are the same in package.json, the chart and kustomize', async () => {
    const chart = await readFile(join(deployDirectory, 'helm', 'turnus', 'Chart.yaml'), 'utf8');
    expect(chart).toContain(`\nappVersion: ${version}\n`);
    const deployment = await readFile(join(deployDirectory, 'kustomize', 'base', 'deployment.yaml'), 'utf8');
    expect(deployment).toContain(`image: turnus:${version}\n`);
  });
});
