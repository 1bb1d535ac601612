import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/systemClock.js';
import { directoryWith, goodFiles, runTurnus } from './runTurnus.js';

const control = ['pause', 'resume', 'abort', 'retry', 'skip'];
const commands = [
  ...['plan', 'run', 'validate', 'install', 'journal', 'status', 'coverage', 'sandbox', 'demo', 'trigger'],
  ...control,
];

describe('turnus --help', () => {
  it('ends with 0 and names every command on standard output', async () => {
    const end = await runTurnus(['--help']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    for (const command of commands) expect(end.stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
  });

  it.each([...commands.map((command) => [command]), ['journal', 'verify'], ['sandbox', 'break']])(
    'helps with %s too',
    async (...command) => {
      const end = await runTurnus([...command, '--help']);
      expect(end).toMatchObject({ exitCode: 0, stderr: '' });
      expect(end.stdout).toContain(`Usage: turnus ${command.join(' ')}`);
    },
  );
});

describe('turnus --version', () => {
  it('says the version of package.json', async () => {
    const packageFile = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
    const { stdout, exitCode } = await runTurnus(['--version']);
    expect(exitCode).toBe(0);
    expect(packageFile).toContain(`"version": "${stdout.trim()}"`);
  });
});

describe('a command line that cannot be understood', () => {
  it.each<{ title: string; argv: string[]; says: string[] }>([
    { title: 'names no command', argv: [], says: ['Usage: turnus', 'Commands:'] },
    {
      title: 'names an unknown command',
      argv: ['validat'],
      says: ["unknown command 'validat'", 'Did you mean validate?'],
    },
    {
      title: 'has an unknown option',
      argv: ['run', '-f', 'x', '--yess'],
      says: ["unknown option '--yess'", 'Did you mean --yes?'],
    },
    { title: 'has an unknown option before the command', argv: ['--verbose'], says: ["unknown option '--verbose'"] },
    {
      title: 'lacks the playbook of plan',
      argv: ['plan'],
      says: ["required option '-f, --file <playbook>' not specified"],
    },
    { title: 'lacks the playbook of run', argv: ['run', '--yes'], says: ["required option '-f, --file <playbook>'"] },
    { title: 'lacks the playbook of validate', argv: ['validate'], says: ["required option '-f, --file <playbook>'"] },
    {
      title: 'lacks the value of an option',
      argv: ['validate', '-f'],
      says: ["'-f, --file <playbook>' argument missing"],
    },
    {
      title: 'wants a format that does not exist',
      argv: ['plan', '-f', 'x', '-o', 'yaml'],
      says: ['Allowed choices are text, json, markdown'],
    },
    {
      title: 'has too long a reason',
      argv: ['run', '-f', 'x', '--reason', 'r'.repeat(1001)],
      says: ['--reason takes at most 1000 characters'],
    },
    { title: 'has an argument too many', argv: ['validate', 'monthly.yaml', '-f', 'x'], says: ['too many arguments'] },
    ...control.map((command) => ({
      title: `names no run to ${command}`,
      argv: [command],
      says: ["missing required argument 'run'"],
    })),
    ...['retry', 'skip'].map((command) => ({
      title: `names no node to ${command}`,
      argv: [command, 'monthly-2026-11'],
      says: ["missing required argument 'node'"],
    })),
    { title: 'pauses a node', argv: ['pause', 'monthly-2026-11', 'node-1'], says: ['too many arguments'] },
    { title: 'wants to pause now', argv: ['pause', 'monthly-2026-11', '--now'], says: ["unknown option '--now'"] },
    {
      title: 'wants to skip again',
      argv: ['skip', 'monthly-2026-11', 'node-1', '--again'],
      says: ["unknown option '--again'"],
    },
    {
      title: 'has too long a reason for a request',
      argv: ['retry', 'monthly-2026-11', 'node-1', '--reason', 'r'.repeat(1001)],
      says: ['--reason takes at most 1000 characters'],
    },
    { title: 'names no playbook to trigger', argv: ['trigger', '--reason', 'x'], says: ["argument 'playbook'"] },
    {
      title: 'triggers without a reason',
      argv: ['trigger', 'monthly'],
      says: ["option '--reason <text>' not specified"],
    },
    { title: 'triggers for no reason', argv: ['trigger', 'monthly', '--reason', ' '], says: ['Give --reason TEXT.'] },
    {
      title: 'has too long a reason for a trigger',
      argv: ['trigger', 'monthly', '--reason', 'r'.repeat(1001)],
      says: ['--reason takes at most 1000 characters'],
    },
    {
      title: 'wants a plan in Markdown, which nobody is to be sent',
      argv: ['plan', '-f', 'x', '-o', 'markdown'],
      says: ['Add --by owner'],
    },
    { title: 'wants a plan by node', argv: ['plan', '-f', 'x', '--by', 'node'], says: ['Allowed choices are owner'] },
    { title: 'names no node to explain', argv: ['explain'], says: ["missing required argument 'node'"] },
    {
      title: 'wants an explanation in Markdown',
      argv: ['explain', 'node-1', '-o', 'markdown'],
      says: ['Allowed choices are text, json'],
    },
    { title: 'wants a status as YAML', argv: ['status', '-o', 'yaml'], says: ["argument 'yaml' is invalid"] },
    { title: 'wants the coverage as YAML', argv: ['coverage', '-o', 'yaml'], says: ["argument 'yaml' is invalid"] },
    { title: 'wants the coverage of a node', argv: ['coverage', 'node-1'], says: ['too many arguments'] },
    { title: 'names no journal', argv: ['journal', 'verify'], says: ["missing required argument 'file'"] },
  ])('ends with 2 where it $title', async ({ argv, says }) => {
    const end = await runTurnus(argv);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    for (const text of says) expect(end.stderr).toContain(text);
  });
});

describe('a command without a cluster', () => {
  it.each(['run', 'plan'])('%s ends with 2 and says how to name a kubeconfig', async (command) => {
    const directory = await directoryWith(goodFiles);
    const end = await runTurnus([command, '-f', join(directory, 'monthly.yaml')]);
    expect(end).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'turnus: There is no kubeconfig: neither --kubeconfig nor KUBECONFIG names one, and there is none in ~/.kube\nName one with --kubeconfig.\n',
    });
  });

  it('explain ends with 2 too, with a playbook and without', async () => {
    const directory = await directoryWith(goodFiles);
    for (const file of [[], ['-f', join(directory, 'monthly.yaml')]]) {
      const end = await runTurnus(['explain', 'node-1', ...file]);
      expect(end).toMatchObject({ exitCode: 2, stdout: '' });
      expect(end.stderr).toContain('turnus: There is no kubeconfig');
    }
  });

  it.each([['pause'], ['resume'], ['abort'], ['abort', '--now'], ['retry', 'node-1'], ['skip', 'node-1'], ['trigger']])(
    '%s %s ends with 2 too',
    async (command, ...more) => {
      const end = await runTurnus([command, 'monthly-2026-11', ...more, '--reason', 'flood']);
      expect(end).toMatchObject({ exitCode: 2, stdout: '' });
      expect(end.stderr).toContain('turnus: There is no kubeconfig');
    },
  );

  it('ends with 2 where the kubeconfig does not exist, and names it', async () => {
    const directory = await directoryWith(goodFiles);
    const kubeconfig = join(directory, 'none');
    const end = await runTurnus(['run', '-f', join(directory, 'monthly.yaml'), '--kubeconfig', kubeconfig]);
    expect(end.exitCode).toBe(2);
    expect(end.stderr).toContain(kubeconfig);
  });

  it.each([
    { title: 'an option before the environment', option: true, KUBECONFIG: 'by-environment', read: 'by-option' },
    {
      title: 'KUBECONFIG before the home directory',
      option: false,
      KUBECONFIG: 'by-environment',
      read: 'by-environment',
    },
    { title: '~/.kube/config where KUBECONFIG is empty', option: false, KUBECONFIG: '', read: '.kube/config' },
    {
      title: '~/.kube/config where there is no KUBECONFIG',
      option: false,
      KUBECONFIG: undefined,
      read: '.kube/config',
    },
  ])('takes $title', async ({ option, KUBECONFIG, read }) => {
    // Each of them is refused for a reason that names the file.
    const broken = { 'by-option': '{', 'by-environment': '{', '.kube/config': '{' };
    const directory = await directoryWith({ ...goodFiles, ...broken });
    const inDirectory = (name: string) => join(directory, name);
    const end = await runTurnus(
      ['plan', '-f', inDirectory('monthly.yaml'), ...(option ? ['--kubeconfig', inDirectory('by-option')] : [])],
      {
        env: {
          HOME: directory,
          ...(KUBECONFIG === undefined ? {} : { KUBECONFIG: KUBECONFIG === '' ? '' : inDirectory(KUBECONFIG) }),
        },
      },
    );
    expect(end.exitCode).toBe(2);
    expect(end.stderr).toContain(`turnus: The kubeconfig ${inDirectory(read)}:`);
  });

  it('reads the playbook first and refuses an invalid one with its mistakes', async () => {
    const directory = await directoryWith({ 'monthly.yaml': 'kind: Playbook\n' });
    const file = join(directory, 'monthly.yaml');
    const end = await runTurnus(['run', '-f', file]);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(`${file}:1:1 `);
    expect(end.stderr).toMatch(/has \d+ mistakes; nothing was touched\./);
  });
});

describe('run, asked to stop while it reads the cluster,', () => {
  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
    { signal: 'SIGHUP', code: 129 },
  ])('ends with $code at once on $signal, although the server does not answer', async ({ signal, code }) => {
    const listeners = new Map<string, () => void>();
    const server = createServer(() => listeners.get(signal)?.()).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const directory = await directoryWith({ ...goodFiles, kubeconfig: kubeconfigOf(`http://127.0.0.1:${port}`) });
    const end = await runTurnus(
      ['run', '--yes', '-f', join(directory, 'monthly.yaml'), '--kubeconfig', join(directory, 'kubeconfig')],
      { onSignal: (name, listener) => listeners.set(name, listener) },
    );
    expect(end).toMatchObject({ exitCode: code, stdout: '' });
    expect(end.stderr).toContain(`${signal}: stopping`);
    expect(end.stderr).toContain('Stopped. Start the same command again to go on.\n');
  });
});

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server } }],
    users: [{ name: 'u', user: { token: 'very-secret' } }],
  });
}

describe('an error that nobody expected', () => {
  const clock = {
    ...systemClock,
    deadline: () => {
      throw new Error('the clock has stopped');
    },
  };
  const kubeconfig = kubeconfigOf('https://127.0.0.1:1');

  it('ends with 1, without a stack trace', async () => {
    const directory = await directoryWith({ kubeconfig });
    const end = await runTurnus(['install', '--kubeconfig', join(directory, 'kubeconfig')], { clock });
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('turnus: unexpected error: the clock has stopped\n');
    expect(end.stderr).not.toMatch(/^ +at /m);
  });

  it.each([
    { title: 'before', argv: ['--debug', 'install'] },
    { title: 'after', argv: ['install', '--debug'] },
  ])('is shown with its stack where --debug stands $title the command', async ({ argv }) => {
    const directory = await directoryWith({ kubeconfig });
    const end = await runTurnus([...argv, '--kubeconfig', join(directory, 'kubeconfig')], { clock });
    expect(end.stderr).toMatch(/^ +at .*commandLine\.test/m);
    expect(end.stderr).not.toContain('very-secret');
  });
});
