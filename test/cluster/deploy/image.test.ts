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

interface PackageFile {
  version: string;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

let packageFile: PackageFile;
let image: PlayedImage;

beforeAll(async () => {
  packageFile = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as PackageFile;
  image = await playDockerfile({ file: join(deployDirectory, 'Dockerfile'), context: project });
}, 600_000);

afterAll(async () => {
  await image.remove();
});

const inImage = (...path: string[]): string => join(image.root, 'opt', 'turnus', ...path);

describe('the image', () => {
  it('has an exact base, another user than root, and no shell before the program', () => {
    expect(new Set(image.bases).size).toBe(1);
    expect(image.bases[0]).toMatch(/^node:\d+\.\d+\.\d+-[a-z]+-slim(@sha256:[0-9a-f]{64})?$/);
    expect(image.user).toBe('65532:65532');
    expect(image.entrypoint).toEqual(['/usr/local/bin/node', '/opt/turnus/dist/main.js']);
    expect(existsSync(join(image.root, image.entrypoint[1] ?? ''))).toBe(true);
  });

  it('holds the packages that Turnus needs, and none for development, for trying it out, or with machine code', async () => {
    const installed = await readdir(inImage('node_modules'), { recursive: true });
    for (const name of Object.keys(packageFile.dependencies)) expect(installed).toContain(join(name, 'package.json'));
    for (const name of Object.keys({ ...packageFile.devDependencies, ...packageFile.optionalDependencies })) {
      expect(installed).not.toContain(join(name, 'package.json'));
    }
    expect(installed.filter((path) => path.endsWith('.node'))).toEqual([]);
    expect((await readdir(inImage())).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
    expect(await readdir(inImage('dist'))).not.toContain('sandbox');
  });

  it('says its version, helps, validates a playbook and prints what it installs', async () => {
    expect(await image.run(['--version'])).toMatchObject({ exitCode: 0, stdout: `${packageFile.version}\n` });
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
    expect(chart).toContain(`\nappVersion: ${packageFile.version}\n`);
    const deployment = await readFile(join(deployDirectory, 'kustomize', 'base', 'deployment.yaml'), 'utf8');
    expect(deployment).toContain(`image: turnus:${packageFile.version}\n`);
  });
});
