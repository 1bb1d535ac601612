import { describe, expect, it } from 'vitest';
import { playbookStatusSchema, type PlaybookStatus } from '../../src/playbook/playbookStatus.js';
import { composeStatus, type PlaybookFacts } from '../../src/server/playbooks/composeStatus.js';
import { judgePlaybook } from '../../src/server/playbooks/inForce.js';
import { statusOf, type ReadPlaybook } from '../../src/server/playbooks/playbookSource.js';
import { clusterUid, playbookObject, readWith, specWith } from './readPlaybooks.js';

const at = Date.parse('2026-10-20T12:00:00Z');
const later = at + 3_600_000;

function compose(read: ReadPlaybook, facts: Partial<PlaybookFacts> = {}): PlaybookStatus {
  const { now = at } = facts;
  const judged = judgePlaybook({ read, clusterUid, unfinished: [], remembered: undefined, now });
  const nothing = { lastRun: undefined, coverage: undefined, trigger: undefined, hindrance: { kind: 'none' } } as const;
  return composeStatus(judged, { now, ...nothing, ...facts });
}

const run = (name: string, phase = 'Completed') => ({ name, phase });

describe('the status of a Playbook object', () => {
  it('tells what is in force, and when', async () => {
    expect(compose(await readWith({ generation: 3 }))).toMatchObject({
      observedGeneration: 3,
      inForce: { generation: 3, since: '2026-10-20T12:00:00.000Z' },
      nextWindow: { opensAt: '2026-11-10T22:00:00.000Z', closesAt: '2026-11-11T04:00:00.000Z' },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Unhindered' },
        { type: 'Valid', status: 'True', reason: 'InForce', observedGeneration: 3 },
      ],
    });
  });

  it('is not ready while what is due is refused or fails, or nothing is in force', async () => {
    const ready = (status: PlaybookStatus) => status.conditions?.find(({ type }) => type === 'Ready');
    const read = await readWith({});
    const refused = compose(read, { hindrance: { kind: 'refused', message: 'Run x was made from another plan.' } });
    expect(ready(refused)).toMatchObject({
      status: 'False',
      reason: 'Refused',
      message: expect.stringMatching(/^Run x was made from another plan\. It is not tried again before/) as string,
    });
    const failed = compose(read, { hindrance: { kind: 'failed', message: 'No space left on device.' } });
    expect(ready(failed)).toMatchObject({ status: 'False', reason: 'Retrying' });
    // A new process has not tried it yet, and does not say that all is well.
    const readAgain = await readWith({ status: failed });
    expect(ready(compose(readAgain, { now: later, hindrance: { kind: 'untried' } }))).toEqual(ready(failed));
    expect(ready(compose(read, { hindrance: { kind: 'untried' } }))).toMatchObject({ status: 'True' });
    // While somebody else is at work nothing fails any more; whether it would be refused is not known.
    const held = { now: later, hindrance: { kind: 'held' } } as const;
    expect(ready(compose(readAgain, held))).toMatchObject({ status: 'True' });
    expect(ready(compose(await readWith({ status: refused }), held))).toEqual(ready(refused));
    const nothing = compose(await readWith({ spec: specWith({ more: '' }) }));
    expect(ready(nothing)).toMatchObject({ status: 'False', reason: 'NothingInForce' });
  });

  it('is the same once it is read again, so that it is not written without end', async () => {
    const facts = {
      lastRun: run('monthly-2026-10'),
      coverage: { nodes: 3, overdue: 1 },
      trigger: { id: 't1', time: '2026-10-20T12:00:00.000Z', answer: 'started: run monthly-2026-10' },
    };
    for (const spec of [specWith(), specWith({ more: '' })]) {
      const status = compose(await readWith({ spec, generation: 3 }), facts);
      expect(playbookStatusSchema.parse(status)).toEqual(status);
      const read = await readWith({ spec, generation: 3, status: statusOf(playbookObject({ status })) });
      expect(compose(read, { ...facts, now: later })).toEqual(status);
      // Another process knows none of the facts.
      expect(compose(read, { now: later })).toEqual(status);
    }
  });

  it('keeps the spec of the former version while the newest has mistakes', async () => {
    const before = compose(await readWith({ generation: 1 }));
    const read = await readWith({
      spec: specWith({ more: '' }),
      generation: 2,
      former: { generation: 1, spec: JSON.parse(before.inForce?.spec ?? '') as unknown },
      status: before,
    });
    expect(compose(read, { now: later })).toMatchObject({
      observedGeneration: 2,
      inForce: before.inForce,
      nextWindow: before.nextWindow,
      conditions: [
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-10-20T12:00:00.000Z' },
        { type: 'Valid', status: 'False', reason: 'NoJournal', lastTransitionTime: '2026-10-20T13:00:00.000Z' },
      ],
    });
  });

  it.each<{ title: string; before: string | undefined; found: string | undefined; told: string | undefined }>([
    { title: 'is the newest', before: 'monthly-2026-09', found: 'monthly-2026-10', told: 'monthly-2026-10' },
    {
      title: 'replaced another of its month',
      before: 'monthly-2026-10',
      found: 'monthly-2026-10-x1',
      told: 'monthly-2026-10-x1',
    },
    { title: 'was deleted', before: 'monthly-2026-10', found: 'monthly-2026-09', told: 'monthly-2026-10' },
    { title: 'was deleted as the only one', before: 'monthly-2026-10', found: undefined, told: 'monthly-2026-10' },
    { title: 'is none', before: undefined, found: undefined, told: undefined },
  ])('tells of the last run where it $title', async ({ before, found, told }) => {
    const status = before === undefined ? {} : { lastRun: run(before) };
    const composed = compose(await readWith({ status }), { lastRun: found === undefined ? undefined : run(found) });
    expect(composed.lastRun?.name).toBe(told);
  });
});

describe('a status that another version wrote', () => {
  it('is read field by field: what is in force is not lost for a trigger that is not understood', () => {
    const inForce = { generation: 1, since: 'x', spec: '{}' };
    const status = { inForce, trigger: { id: 7 }, conditions: 'none', novelty: true };
    expect(statusOf(playbookObject({ status }))).toEqual({ inForce });
    expect(statusOf(playbookObject({ status: 'none' }))).toEqual({});
    expect(statusOf(playbookObject())).toEqual({});
  });
});
