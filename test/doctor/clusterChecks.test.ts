import { describe, expect, it } from 'vitest';
import type { Rebooters } from '../../src/cluster/rebooters.js';
import { judgeInstallation, judgeLease, judgeNamespace, judgePermissions } from '../../src/doctor/accessChecks.js';
import { judgeClusterUid, judgeReachable, judgeReadiness, judgeVersion } from '../../src/doctor/apiChecks.js';
import { judgeRebooters } from '../../src/doctor/rebooterChecks.js';
import { clusterView, node, takenAt } from '../drain/clusterFixtures.js';

const target = { server: 'https://10.0.0.1:6443', context: 'bank', user: 'anna' };
const unreachable = { kind: 'unreachable', message: 'GET /version: connect ECONNREFUSED' } as const;
const forbidden = { kind: 'forbidden', message: 'anna may not' } as const;
const yes = { kind: 'ok', value: true } as const;
const no = { kind: 'ok', value: false } as const;

describe('the API server', () => {
  it('answers, at which address, how fast and to whom', () => {
    const version = { kind: 'ok', value: 'v1.36.3' } as const;
    expect(judgeReachable({ target, version, roundTripMs: 4.4 })).toEqual({
      check: 'api-reachable',
      state: 'ok',
      message: 'https://10.0.0.1:6443 answers in 4 ms (context bank, user anna).',
    });
    expect(judgeReachable({ target, version, roundTripMs: undefined }).message).not.toContain(' ms');
  });

  it('does not answer', () => {
    expect(judgeReachable({ target, version: unreachable, roundTripMs: undefined })).toMatchObject({
      state: 'failed',
      message:
        'The API server https://10.0.0.1:6443 (context bank) does not answer: GET /version: connect ECONNREFUSED',
    });
  });

  it('is ready or not', () => {
    expect(judgeReadiness({ kind: 'ok', value: 'ok' }).state).toBe('ok');
    expect(judgeReadiness({ kind: 'refused', status: 500, message: 'etcd failed' })).toMatchObject({
      state: 'warning',
      message: 'The API server does not call itself ready: etcd failed',
    });
  });

  it.each([
    [yes, yes, 'ok', 'it serves evictions by policy/v1 and admission policies'],
    [no, yes, 'failed', 'does not serve evictions by policy/v1 (Kubernetes 1.22).'],
    [yes, no, 'failed', 'does not serve ValidatingAdmissionPolicy'],
    [no, no, 'failed', '(Kubernetes 1.22), nor Validating'],
    [unreachable, yes, 'skipped', 'what it serves cannot be read'],
    [yes, forbidden, 'skipped', 'anna may not'],
  ])('serves evictions %j and admission policies %j', (evictions, admissionPolicies, state, says) => {
    const judged = judgeVersion('v1.21.0', { evictions, admissionPolicies });
    expect(judged).toMatchObject({ check: 'server-version', state });
    expect(judged.message).toContain('v1.21.0');
    expect(judged.message).toContain(says);
  });

  it.each([
    [{ kind: 'ok', value: 'this' } as const, 'this', 'ok'],
    [{ kind: 'ok', value: 'this' } as const, 'that', 'failed'],
    [{ kind: 'ok', value: 'this' } as const, undefined, 'warning'],
    [forbidden, 'this', 'failed'],
    [forbidden, undefined, 'failed'],
  ])('is the cluster %j where the playbook says %s', (uid, expected, state) => {
    expect(judgeClusterUid(uid, expected)).toMatchObject({ check: 'cluster-uid', state });
  });

  it('tells the uid to write into a playbook that names none', () => {
    expect(judgeClusterUid({ kind: 'ok', value: 'this' }, undefined).hint).toContain('spec.cluster.uid: this');
  });
});

describe('the permissions of a run', () => {
  const asked = { user: 'anna', wanted: 3 };
  const evict = { verb: 'create', group: '', resource: 'pods', subresource: 'eviction' };
  const lease = { verb: 'update', group: 'coordination.k8s.io', resource: 'leases', namespace: 'turnus-system' };
  const surge = (verb: string) => ({ verb, group: 'apps', resource: 'deployments' });

  it('are counted where they are there', () => {
    expect(judgePermissions({ ...asked, missing: { kind: 'ok', value: [] } })).toEqual([
      { check: 'permission', state: 'ok', message: 'anna has 3 of the 3 permissions that a run needs.' },
    ]);
  });

  it('are named one by one where they are missing, with the word of the authorizer and what to do', () => {
    const missing = [
      { permission: evict, reason: '' },
      { permission: lease, reason: 'no rule matched' },
    ];
    expect(judgePermissions({ ...asked, missing: { kind: 'ok', value: missing } })).toMatchObject([
      { state: 'ok', message: 'anna has 1 of the 3 permissions that a run needs.' },
      {
        state: 'failed',
        message: 'anna may not create pods/eviction.',
        hint: expect.stringContaining('--print') as string,
      },
      {
        state: 'failed',
        message: 'anna may not update leases.coordination.k8s.io in namespace turnus-system (no rule matched).',
      },
    ]);
  });

  it.each(['get', 'patch'])('hint at the option where surging needs one: %s', (verb) => {
    const missing = { kind: 'ok', value: [{ permission: surge(verb), reason: '' }] } as const;
    expect(judgePermissions({ user: 'anna', wanted: 1, missing })).toMatchObject([
      { state: 'failed', hint: expect.stringContaining('turnus install --with surge') as string },
    ]);
  });

  it('are not known where the server does not say', () => {
    expect(judgePermissions({ ...asked, missing: forbidden })).toMatchObject([
      { state: 'failed', hint: expect.stringContaining('system:basic-user') as string },
    ]);
    const broken = { kind: 'refused', status: 500, message: 'failed calling webhook "guard"' } as const;
    expect(judgePermissions({ ...asked, missing: broken })).toMatchObject([
      {
        state: 'failed',
        message: expect.stringContaining('webhook "guard"') as string,
        hint: expect.not.stringContaining('basic-user') as string,
      },
    ]);
  });
});

describe('what is installed', () => {
  it('is usable or says what is wrong', () => {
    expect(judgeInstallation({ kind: 'installed', namespace: 'turnus-system', schema: 3 })).toMatchObject({
      state: 'ok',
      message: 'The CRDs of Turnus are installed in schema 3; its objects are in namespace turnus-system.',
    });
    expect(judgeInstallation({ kind: 'not-usable', message: 'It is older.', hint: 'Run it.' })).toEqual({
      check: 'custom-resources',
      state: 'failed',
      message: 'It is older.',
      hint: 'Run it.',
    });
  });

  it.each([
    [{ kind: 'ok', value: { metadata: {}, status: { phase: 'Active' } } } as const, 'ok'],
    [{ kind: 'ok', value: { metadata: {}, status: { phase: 'Terminating' } } } as const, 'failed'],
    [{ kind: 'not-found', message: 'no' } as const, 'failed'],
    [forbidden, 'skipped'],
  ])('has a namespace: %j', (answer, state) => {
    expect(judgeNamespace('turnus-system', answer)).toMatchObject({ check: 'namespace', state });
  });

  it.each([
    [{ kind: 'free' } as const, 'ok', 'Nobody holds the Lease turnus-system/turnus'],
    [{ kind: 'alive', holder: 'berta', renewedAt: takenAt } as const, 'ok', 'berta holds'],
    [{ kind: 'silent', holder: 'berta', renewedAt: takenAt - 90_000 } as const, 'ok', 'for 1 min 30 s'],
    [{ kind: 'silent', holder: 'berta', renewedAt: undefined } as const, 'ok', 'has not renewed it: another'],
    [{ kind: 'unknown', failure: forbidden } as const, 'skipped', 'anna may not'],
  ])('has a Lease: %j', (sight, state, says) => {
    const judged = judgeLease('turnus-system/turnus', sight, takenAt);
    expect(judged.state).toBe(state);
    expect(judged.message).toContain(says);
  });
});

describe('what else takes nodes down', () => {
  const nodes = [node('node-1'), node('node-2')];
  const none: Rebooters = { upgradePlans: [], machineHealthChecks: [], unread: [] };
  const judged = (changes: Partial<Rebooters>) =>
    judgeRebooters({
      view: clusterView({ nodes }),
      nodes,
      rebooters: { ...none, ...changes },
      reboot: { when: 'required', timeoutMs: 1_800_000 },
    });

  it('is nothing', () => {
    expect(judged({})).toMatchObject([{ check: 'other-rebooter', state: 'ok' }]);
  });

  it('is named once, however many nodes it is about', () => {
    const check = {
      namespace: 'infra',
      name: 'mhc',
      group: 'cluster.x-k8s.io',
      notReadyTimeoutMs: 300_000,
      paused: false,
    };
    expect(judged({ machineHealthChecks: [check] })).toMatchObject([
      { state: 'warning', message: expect.stringContaining('MachineHealthCheck infra/mhc') as string },
    ]);
  });

  it('is not known where it may not be read', () => {
    const unread = [{ resource: 'plans.upgrade.cattle.io', forbidden: true, message: 'anna may not' }];
    expect(judged({ unread })).toMatchObject([{ state: 'skipped', hint: expect.stringMatching(/\S/) as string }]);
  });
});
