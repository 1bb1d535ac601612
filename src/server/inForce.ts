import { canonicalJson } from '../journal/canonicalJson.js';
import { formatMistake, type Mistake } from '../playbook/mistake.js';
import type { Playbook } from '../playbook/playbook.js';
import { planHash } from '../run/planHash.js';
import type { RunObject } from '../run/objects.js';
import type { ReadPlaybook } from './playbookSource.js';

/** A playbook as it was read, and what of it runs begin with. */
export interface JudgedPlaybook {
  readonly name: string;
  readonly read: ReadPlaybook;
  /** Undefined: no version of it has ever been without mistakes. */
  readonly inForce: InForce | undefined;
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

/**
 * What is in force: what was read, if it has no mistake and no unfinished run was begun with the former; else the former.
 * `unfinished`: runs of the playbook that have not come to their end. `remembered`: what was in force in this process.
 */
export function judgePlaybook(question: {
  readonly read: ReadPlaybook;
  readonly clusterUid: string;
  readonly unfinished: readonly Pick<RunObject, 'name' | 'spec'>[];
  readonly remembered: InForce | undefined;
}): JudgedPlaybook {
  const { read, unfinished } = question;
  const { name } = read;
  const inForceOf = (playbook: Playbook, generation: number | undefined): InForce => ({
    playbook,
    generation,
    planHash: planHash({ clusterUid: question.clusterUid, playbook }),
  });
  const mistakes = mistakesOf(read);
  const newest =
    mistakes.length === 0 && read.answer.kind === 'ok' ? inForceOf(read.answer.playbook, read.generation) : undefined;
  const former =
    read.former?.answer.kind === 'ok'
      ? inForceOf(read.former.answer.playbook, read.former.generation)
      : read.object === undefined
        ? question.remembered
        : undefined;
  if (newest === undefined) {
    const kept = former === undefined ? undefined : `${versionOf(former)} stays in force until it is mended.`;
    return { name, read, inForce: former, mistakes, kept };
  }
  const begun = unfinished.find(({ spec }) => spec.planHash === former?.planHash);
  if (former === undefined || begun === undefined || former.planHash === newest.planHash) {
    return { name, read, inForce: newest, mistakes, kept: undefined };
  }
  const kept = `Run ${begun.name} was begun with ${versionOf(former).toLowerCase()} and ends with it; what was changed applies to the next run.`;
  return { name, read, inForce: former, mistakes, kept };
}

function versionOf({ generation }: InForce): string {
  return generation === undefined ? 'The former version' : `Generation ${String(generation)}`;
}

function mistakesOf({ answer }: ReadPlaybook): string[] {
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
  return spec === undefined || spec.length > longestSpec ? undefined : spec;
}

const longestSpec = 1_000_000;
