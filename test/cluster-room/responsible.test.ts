import { describe, expect, it } from 'vitest';
import { parseOwner } from '../../src/cluster/parseOwner.js';
import { parsePod } from '../../src/cluster/parsePod.js';
import { parseNamespace } from '../../src/cluster/parseStorage.js';
import { responsibleOf } from '../../src/cluster/responsible.js';

describe('who answers for an object', () => {
  it.each([
    { title: 'nobody, where nothing is said', metadata: {}, said: {} },
    {
      title: 'its labels',
      metadata: { labels: { team: 'payments', app: 'cart', 'app.kubernetes.io/part-of': 'web-shop' } },
      said: { team: 'payments', 'app.kubernetes.io/part-of': 'web-shop' },
    },
    {
      title: 'its annotations, where no label says it',
      metadata: { labels: { team: 'payments' }, annotations: { team: 'old', 'a8r.io/owner': '#payments' } },
      said: { team: 'payments', 'a8r.io/owner': '#payments' },
    },
    {
      title: 'nothing that was not meant for that',
      metadata: { annotations: { 'db-password': 'hunter2', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
      said: {},
    },
    { title: 'nothing, where the value is empty', metadata: { labels: { team: ' ' } }, said: {} },
    {
      title: 'no more than has room',
      metadata: { annotations: { owner: 'x'.repeat(5000) } },
      said: { owner: 'x'.repeat(200) },
    },
  ])('is $title', ({ metadata, said }) => {
    expect(responsibleOf(metadata)).toEqual(said);
  });

  it('is kept with namespaces and owners, where they say it', () => {
    const metadata = { name: 'shop', labels: { team: 'payments' }, annotations: { secret: 'x', contact: '#pay' } };
    expect(parseNamespace({ metadata }).responsible).toEqual({ team: 'payments', contact: '#pay' });
    expect(parseOwner({ metadata: { ...metadata, namespace: 'shop' } }, 'Deployment').responsible).toEqual({
      team: 'payments',
      contact: '#pay',
    });
    expect(parseNamespace({ metadata: { name: 'bank' } })).not.toHaveProperty('responsible');
  });
});

describe('what the probes of a pod wait for', () => {
  const container = (probes: Record<string, number>) => ({
    name: 'main',
    ...Object.fromEntries(
      Object.entries(probes).map(([probe, initialDelaySeconds]) => [probe, { initialDelaySeconds }]),
    ),
  });

  it.each([
    { title: 'no probe', containers: [container({})], delay: undefined },
    { title: 'a delay of readiness', containers: [container({ readinessProbe: 20 })], delay: 20 },
    {
      title: 'both, which run at the same time',
      containers: [container({ readinessProbe: 20, startupProbe: 30 })],
      delay: 30,
    },
    {
      title: 'the slowest container',
      containers: [container({ readinessProbe: 5 }), container({ startupProbe: 40 })],
      delay: 40,
    },
    { title: 'liveness, which makes nothing Ready', containers: [container({ livenessProbe: 90 })], delay: undefined },
  ])('counts: $title', ({ containers, delay }) => {
    const pod = parsePod({ metadata: { name: 'web-0', namespace: 'shop' }, spec: { containers } });
    expect(pod.startupDelaySeconds).toBe(delay);
  });
});
