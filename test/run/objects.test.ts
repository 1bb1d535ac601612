import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { runName } from '../../src/run/identity.js';
import { newRun, newTurn, parseRun, parseTurn, runFinalizer, type RunObject } from '../../src/run/objects.js';
import type { RunSpec } from '../../src/run/state.js';
import { TurnusError } from '../../src/turnusError.js';
import { runSpec } from './runFixtures.js';

const namespace = 'turnus-system';
const dnsSubdomain = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** The object as the API server would answer it: through JSON, with what the server sets. */
function stored(object: ApiObject, changes: Record<string, unknown> = {}): ApiObject {
  const shape = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });
  const read = shape.parse(JSON.parse(JSON.stringify(object)));
  return { ...read, ...changes, metadata: { ...read.metadata, uid: 'uid-1', resourceVersion: '7' } };
}

function run(name: string, spec: RunSpec = runSpec): RunObject {
  return parseRun(stored(newRun({ name, namespace, spec })));
}

function turnFor(node: string, runObject = run('monthly-2026-11')): ApiObject {
  return newTurn({
    run: runObject,
    namespace,
    spec: { run: runObject.name, node, nodeUid: 'uid-of-node', rehearsal: false },
  });
}

describe('a new run', () => {
  it('is read as it was written, Planned and held by nobody', () => {
    expect(run('monthly-2026-11')).toEqual({
      name: 'monthly-2026-11',
      uid: 'uid-1',
      resourceVersion: '7',
      finalizers: [],
      terminating: false,
      spec: runSpec,
      status: { phase: 'Planned' },
    });
  });

  it('keeps every text of its spec', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            requester: fc.string({ unit: 'grapheme' }),
            change: fc.string({ unit: 'grapheme' }),
            reason: fc.string({ unit: 'grapheme' }),
          },
          { requiredKeys: ['requester'] },
        ),
        (texts) => {
          const spec = { ...runSpec, ...texts };
          expect(run('monthly-2026-11', spec).spec).toEqual(spec);
        },
      ),
    );
  });
});

describe('a run in the cluster', () => {
  it('says who holds it and that it is being deleted', () => {
    const object = stored(newRun({ name: 'monthly-2026-11', namespace, spec: runSpec }));
    const deleted = {
      ...object,
      metadata: { ...object.metadata, finalizers: [runFinalizer], deletionTimestamp: '2026-11-10T21:00:00Z' },
    };
    expect(parseRun(deleted)).toMatchObject({ finalizers: [runFinalizer], terminating: true });
  });

  it.each([
    { title: 'has no spec', changes: { spec: undefined } },
    { title: 'has no plan hash', changes: { spec: { ...runSpec, planHash: undefined } } },
    { title: 'has a status without a phase', changes: { status: {} } },
    { title: 'has counts that are no numbers', changes: { status: { phase: 'Running', counts: { total: 'many' } } } },
  ])('is refused by name where it $title', ({ changes }) => {
    const object = stored(newRun({ name: 'monthly-2026-11', namespace, spec: runSpec }), changes);
    const error = errorOf(() => parseRun(object));
    expect(error).toMatchObject({ code: 'object-unreadable', exitCode: 1 });
    expect(error.message).toContain('MaintenanceRun monthly-2026-11');
  });
});

describe('a new turn', () => {
  it('is read as it was written, and Pending', () => {
    const turn = parseTurn(stored(turnFor('node-1')));
    expect(turn.spec).toEqual({ run: 'monthly-2026-11', node: 'node-1', nodeUid: 'uid-of-node', rehearsal: false });
    expect(turn.status).toEqual({ phase: 'Pending' });
  });

  it('is owned by its run', () => {
    expect(turnFor('node-1').metadata.ownerReferences).toEqual([
      {
        apiVersion: 'turnus.dev/v1alpha1',
        kind: 'MaintenanceRun',
        name: 'monthly-2026-11',
        uid: 'uid-1',
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
  });

  it('has the same name for the same run and node, so that a run has one turn a node', () => {
    expect(turnFor('node-1').metadata.name).toBe(turnFor('node-1').metadata.name);
  });

  it('has another name for another node and for another run', () => {
    const names = [turnFor('node-1'), turnFor('node-2'), turnFor('node-1', run('monthly-2026-12'))].map(
      ({ metadata }) => metadata.name,
    );
    expect(new Set(names).size).toBe(3);
  });

  it('has a name and labels that the API server takes, for every playbook name and node name', () => {
    const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?$/);
    const nodeName = fc
      .array(part, { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join('.').slice(0, 253))
      .filter((name) => dnsSubdomain.test(name));
    const playbookName = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/);
    fc.assert(
      fc.property(playbookName, nodeName, fc.option(fc.integer({ min: 1, max: 9999 }), { nil: undefined }), takesNames),
      { examples: [['p'.repeat(40), `${'n'.repeat(63)}.`.repeat(3) + 'n'.repeat(61), 9999]] },
    );
  });
});

function takesNames(playbook: string, node: string, rehearsal: number | undefined): void {
  const name = runName({ playbook, period: '2026-11', number: rehearsal ?? 0, rehearsal: rehearsal !== undefined });
  const { metadata } = turnFor(node, run(name));
  expect(metadata.name).toMatch(dnsSubdomain);
  for (const value of Object.values(metadata.labels ?? {})) expect(value).toMatch(labelValue);
}

function errorOf(action: () => unknown): TurnusError {
  try {
    action();
  } catch (error) {
    if (error instanceof TurnusError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
