import { assemblePlaybook } from './assemblePlaybook.js';
import { cautions, contradictions } from './consistency.js';
import { problemsOfIssues } from './issueWording.js';
import { formatPath } from './mistake.js';
import type { FieldPath, Mistake, Problem } from './mistake.js';
import type { Playbook } from './playbook.js';
import { readReferencedFiles, utf8 } from './referencedFiles.js';
import type { PathOrigin, ReadFile } from './referencedFiles.js';
import { refusedReferences, type PlaybookSource } from './refusedReferences.js';
import { scheduleCautions } from './scheduleRules.js';
import { playbookSchema } from './schema.js';
import { placeOfProblem } from './sourcePosition.js';
import { parseYamlSource } from './yamlSource.js';
import type { YamlSource } from './yamlSource.js';

export type PlaybookAnswer =
  | { readonly kind: 'ok'; readonly playbook: Playbook; readonly warnings: readonly Mistake[] }
  | { readonly kind: 'invalid'; readonly mistakes: readonly Mistake[] };

export interface LoadRequest extends PathOrigin {
  readonly readFile: ReadFile;
  /** For the warnings about the windows to come. */
  readonly now: number;
}

const maxPlaybookBytes = 1024 * 1024;

/**
 * Reads a playbook and the files it names. The answer holds every mistake at once, in the order of the text.
 * `origin.file` is the path as the user gave it, absolute or relative to the working directory. Never rejects, unless
 * `readFile` does.
 */
export async function loadPlaybook(request: LoadRequest): Promise<PlaybookAnswer> {
  const { file, readFile } = request;
  const answer = await readFile(file);
  if (answer.kind !== 'ok') {
    return unusable(file, answer.kind === 'missing' ? 'there is no such file' : `cannot be read: ${answer.message}`);
  }
  if (answer.bytes.length > maxPlaybookBytes) {
    return unusable(file, `has ${answer.bytes.length} bytes; a playbook has at most ${maxPlaybookBytes} (1 MiB)`);
  }
  const text = utf8(answer.bytes)?.replace(/^\uFEFF/, '');
  if (text === undefined) return unusable(file, 'is not UTF-8 text');

  const source = parseYamlSource(text);
  if (source.faults.length === 0 && (source.content ?? null) === null) {
    return unusable(file, 'is empty; a playbook begins with apiVersion: turnus.dev/v1alpha1 and kind: Playbook');
  }
  return await checkedPlaybook(source, request);
}

async function checkedPlaybook(source: YamlSource, request: LoadRequest): Promise<PlaybookAnswer> {
  const unknown = source.faults.filter((fault) => fault.unknownValue === true);
  const checked = await checkContent(source.content, { ...request, source: 'file', unknown });
  const mistakes = allMistakes(source, checked.problems, request.file);
  if (mistakes.length > 0 || checked.playbook === undefined) return { kind: 'invalid', mistakes };
  return {
    kind: 'ok',
    playbook: checked.playbook,
    warnings: allMistakes(source, checked.cautions(), request.file),
  };
}

export interface ContentRequest extends LoadRequest {
  readonly source: PlaybookSource;
  /** Fields of which nothing is known, because they could not be read. */
  readonly unknown: readonly { readonly path: FieldPath }[];
}

export interface CheckedContent {
  readonly problems: readonly Problem[];
  /** Undefined where there is a problem. */
  readonly playbook: Playbook | undefined;
  /** What the team should know of a playbook without a problem. */
  readonly cautions: () => readonly Problem[];
}

/** Every problem of a playbook as it was parsed, and its files read. */
export async function checkContent(content: unknown, request: ContentRequest): Promise<CheckedContent> {
  const refused = refusedReferences(content, request.source);
  const checked = playbookSchema.safeParse(content);
  const issues = checked.success ? [] : problemsOfIssues(checked.error.issues, content);
  const files = await readReferencedFiles(content, request, request.readFile);
  const problems = [
    ...refused,
    ...[...issues, ...files.problems, ...contradictions(content)].filter(
      (problem) => !isInside(problem, [...refused, ...request.unknown]),
    ),
  ];
  const isGood = checked.success && problems.length === 0;
  const playbook = isGood ? assemblePlaybook(checked.data, request, files) : undefined;
  return {
    problems,
    playbook,
    cautions: () =>
      playbook === undefined ? [] : [...cautions(content), ...scheduleCautions(playbook.schedule, request.now)],
  };
}

/** Whether the problem is about a field, or something inside it, about which the main thing is said already. */
function isInside(problem: Problem, said: readonly { readonly path: FieldPath }[]): boolean {
  return said.some(({ path }) => path.every((segment, place) => problem.path[place] === segment));
}

/**
 * Faults of the YAML and problems of its content, in the order of the text. Where a fault may have misled the parser,
 * only what ends in a line before it counts: the rest, and fields that only seem to be missing, would be noise.
 */
function allMistakes(source: YamlSource, problems: readonly Problem[], file: string): Mistake[] {
  const lineOf = (offset: number) => source.lines.linePos(offset).line;
  const misleading = source.faults
    .filter((fault) => fault.misleading)
    .sort((left, right) => left.offset - right.offset);
  const reliableBefore = misleading[0] === undefined ? undefined : lineOf(misleading[0].offset);
  const located = problems
    .map((problem) => ({ ...problem, ...placeOfProblem(source.document, problem) }))
    .filter(({ end }) => reliableBefore === undefined || (end !== undefined && lineOf(end) < reliableBefore));
  return [...source.faults, ...located]
    .sort((left, right) => left.offset - right.offset)
    .map(({ offset, path, message }) => {
      const { line, col } = source.lines.linePos(offset);
      return {
        file,
        line: Math.max(1, line),
        column: Math.max(1, col),
        path: formatPath(path),
        message: onOneLine(message),
      };
    });
}

/** Control characters would break the line, or do worse to a terminal. */
export function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

function unusable(file: string, message: string): PlaybookAnswer {
  return { kind: 'invalid', mistakes: [{ file, line: 1, column: 1, path: '', message }] };
}
