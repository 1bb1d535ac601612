import { due } from '../../calendar/due.js';
import { canonicalJson } from '../../journal/canonicalJson.js';
import type { PlaybookAnswer } from '../../playbook/loadPlaybook.js';
import { formatMistake, type Mistake } from '../../playbook/mistake.js';
import type { Playbook } from '../../playbook/playbook.js';
import { planHash } from '../../run/planHash.js';
import type { ReadPlaybook } from './playbookSource.js';

/** A playbook as it was read, and what of it runs begin with. */
export interface JudgedPlaybook {
  readonly name: string;
  readonly read: ReadPlaybook;
  /** Undefined: no version that is known is without mistakes. */
  readonly inForce: InForce | undefined;
  /** With what the next run begins, where a run goes on with the former. */
  readonly next: InForce | undefined;
  /** Of what was read, whatever is in force. */
  readonly mistakes: readonly string[];
  /** Why what was read is not in force, where it is not; a sentence. */
  readonly kept: string | undefined;
}

export interface InForce {
  readonly playbook: Playbook;
  readonly generation: number | undefined;
  readonly planHash: string;
}

/** A run of the playbook that has not come to its end, rehearsals excepted. */
export interface UnfinishedRun {
  readonly name: string;
  /** `yyyy-mm` */
  readonly period: string;
  readonly planHash: string;
  /** A turn is in work or a retry is asked: it goes on whatever month it is. */
  readonly isWanted: boolean;
}

/**
 * What is in force: what was read, if it has no mistake and no run goes on that was begun with the former; else the
 * former. A run goes on with what it was begun with until a window of a later month opens, of the schedule that was read:
 * with it the next run begins. `remembered`: what was in force in this process, its files as they were then.
 */
export function judgePlaybook(question: {
  readonly read: ReadPlaybook;
  readonly clusterUid: string;
  readonly unfinished: readonly UnfinishedRun[];
  readonly remembered: InForce | undefined;
  readonly now: number;
}): JudgedPlaybook {
  const { read, clusterUid, remembered } = question;
  const { name, answer, generation, former } = read;
  const mistakes = mistakesOf(answer);
  const newest = inForceOf(answer, { clusterUid, generation });
  const kept = former === undefined ? undefined : inForceOf(former.answer, { ...former, clusterUid });
  // The files of a version may have been changed since: what this process has read of them stays good.
  const formers = [kept, remembered].filter((one) => one !== undefined);
  if (newest === undefined) {
    const last = begunWith(question.unfinished, formers)?.former ?? formers[0];
    const told = last && `${versionOf(last, read)} stays in force until it is mended.`;
    return { name, read, inForce: last, next: undefined, mistakes, kept: told };
  }
  const goesOn = question.unfinished.filter((run) => isBound(run, { newest, now: question.now }));
  const begun = begunWith(goesOn, [newest, ...formers]);
  if (begun === undefined || begun.former.planHash === newest.planHash) {
    return { name, read, inForce: newest, next: undefined, mistakes, kept: undefined };
  }
  const told = `Run ${begun.run.name} was begun with ${lowerCase(versionOf(begun.former, read))} and ends with it; what was changed applies to the next run.`;
  return { name, read, inForce: begun.former, next: newest, mistakes, kept: told };
}

/** Nothing that has a mistake is in force, whoever wrote it into the status. */
function inForceOf(
  answer: PlaybookAnswer,
  of: { readonly clusterUid: string; readonly generation: number | undefined },
): InForce | undefined {
  if (answer.kind !== 'ok' || mistakesOf(answer).length > 0) return undefined;
  const { playbook } = answer;
  return { playbook, generation: of.generation, planHash: planHash({ clusterUid: of.clusterUid, playbook }) };
}

function isBound(run: UnfinishedRun, { newest, now }: { newest: InForce; now: number }): boolean {
  if (run.isWanted) return true;
  const runs = [{ period: run.period, isEnded: false }];
  return due({ schedule: newest.playbook.schedule, now, runs }).kind !== 'begin';
}

/** The version with which one of the runs was begun, the newest month's first. */
function begunWith(
  runs: readonly UnfinishedRun[],
  versions: readonly InForce[],
): { readonly run: UnfinishedRun; readonly former: InForce } | undefined {
  return [...runs]
    .sort((one, other) => Number(other.isWanted) - Number(one.isWanted) || (one.period < other.period ? 1 : -1))
    .flatMap((run) => {
      const former = versions.find((version) => version.planHash === run.planHash);
      return former === undefined ? [] : [{ run, former }];
    })[0];
}

function versionOf({ generation }: InForce, read: ReadPlaybook): string {
  if (generation === undefined) return 'The former version';
  const files = generation === read.generation ? ' with its files as they were' : '';
  return `Generation ${String(generation)}${files}`;
}

function lowerCase(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function mistakesOf(answer: PlaybookAnswer): string[] {
  if (answer.kind === 'invalid') return answer.mistakes.map(withoutFile);
  if (answer.playbook.journal !== undefined) return [];
  return ['spec.journal: say where the journal goes, {file: /path} or {stdout: true}; nothing is done without it'];
}

/** The object that carries the message is the file. */
function withoutFile(mistake: Mistake): string {
  return mistake.line === undefined
    ? `${mistake.path === '' ? '' : `${mistake.path}: `}${mistake.message}`
    : formatMistake(mistake);
}

/** The spec as it is kept in the status; undefined where it is too large for it. */
export function keptSpec({ object }: ReadPlaybook): string | undefined {
  const spec = object === undefined ? undefined : canonicalJson(object.resource['spec']);
  return spec === undefined || Buffer.byteLength(spec) > longestSpecBytes ? undefined : spec;
}

/** The object holds the spec twice then, and etcd takes 1.5 MiB in one request (--max-request-bytes). */
const longestSpecBytes = 400_000;
