import { describe, expect, it } from 'vitest';
import type { Finding, FindingCode } from '../../src/gates/finding.js';
import { blockedBy } from '../../src/run/steps/blockedBy.js';

function finding(code: FindingCode): Finding {
  return { code, severity: 'block', objects: [], message: `What ${code} says.`, hint: `What helps against ${code}.` };
}

describe('findings that block a step', () => {
  it('defer the node where all of them may pass by themselves', () => {
    expect(blockedBy([finding('budget-not-now'), finding('replica-spread')]).kind).toBe('deferred');
  });

  it('block the node where one of them needs a person', () => {
    expect(blockedBy([finding('budget-not-now'), finding('budget-never')]).kind).toBe('blocked');
  });

  it('are all told, each with what to do', () => {
    expect(blockedBy([finding('budget-never'), finding('host-is-not-node')])).toEqual({
      kind: 'blocked',
      message:
        'What budget-never says. What helps against budget-never. What host-is-not-node says. What helps against host-is-not-node.',
    });
  });

  it.each<FindingCode>([
    'host-key-mismatch',
    'host-is-not-node',
    'control-plane-node',
    'own-node',
    'already-cordoned',
    'node-held',
    'unmanaged-pod',
    'budget-conflict',
  ])('named %s are never passed by waiting', (code) => {
    expect(blockedBy([finding(code)]).kind).toBe('blocked');
  });
});
