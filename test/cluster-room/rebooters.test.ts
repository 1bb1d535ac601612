import { describe, expect, it } from 'vitest';
import { parseMachineHealthCheck, parseUpgradePlan } from '../../src/cluster/rebooters.js';

const metadata = { namespace: 'machines', name: 'workers' };

describe('a MachineHealthCheck', () => {
  const timeoutOf = (spec: unknown) =>
    parseMachineHealthCheck({ metadata, spec }, 'cluster.x-k8s.io').notReadyTimeoutMs;

  it.each<{ title: string; spec: unknown; timeoutMs: number | undefined }>([
    {
      title: 'of Cluster API v1beta1 and of OpenShift has Go durations',
      spec: { unhealthyConditions: [{ type: 'Ready', status: 'Unknown', timeout: '5m0s' }] },
      timeoutMs: 300_000,
    },
    {
      title: 'of Cluster API v1beta2 has seconds',
      spec: { checks: { unhealthyNodeConditions: [{ type: 'Ready', status: 'False', timeoutSeconds: 600 }] } },
      timeoutMs: 600_000,
    },
    {
      title: 'acts after the shortest of its times',
      spec: {
        unhealthyConditions: [
          { type: 'Ready', status: 'Unknown', timeout: '1h' },
          { type: 'Ready', status: 'False', timeout: '480s' },
        ],
      },
      timeoutMs: 480_000,
    },
    {
      title: 'that looks at other conditions says nothing about a node that boots',
      spec: { unhealthyConditions: [{ type: 'DiskPressure', status: 'True', timeout: '60s' }] },
      timeoutMs: undefined,
    },
    {
      title: 'that looks at nodes that are Ready says nothing about a node that boots',
      spec: { unhealthyConditions: [{ type: 'Ready', status: 'True', timeout: '60s' }] },
      timeoutMs: undefined,
    },
    {
      title: 'whose time cannot be read says nothing',
      spec: { unhealthyConditions: [{ type: 'Ready', status: 'Unknown', timeout: 'soon' }] },
      timeoutMs: undefined,
    },
    { title: 'without conditions says nothing', spec: {}, timeoutMs: undefined },
    { title: 'without a spec says nothing', spec: undefined, timeoutMs: undefined },
  ])('$title', ({ spec, timeoutMs }) => {
    expect(timeoutOf(spec)).toBe(timeoutMs);
  });

  it.each([
    ['300s', 300_000],
    ['1h30m', 5_400_000],
    ['2.5m', 150_000],
    ['1m1500ms', 61_500],
    ['90', undefined],
    ['-5m', undefined],
    ['', undefined],
  ])('reads the Go duration %o as %o ms', (timeout, timeoutMs) => {
    expect(timeoutOf({ unhealthyConditions: [{ type: 'Ready', status: 'Unknown', timeout }] })).toBe(timeoutMs);
  });

  it('is paused by an annotation, whatever its value', () => {
    const annotations = { 'cluster.x-k8s.io/paused': '' };
    expect(parseMachineHealthCheck({ metadata: { ...metadata, annotations } }, 'machine.openshift.io')).toEqual({
      namespace: 'machines',
      name: 'workers',
      group: 'machine.openshift.io',
      notReadyTimeoutMs: undefined,
      paused: true,
    });
  });
});

describe('a Plan of the system-upgrade-controller', () => {
  it('means the nodes of its selector', () => {
    const spec = { nodeSelector: { matchLabels: { pool: 'workers' } } };
    expect(parseUpgradePlan({ metadata, spec }).nodeSelector).toEqual({
      matchLabels: { pool: 'workers' },
      matchExpressions: [],
    });
  });

  it('without a selector means no node', () => {
    expect(parseUpgradePlan({ metadata, spec: {} }).nodeSelector).toBeUndefined();
  });
});
