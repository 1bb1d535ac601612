import { recordsOf } from '../../../src/cluster/json.js';
import type { JournalEntry } from '../../../src/journal/entry.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * After the cordon, and by each actor that goes on with a turn, the gates are asked again before the first eviction, and
 * a no of theirs ends the drain. A host that was touched is emptied whatever they say.
 */
export const gatesDecide: MakeInvariant = (night) => {
  const { say, violations } = complaints('gates-decide', night);
  return {
    atEnd({ journal }) {
      const startedAt = Date.parse(journal[0]?.time ?? '');
      /** By node what the gates said last, since the cordon and the last change of actor. */
      const answers = new Map<string, 'yes' | 'no'>();
      /** By node what touched its host: scripts, and a reboot. */
      const touched = new Map<string, Set<string>>();
      for (const entry of journal) {
        const { type, node } = entry;
        if (type === 'run.started' || type === 'run.resumed') answers.clear();
        if (node === undefined) continue;
        noteAnswer(answers, entry, node);
        noteTouch(touched, entry, node);
        const isTouched = (touched.get(node)?.size ?? 0) > 0;
        if ((type !== 'pod.evicting' && type !== 'owner.surging') || isTouched || answers.get(node) === 'yes') continue;
        const why = answers.has(node)
          ? 'although the gates said no after the cordon'
          : 'without asking the gates again after the cordon';
        say(`pods of ${node} were evicted ${why} (entry ${entry.seq})`, Date.parse(entry.time) - startedAt);
      }
    },
    violations,
  };
};

function noteAnswer(answers: Map<string, 'yes' | 'no'>, entry: JournalEntry, node: string): void {
  const { type, moment } = entry;
  if (type === 'turn.started' || type === 'node.cordoning') answers.delete(node);
  if (type === 'gate.checked' && (moment === 'after-cordon' || moment === 'resumed')) {
    answers.set(node, isNo(entry) ? 'no' : 'yes');
  }
}

function noteTouch(touched: Map<string, Set<string>>, entry: JournalEntry, node: string): void {
  if (touches(entry)) touched.set(node, (touched.get(node) ?? new Set()).add(whatOf(entry)));
  if (entry.type === 'job.finished' && entry['changed'] === 'no') touched.get(node)?.delete(whatOf(entry));
}

function isNo(entry: JournalEntry): boolean {
  return recordsOf(entry['findings']).some(({ severity }) => severity === 'block');
}

function touches({ type, ...evidence }: JournalEntry): boolean {
  return type === 'reboot.requested' || (type === 'job.started' && evidence['stage'] !== 'prepare');
}

function whatOf({ stage }: JournalEntry): string {
  return typeof stage === 'string' ? stage : 'reboot';
}
