import { describe, expect, it } from 'vitest';
import { answerWish } from '../../src/sandbox/faultRoute.js';
import { openFaults, type FaultMaker, type FaultName, type Faults } from '../../src/sandbox/faults.js';

/** Faults that write down what was done, and a clock whose calls are made by hand. */
function writtenFaults(): { faults: Faults; done: string[]; pass: () => void } {
  const done: string[] = [];
  const later = new Set<() => void>();
  let made = 0;
  const maker =
    (name: FaultName): FaultMaker =>
    ({ subject }) => {
      if (subject === 'unknown') return { refused: `There is no ${subject}.` };
      made += 1;
      const number = String(made);
      done.push(`${name} ${number}`);
      return {
        subject: subject ?? '',
        broken: `${name} is broken.`,
        mend: name === 'lose-watches' ? undefined : () => `mended ${number}`,
      };
    };
  const names: FaultName[] = ['hang-host', 'lose-host', 'no-return', 'fail-script', 'silence-kubelet', 'block-budget'];
  names.push('unready', 'cut-api', 'throttle-api', 'lose-watches');
  const makers = Object.fromEntries(names.map((name) => [name, maker(name)])) as Record<FaultName, FaultMaker>;
  const faults = openFaults({
    makers,
    begun: { 'block-budget': { subject: 'ledger', broken: 'ledger is stuck.', mend: () => 'ledger has two.' } },
    later: (_delayMs, act) => {
      later.add(act);
      return () => later.delete(act);
    },
  });
  return {
    faults,
    done,
    pass: () => {
      for (const act of [...later]) act();
    },
  };
}

describe('the faults of a sandbox', () => {
  it('are in force until they are mended, one kind or all', () => {
    const { faults } = writtenFaults();
    faults.break({ fault: 'hang-host', subject: 'worker-1' });
    faults.break({ fault: 'hang-host', subject: 'worker-2' });
    faults.break({ fault: 'cut-api' });
    expect(faults.inForce()).toEqual([
      'ledger is stuck.',
      'hang-host is broken.',
      'hang-host is broken.',
      'cut-api is broken.',
    ]);
    expect(faults.mend('hang-host')).toEqual({ kind: 'done', messages: ['mended 1', 'mended 2'] });
    expect(faults.mend()).toEqual({ kind: 'done', messages: ['ledger has two.', 'mended 3'] });
    expect(faults.mend()).toEqual({ kind: 'done', messages: ['Nothing of the kind is broken.'] });
  });

  it('restore what was so before the first of two breaks', () => {
    const { faults, done } = writtenFaults();
    faults.break({ fault: 'block-budget', subject: 'web' });
    faults.break({ fault: 'block-budget', subject: 'web' });
    expect(done).toEqual(['block-budget 1', 'block-budget 2']);
    expect(faults.mend('block-budget')).toEqual({ kind: 'done', messages: ['ledger has two.', 'mended 1'] });
  });

  it('mend themselves after their time, unless a later break goes on', () => {
    const { faults, pass } = writtenFaults();
    faults.break({ fault: 'cut-api', forMs: 1000 });
    faults.break({ fault: 'lose-host', subject: 'worker-1', forMs: 1000 });
    faults.break({ fault: 'lose-host', subject: 'worker-1' });
    pass();
    expect(faults.inForce()).toEqual(['ledger is stuck.', 'lose-host is broken.']);
  });

  it('that pass at once are not in force', () => {
    const { faults } = writtenFaults();
    expect(faults.break({ fault: 'lose-watches' })).toEqual({ kind: 'done', messages: ['lose-watches is broken.'] });
    expect(faults.inForce()).toEqual(['ledger is stuck.']);
  });

  it.each([
    { wish: '{"verb":"break","fault":"cut-api"}', answer: { messages: ['cut-api is broken.'] } },
    { wish: '{"verb":"mend"}', answer: { messages: ['ledger has two.'] } },
    { wish: '{"verb":"break","fault":"unready","subject":"unknown"}', answer: { refused: 'There is no unknown.' } },
    { wish: '{"verb":"break"}', answer: { refused: 'A wish says what to break or to mend.' } },
    { wish: '{"verb":"burn","fault":"cut-api"}', answer: { refused: 'A wish says what to break or to mend.' } },
    { wish: 'nonsense', answer: { refused: 'A wish is a JSON object.' } },
  ])('answer the wish $wish', ({ wish, answer }) => {
    expect(answerWish(writtenFaults().faults, wish)).toEqual({ sandbox: answer });
  });

  it('names those that there are to a wish for another one, and says when the sandbox still starts', () => {
    const unknown = JSON.stringify(answerWish(writtenFaults().faults, '{"verb":"break","fault":"flood"}'));
    expect(unknown).toContain('There is no fault flood; there are: hang-host, lose-host,');
    expect(answerWish(undefined, '{}')).toEqual({ sandbox: { refused: 'The sandbox is still starting.' } });
  });
});
