import { stageWaits } from '../../drain/waitedTime.js';
import { waitReasons } from '../../drain/nextStep.js';
import type { JournalEntry, JournalSink } from '../../journal/entry.js';
import { failureCodeOf } from '../../run/failure.js';
import { boundedLabel } from './boundedLabel.js';
import type { Instruments } from './instruments.js';

/** Budgets that are told by their name; those that were waited for later share one. */
const mostBudgets = 200;

/**
 * Counts what journals of runs say. It is no record: put it after the sinks that are one, so that nothing is counted
 * that was not written. It never fails.
 */
export function journalCounts(counts: Instruments, playbookLabel: (playbook: string) => string): JournalSink {
  const budgetLabel = boundedLabel(mostBudgets);
  /** Of the journals that were opened: every actor's first entry names the playbook. */
  const playbookOf = new Map<string, string>();

  const count = (entry: JournalEntry): void => {
    if (entry.type === 'run.started' || entry.type === 'run.resumed') {
      playbookOf.set(entry.run, playbookLabel(textOf(entry['playbook']) ?? ''));
    }
    const playbook = playbookOf.get(entry.run) ?? '';
    switch (entry.type) {
      case 'run.started':
      case 'run.resumed':
        counts.runsBegun.inc({ playbook, how: entry.type === 'run.started' ? 'started' : 'resumed' });
        break;
      case 'run.finished':
        counts.runsLeft.inc({ playbook, phase: textOf(entry['phase']) ?? '' });
        playbookOf.delete(entry.run);
        break;
      case 'run.superseded':
        counts.runsLeft.inc({ playbook, phase: 'Superseded' });
        break;
      case 'turn.started':
        counts.turnsStarted.inc({ playbook });
        break;
      case 'turn.finished': {
        const phase = textOf(entry['phase']) ?? '';
        counts.turnsFinished.inc({ playbook, phase });
        if (phase === 'Failed') counts.turnFailures.inc({ playbook, code: failureCodeOf(codeOf(entry['failure'])) });
        break;
      }
      case 'drain.finished':
        for (const { reason, budget, seconds } of waitsOf(entry['waited'])) {
          if (budget === undefined) counts.drainWait.inc({ playbook, reason }, seconds);
          else counts.budgetWait.inc({ playbook, ...budgetLabels(budgetLabel(budget)) }, seconds);
        }
        break;
      default:
        break;
    }
  };

  return {
    name: 'the metrics',
    write(entry) {
      count(entry);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

interface CountedWait {
  readonly reason: string;
  readonly budget: string | undefined;
  readonly seconds: number;
}

const knownReasons: ReadonlySet<string> = new Set<string>([...waitReasons, ...stageWaits]);

/** Evidence may have been cut to size: what is not a wait any more is left out. */
function waitsOf(waited: unknown): CountedWait[] {
  if (!Array.isArray(waited)) return [];
  return waited.flatMap((wait: unknown): CountedWait[] => {
    const { for: reason, budget, ms } = membersOf(wait);
    if (typeof reason !== 'string' || !knownReasons.has(reason) || typeof ms !== 'number' || !(ms >= 0)) return [];
    return [{ reason, budget: textOf(budget), seconds: ms / 1000 }];
  });
}

function budgetLabels(budget: string): { namespace: string; budget: string } {
  const [namespace = '', name] = budget.split('/');
  return name === undefined ? { namespace: 'other', budget: 'other' } : { namespace, budget: name };
}

function codeOf(failure: unknown): string | undefined {
  return textOf(membersOf(failure)['code']);
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
