import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runCommand, runCommandOk } from '../runCommand.js';
import type { CommandResult } from '../runCommand.js';

/** What a Dockerfile makes, played in a directory of this machine: its steps are real, its base image is this machine. */
export interface PlayedImage {
  /** Stands for `/`. */
  readonly root: string;
  /** As the Dockerfile says them. */
  readonly bases: string[];
  readonly user: string;
  readonly entrypoint: string[];
  /** Runs the program of the entry point with these arguments, as the image's user where this process may. */
  run(args: string[]): Promise<CommandResult>;
  remove(): Promise<void>;
}

interface Instruction {
  name: string;
  rest: string;
}

interface Stage {
  name: string;
  root: string;
  directory: string;
  environment: Record<string, string>;
  user: string;
  entrypoint: string[];
}

/** Plays the Dockerfile with `context` as its build context; the files that .dockerignore keeps out are not there. */
export async function playDockerfile({ file, context }: { file: string; context: string }): Promise<PlayedImage> {
  const allowed = await allowedNames(context);
  const home = await mkdtemp(join(tmpdir(), 'turnus-image-'));
  await chmod(home, 0o755); // the image's user is another one
  const remove = (): Promise<void> => rm(home, { recursive: true, force: true });
  const defaults = new Map<string, string>();
  const bases: string[] = [];
  const stages: Stage[] = [];
  try {
    for (const { name, rest } of instructionsOf(await readFile(file, 'utf8'))) {
      if (name === 'ARG') {
        const [argument = '', value = ''] = splitOnce(rest, '=');
        defaults.set(argument, value);
      } else if (name === 'FROM') {
        const [base = '', stageName = String(stages.length)] = rest.split(/ AS /i);
        bases.push(base.replace(/\$\{(\w+)\}/g, (_all, argument: string) => defaults.get(argument) ?? ''));
        const root = join(home, stageName);
        await mkdir(root);
        stages.push({ name: stageName, root, directory: root, environment: {}, user: '0', entrypoint: [] });
      } else await play({ name, rest }, { stages, allowed, context });
    }
  } catch (error) {
    await remove();
    throw error;
  }
  const image = currentOf(stages);
  return {
    root: image.root,
    bases,
    user: image.user,
    entrypoint: image.entrypoint,
    run: async (args) => await runImage(image, args),
    remove,
  };
}

async function play(
  { name, rest }: Instruction,
  { stages, allowed, context }: { stages: Stage[]; allowed: Set<string>; context: string },
): Promise<void> {
  const stage = currentOf(stages);
  switch (name) {
    case 'WORKDIR':
      stage.directory = join(stage.root, rest);
      await mkdir(stage.directory, { recursive: true });
      break;
    case 'COPY': {
      const [, from, paths = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(rest) ?? [];
      const sources = paths.split(' ');
      const target = sources.pop() ?? '';
      const source = from === undefined ? context : stages.find((other) => other.name === from)?.root;
      if (source === undefined) throw new Error(`COPY from ${String(from)}, which is no stage`);
      for (const path of sources) {
        if (from === undefined && !allowed.has(path)) throw new Error(`.dockerignore keeps ${path} out`);
        // A file keeps its name in a directory; the content of a directory comes into the target.
        const to = target.endsWith('/') ? join(target, basename(path)) : target;
        await cp(join(source, path), join(stage.directory, to), { recursive: true });
      }
      break;
    }
    case 'RUN':
      await runCommandOk('sh', ['-c', rest], {
        cwd: stage.directory,
        env: { ...process.env, ...stage.environment, NODE_ENV: '' },
      });
      break;
    case 'ENV': {
      const [variable = '', value = ''] = splitOnce(rest, '=');
      stage.environment[variable] = value;
      break;
    }
    case 'USER':
      stage.user = rest;
      break;
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest) as string[];
      break;
    case 'CMD':
      break;
    default:
      throw new Error(`This player knows no ${name}`);
  }
}

async function runImage(image: Stage, args: string[]): Promise<CommandResult> {
  const [, program = ''] = image.entrypoint;
  const [user, group] = image.user.split(':');
  const command = [process.execPath, join(image.root, program), ...args];
  const asUser = ['setpriv', `--reuid=${user ?? ''}`, `--regid=${group ?? ''}`, '--clear-groups'];
  const [first = '', ...others] = process.getuid?.() === 0 ? [...asUser, ...command] : command;
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', ...image.environment };
  return await runCommand(first, others, { cwd: '/', env });
}

function instructionsOf(text: string): Instruction[] {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', rest = ''] = splitOnce(line, ' ');
      return { name, rest };
    });
}

/** What of the context's root reaches the builder: our .dockerignore keeps everything out and names the exceptions. */
async function allowedNames(context: string): Promise<Set<string>> {
  const lines = (await readFile(join(context, '.dockerignore'), 'utf8')).split('\n');
  const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const [first, ...exceptions] = rules;
  if (first !== '*' || exceptions.some((line) => !line.startsWith('!'))) {
    throw new Error('.dockerignore does not keep everything out and name the exceptions');
  }
  return new Set(exceptions.map((line) => line.slice(1)));
}

function currentOf(stages: Stage[]): Stage {
  const stage = stages.at(-1);
  if (stage === undefined) throw new Error('The Dockerfile has no FROM yet');
  return stage;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
