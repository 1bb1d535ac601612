import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMergePatch } from '../../src/sandbox/api/mergePatch.js';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { readTrigger, triggerAnswerIn, triggerPatch, type Trigger } from '../../src/run/trigger.js';

const written = {
  'turnus.dev/trigger-id': '1',
  'turnus.dev/trigger-by': 'ada',
  'turnus.dev/trigger-reason': 'a fix that cannot wait',
};

const read = {
  id: '1',
  by: 'ada',
  reason: 'a fix that cannot wait',
  overrideFreezes: [],
  replace: false,
  startBefore: undefined,
};

function playbook(annotations?: Record<string, unknown>): ApiObject {
  return {
    metadata: { name: 'monthly', uid: 'u', resourceVersion: '7', ...(annotations && { annotations }) },
  } as ApiObject;
}

describe('the trigger on a playbook', () => {
  it('is what was written', () => {
    expect(readTrigger(playbook(written))).toEqual({
      kind: 'trigger',
      trigger: read,
    });
    const freezes = { 'turnus.dev/trigger-override-freeze': '["Year end","Bank holidays"]' };
    expect(readTrigger(playbook({ ...written, ...freezes }))).toMatchObject({
      trigger: { overrideFreezes: ['Year end', 'Bank holidays'] },
    });
    const more = {
      'turnus.dev/trigger-replace': 'true',
      'turnus.dev/trigger-start-before': '2026-11-10T23:00:00+01:00',
    };
    expect(readTrigger(playbook({ ...written, ...more }))).toMatchObject({
      trigger: { replace: true, startBefore: Date.parse('2026-11-10T22:00:00Z') },
    });
  });

  it.each<{ title: string; annotations: Record<string, unknown> | undefined }>([
    { title: 'has no annotation', annotations: undefined },
    { title: 'has others', annotations: { note: 'x' } },
    { title: 'has an empty id', annotations: { ...written, 'turnus.dev/trigger-id': '' } },
    { title: 'has no text as id', annotations: { ...written, 'turnus.dev/trigger-id': 7 } },
  ])('is none where it $title', ({ annotations }) => {
    expect(readTrigger(playbook(annotations))).toEqual({ kind: 'none' });
  });

  it.each<{ title: string; changes: Record<string, unknown>; says: RegExp }>([
    { title: 'nobody asks', changes: { 'turnus.dev/trigger-by': undefined }, says: /trigger-by does not say who/ },
    { title: 'no name is so long', changes: { 'turnus.dev/trigger-by': 'n'.repeat(301) }, says: /does not say who/ },
    {
      title: 'there is no reason',
      changes: { 'turnus.dev/trigger-reason': ' ' },
      says: /trigger-reason does not say why/,
    },
    {
      title: 'the reason is a book',
      changes: { 'turnus.dev/trigger-reason': 'r'.repeat(1001) },
      says: /more than 1000/,
    },
    ...[
      'Year end',
      '{}',
      '"Year end"',
      '[1]',
      '[""]',
      'null',
      JSON.stringify(Array.from({ length: 51 }, () => 'a')),
    ].map((freezes) => ({
      title: `the freezes are ${freezes}`,
      changes: { 'turnus.dev/trigger-override-freeze': freezes },
      says: /trigger-override-freeze is no JSON list of names of freezes/,
    })),
    {
      title: 'it is not said plainly',
      changes: { 'turnus.dev/trigger-replace': 'yes' },
      says: /neither true nor false/,
    },
    ...['tomorrow', '2026-11-10', '2026-11-10T22:00:00', '2026-13-10T22:00:00Z', ''].map((time) => ({
      title: `the time is ${time}`,
      changes: { 'turnus.dev/trigger-start-before': time },
      says: /trigger-start-before is no time such as/,
    })),
  ])('is unusable where $title', ({ changes, says }) => {
    expect(readTrigger(playbook({ ...written, ...changes }))).toEqual({
      kind: 'unusable',
      id: '1',
      problem: expect.stringMatching(says) as string,
    });
  });

  it('is known by no more of an id than could be an answer', () => {
    const long = { ...written, 'turnus.dev/trigger-id': 'i'.repeat(100_000) };
    expect(readTrigger(playbook(long))).toMatchObject({ kind: 'unusable', id: 'i'.repeat(100) });
  });

  it('is never an exception, whatever stands there', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(written), '__proto__'), fc.anything()),
        (annotations) => {
          expect(['none', 'trigger', 'unusable']).toContain(readTrigger(playbook(annotations)).kind);
        },
      ),
    );
  });
});

describe('the patch of a trigger', () => {
  const text = fc.string({ minLength: 1, maxLength: 50 }).filter((value) => value.trim() !== '');

  it('writes what is read again, whatever was triggered before, and nothing else', () => {
    const trigger: fc.Arbitrary<Trigger> = fc.record({
      id: fc.uuid(),
      by: text,
      reason: text,
      overrideFreezes: fc.array(text, { maxLength: 3 }),
      replace: fc.boolean(),
      startBefore: fc.option(fc.integer({ min: 0, max: Date.parse('9999-01-01') }), { nil: undefined }),
    });
    fc.assert(
      fc.property(trigger, trigger, (former, latter) => {
        const start = { ...playbook({ note: 'x' }), spec: { drain: {} } };
        const patched = [former, latter].reduce<ApiObject>((object, each) => {
          const patch = triggerPatch(each, object);
          return applyMergePatch(object, patch.type === 'merge' ? patch.body : {}) as ApiObject;
        }, start);
        expect(readTrigger(patched)).toEqual({ kind: 'trigger', trigger: latter });
        expect(patched).toMatchObject({ spec: start.spec, metadata: { uid: 'u', annotations: { note: 'x' } } });
      }),
    );
  });

  it('holds only for the object as it was read', () => {
    const patch = triggerPatch({ ...read, reason: 'r' }, playbook());
    expect(patch).toMatchObject({ body: { metadata: { resourceVersion: '7', uid: 'u' } } });
  });
});

describe('the answer to a trigger', () => {
  const answered = (trigger: unknown) => ({ ...playbook(written), status: { trigger } });
  const trigger = { id: '1', time: '2026-11-10T22:00:00Z', answer: 'started', run: 'monthly-2026-11' };

  it('is that with its id', () => {
    expect(triggerAnswerIn(answered(trigger), '1')).toEqual({ answer: 'started', run: 'monthly-2026-11' });
    expect(triggerAnswerIn(answered(trigger), '2')).toBeUndefined();
  });

  it.each([undefined, null, {}, { id: '1' }, 'started', { ...trigger, answer: 5 }])('is none in %j', (status) => {
    expect(triggerAnswerIn(answered(status), '1')).toBeUndefined();
    expect(triggerAnswerIn({ ...playbook(), status }, '1')).toBeUndefined();
  });
});
