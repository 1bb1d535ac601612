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
      const touched = new Set<string>();
      for (const entry of journal) {
        const { type, node } = entry;
        if (type === 'run.started' || type === 'run.resumed') answers.clear();
        if (node === undefined) continue;
        if (type === 'turn.started' || type === 'node.cordoning') answers.delete(node);
        if (type === 'gate.checked' && (entry['moment'] === 'after-cordon' || entry['moment'] === 'resumed')) {
          answers.set(node, isNo(entry) ? 'no' : 'yes');
        }
        if (touches(entry)) touched.add(node);
        if (type === 'job.finished' && entry['changed'] === 'no') touched.delete(node);
        if (type !== 'pod.evicting' || touched.has(node) || answers.get(node) === 'yes') continue;
        const why = answers.has(node)
          ? 'although the gates said no after the cordon'
          : 'without asking the gates again after the cordon';
        say(`pods of ${node} were evicted ${why} (entry ${entry.seq})`, Date.parse(entry.time) - startedAt);
      }
    },
    violations,
  };
};

function isNo(entry: JournalEntry): boolean {
  return recordsOf(entry['findings']).some(({ severity }) => severity === 'block');
}

function touches({ type, ...evidence }: JournalEntry): boolean {
  return type === 'reboot.requested' || (type === 'job.started' && evidence['stage'] !== 'prepare');
}
