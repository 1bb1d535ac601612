import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgePlaybook, keptSpec, type InForce, type UnfinishedRun } from '../../src/server/playbooks/inForce.js';
import type { ReadPlaybook } from '../../src/server/playbooks/playbookSource.js';
import { clusterUid, readWith, script, specWith, versionWith } from './readPlaybooks.js';

const at = (text: string) => Date.parse(text);
const october = at('2026-10-20T12:00:00Z');
const inNovemberWindow = at('2026-11-10T23:30:00Z');
const wrong = specWith({ more: 'journal: {stdout: true}\nsettle: {time: never}' });
const noJournal = specWith({ more: '' });

const first = await versionWith(specWith(), 1);
const second = await versionWith(specWith({ opens: 23 }), 2);
const mended = await versionWith(specWith(), 1, `${script}# mended\n`);
const edited = await readWith({
  spec: specWith({ opens: 23 }),
  generation: 2,
  former: { generation: 1, spec: specWith() },
});

function begunWith({ planHash }: InForce, change: Partial<UnfinishedRun> = {}): UnfinishedRun {
  return { name: 'monthly-2026-10', period: '2026-10', planHash, isWanted: false, ...change };
}

function judge(read: ReadPlaybook, more: { unfinished?: UnfinishedRun[]; remembered?: InForce; now?: number } = {}) {
  const { unfinished = [], remembered, now = october } = more;
  return judgePlaybook({ read, clusterUid, unfinished, remembered, now });
}

describe('the version in force', () => {
  it('is what was read where it has no mistake', async () => {
    expect(judge(await readWith({}))).toMatchObject({ inForce: first, next: undefined, mistakes: [], kept: undefined });
    expect(judge(edited)).toMatchObject({ inForce: second, next: undefined, kept: undefined });
  });

  it.each([
    { title: 'a mistake', spec: wrong, says: /settle\.time/ },
    { title: 'no journal', spec: noJournal, says: /spec\.journal/ },
  ])('is the former one where what was read has $title', async ({ spec, says }) => {
    const read = await readWith({ spec, generation: 2, former: { generation: 1, spec: specWith() } });
    const judged = judge(read);
    expect(judged.inForce).toEqual(first);
    expect(judged.mistakes.join('\n')).toMatch(says);
    expect(judged.kept).toBe('Generation 1 stays in force until it is mended.');
  });

  it('is none where no version is good', async () => {
    const read = await readWith({ spec: wrong, generation: 2, former: { generation: 1, spec: noJournal } });
    expect(judge(read)).toMatchObject({ inForce: undefined, kept: undefined });
  });

  it('is the one that was read before where only a file has gone', async () => {
    const judged = judge(await readWith({ update: '' }), { remembered: first });
    expect(judged.mistakes).toHaveLength(1);
    expect(judged.inForce).toEqual(first);
    expect(judged.kept).toBe('Generation 1 with its files as they were stays in force until it is mended.');
  });
});

describe('a run that goes on', () => {
  it('ends with the version that it was begun with', () => {
    const judged = judge(edited, { unfinished: [begunWith(first)] });
    expect(judged).toMatchObject({ inForce: first, next: second, mistakes: [] });
    expect(judged.kept).toContain('Run monthly-2026-10 was begun with generation 1 and ends with it');
  });

  it('ends with its script as it was, where the script alone has changed', async () => {
    const read = await readWith({ update: `${script}# mended\n` });
    expect(judge(read, { unfinished: [begunWith(first)], remembered: first })).toMatchObject({
      inForce: first,
      next: mended,
    });
  });

  it('keeps no mended playbook from the window of the next month', () => {
    expect(judge(edited, { unfinished: [begunWith(first)], now: inNovemberWindow })).toMatchObject({
      inForce: second,
      next: undefined,
    });
  });

  it('with a turn in work is finished first, whatever month it is', () => {
    const unfinished = [begunWith(first, { isWanted: true })];
    expect(judge(edited, { unfinished, now: inNovemberWindow })).toMatchObject({ inForce: first, next: second });
  });

  it('of another plan than is known does not hold up what was read', () => {
    const unfinished = [begunWith({ ...first, planHash: 'that of a file of somebody' })];
    expect(judge(edited, { unfinished })).toMatchObject({ inForce: second, kept: undefined });
  });
});

describe('whatever was read', () => {
  it('a playbook in force is never one with mistakes, and there is one wherever one is known', async () => {
    const specs = [specWith(), specWith({ opens: 23 }), wrong, noJournal];
    const reads = await Promise.all(
      specs.flatMap((spec) => [
        readWith({ spec, generation: 2 }),
        readWith({ spec, generation: 2, update: '' }),
        ...specs.map(async (old) => await readWith({ spec, generation: 2, former: { generation: 1, spec: old } })),
      ]),
    );
    const versions = [first, second, mended];
    const runs = fc.array(
      fc.record({
        name: fc.constant('monthly-2026-10'),
        period: fc.constantFrom('', '2026-09', '2026-10', '2026-11'),
        planHash: fc.constantFrom(...versions.map(({ planHash }) => planHash), 'other'),
        isWanted: fc.boolean(),
      }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...reads),
        runs,
        fc.option(fc.constantFrom(...versions), { nil: undefined }),
        fc.constantFrom(october, inNovemberWindow),
        (read, unfinished, remembered, now) => {
          const { inForce, next, mistakes, kept } = judgePlaybook({ read, clusterUid, unfinished, remembered, now });
          for (const version of [inForce, next]) if (version) expect(version.playbook.journal).toBeDefined();
          if (mistakes.length === 0 || remembered !== undefined) expect(inForce).toBeDefined();
          if (mistakes.length > 0) expect(inForce?.planHash).not.toBe('other');
          // Whoever reads the status is told whenever it is not what was written.
          expect(kept !== undefined).toBe(mistakes.length === 0 ? next !== undefined : inForce !== undefined);
        },
      ),
    );
  });
});

describe('the spec that is kept', () => {
  it('is that of the object, where both have room in it', async () => {
    expect(JSON.parse(keptSpec(await readWith({})) ?? '')).toEqual(specWith());
    expect(keptSpec(await readWith({ spec: { text: 'é'.repeat(250_000) } }))).toBeUndefined();
  });
});
