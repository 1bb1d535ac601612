import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApi } from '../../cluster/api.js';
import { createAllOn } from '../../cluster/gather.js';
import { turnsOf } from '../../cluster/runReport.js';
import { waitFor } from '../../cluster/waitFor.js';
import { createReady, waitForReady } from '../../cluster/waitForReady.js';
import { barePod, daemonSet, deployment, job } from '../../cluster/workloads.js';
import type { OpenMaintainedSide } from '../side.js';
import { watchBoots } from './bootWatch.js';
import type { BootWatch } from './bootWatch.js';
import { maintained } from './maintained.js';

const pace = { startMs: 200, stopMs: 200 };

interface PlannedNode {
  node: string;
  verdict: string;
  findings: { code: string; severity: string; objects: string[]; message: string; hint: string }[];
}

/** What the playbook and the API server ask for some pods and namespaces, and what comes of their nodes. */
export function describePolicies(place: string, openSide: OpenMaintainedSide): void {
  describe(`policies on ${place}`, { timeout: 120_000 }, () => {
    const given = maintained(openSide);
    let boots: BootWatch;

    beforeAll(async () => {
      boots = await watchBoots(given().side.api);
    });

    afterAll(async () => {
      await boots.stop();
    });

    const planned = async (path: string, exitCode: number): Promise<PlannedNode[]> => {
      const { stdout } = await given().run(['plan', '-f', path, '-o', 'json'], exitCode);
      return (JSON.parse(stdout) as { nodes: PlannedNode[] }).nodes;
    };
    const findings = async (path: string, exitCode: number, code: string): Promise<string[]> =>
      (await planned(path, exitCode)).flatMap(({ node, findings: all }) =>
        all
          .filter((finding) => finding.code === code)
          .map(({ severity, objects }) => `${node}: ${severity} ${objects.join(', ')}`),
      );

    it('a customer whose singletons stay and the only backend of a webhook keep their nodes; the others are done', async () => {
      const { side, playbook } = given();
      await side.createNamespace('acme', { team: 'acme' });
      await side.createNamespace('guard');
      await createAllOn(side, 'node-1', [deployment({ name: 'ledger', namespace: 'acme', replicas: 1, ...pace })]);
      await createAllOn(side, 'node-2', [deployment({ name: 'blog', replicas: 1, ...pace })]);
      const hook = deployment({ name: 'hook', namespace: 'guard', replicas: 1, ...pace });
      await createAllOn(side, 'node-3', [hook]);
      await failClosed(side.api);
      const overrides = [{ namespaces: { team: 'acme' }, singletons: 'block', minReadyElsewhere: '100%' }];
      const customers = await playbook('customers', {
        spec: { gates: { overrides }, nodes: { maxUnavailable: 1 } },
      });

      expect(await findings(customers.path, 3, 'singleton-blocked')).toMatchObject([
        expect.stringMatching(/^node-1: block Deployment acme\/ledger, Pod acme\/ledger-/),
      ]);
      expect(await findings(customers.path, 3, 'last-webhook-backend')).toMatchObject([
        expect.stringMatching(
          /^node-3: block Service guard\/hook, APIService v1\.stock\.example, ValidatingWebhookConfiguration guard, Pod guard\/hook-.*Deployment guard\/hook$/,
        ),
      ]);
      const blocked = (await planned(customers.path, 3)).find(({ node }) => node === 'node-1');
      expect(blocked?.findings[0]?.hint).toContain('spec.gates.overrides[0].singletons to surge or allow');
      await customers.toEndHere(3);
      expect((await customers.phases()).sort()).toEqual([
        'node-1 Blocked',
        'node-2 Done',
        'node-3 Blocked',
        'node-4 Done',
      ]);
      expect(side.nodeNames.map((node) => boots.boots(node))).toEqual([0, 1, 0, 1]);
      const evicted = (await customers.journal()).filter(({ type }) => type === 'pod.evicting');
      expect(evicted.filter(({ pod = '' }) => /^(acme|guard)\//.test(pod))).toEqual([]);
      expect(evicted.filter(({ pod = '' }) => pod.startsWith('default/blog-')).length).toBeGreaterThan(0);

      // A label of the namespace and a second backend let both go.
      await side.api.patch({ kind: 'Namespace', name: 'acme' }, { body: { metadata: { labels: { team: 'zoo' } } } });
      await side.api.patch(
        { kind: 'Deployment', name: 'hook', namespace: 'guard' },
        { body: { spec: { replicas: 2 } } },
      );
      const two = deployment({ name: 'hook', namespace: 'guard', replicas: 2 });
      await waitForReady({ api: side.api, objects: [two] });
      await customers.toEndHere(0);
      expect((await customers.phases()).map((phase) => phase.split(' ')[1])).toEqual(['Done', 'Done', 'Done', 'Done']);
      await customers.expectIntactJournal();
      await side.api.delete({ kind: 'ValidatingWebhookConfiguration', name: 'guard' });
      await side.api.delete({ kind: 'APIService', name: 'v1.stock.example' });
    });

    it('pods that are left, waited for, evicted against their wish, or keep their node', async () => {
      const { side, playbook } = given();
      const { api } = side;
      const before = boots.boots('node-2');
      const labels = (treatment: string) => ({ labels: { treatment }, ...pace });
      await createAllOn(side, 'node-2', [
        deployment({ name: 'cache', replicas: 1, ...labels('leave') }),
        job({ name: 'batch', runForMs: 4000, ...labels('wait') }),
        barePod({
          name: 'scratch',
          annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' },
          localData: 'emptyDir',
          ...labels('evict'),
        }),
      ]);
      await createAllOn(side, 'node-4', [barePod({ name: 'trade', ...labels('block') })]);
      const left = await podsOf(api, 'app=cache');
      const overrides = ['leave', 'wait', 'evict', 'block'].map((treatment) => ({
        selector: `treatment=${treatment}`,
        do: treatment,
      }));
      const treated = await playbook('treated', {
        nodes: ['node-2', 'node-4'],
        spec: { drain: { timeout: '1m', jobPods: 'block', localData: 'block', overrides } },
      });

      await treated.toEndHere(3);
      expect((await treated.phases()).sort()).toEqual(['node-2 Done', 'node-4 Blocked']);
      expect(boots.boots('node-2') - before).toBe(1);
      const turns = await turnsOf(side, 'treated');
      const [done, blocked] = ['node-2', 'node-4'].map((name) => turns.find(({ node }) => node === name));
      expect(done?.findings?.map(({ code, severity }) => `${severity} ${code}`)).toEqual(
        expect.arrayContaining([
          'caution left-by-policy',
          'caution objection-overruled',
          'caution pod-awaited',
          'caution unmanaged-pod',
        ]),
      );
      expect(blocked?.findings?.[0]).toMatchObject({ code: 'pod-blocked', objects: ['Pod default/trade'] });

      const journal = await treated.journal();
      const evicted = journal.filter(({ type }) => type === 'pod.evicting').map(({ pod = '' }) => pod);
      expect(evicted).toContain('default/scratch');
      expect(evicted.filter((pod) => /\/(cache|batch|trade)/.test(pod))).toEqual([]);
      expect(journal.find(({ type }) => type === 'drain.finished')).toMatchObject({
        node: 'node-2',
        leftByPolicy: left.map(({ metadata }) => `default/${metadata.name}`),
      });
      expect((await api.get({ kind: 'Job', name: 'batch' })).status).toMatchObject({ succeeded: 1 });
      await waitFor({
        what: 'the pod that was left to be Ready where it was',
        probe: async () => {
          const [pod, ...more] = await podsOf(api, 'app=cache');
          const isReady = pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
          expect([pod?.metadata.uid, more.length]).toEqual([left[0]?.metadata.uid, 0]);
          return isReady === true && pod?.spec.nodeName === 'node-2';
        },
      });
      await treated.expectIntactJournal();
      await api.delete({ kind: 'Pod', name: 'trade' });
      await api.delete({ kind: 'Deployment', name: 'cache' }, { propagationPolicy: 'Background' });
    });

    it('replicas in one zone and DaemonSets that serve traffic are said before', async () => {
      const { side, playbook } = given();
      await createAllOn(side, 'node-3', [deployment({ name: 'gathered', replicas: 2, ...pace })]);
      await createReady(side.api, [
        daemonSet({ name: 'edge', hostPort: 8443, ...pace }),
        daemonSet({ name: 'entry', ...pace }),
        daemonSet({ name: 'exporter', ...pace }),
      ]);
      const port = { port: 80 };
      for (const [name, more] of [
        ['entry', {}],
        ['exporter', { clusterIP: 'None' }],
      ] as const) {
        const spec = { selector: { app: name }, ports: [port], ...more };
        await side.api.create({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec });
      }
      const silent = await playbook('silent', { nodes: ['node-3'] });
      expect(await findings(silent.path, 0, 'replicas-in-one-zone')).toEqual([
        'node-3: caution Deployment default/gathered',
      ]);
      expect(await findings(silent.path, 0, 'daemonset-serves-traffic')).toEqual([
        'node-3: caution DaemonSet default/edge, DaemonSet default/entry',
      ]);
    });
  });
}

/**
 * Service guard/hook answers for a webhook that fails closed and for an aggregated API. The webhook's selector keeps
 * the API server from really asking it.
 */
async function failClosed(api: TestApi): Promise<void> {
  const service = { namespace: 'guard', name: 'hook' };
  await api.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: service,
    spec: { selector: { app: 'hook' }, ports: [{ port: 443 }] },
  });
  await api.create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'guard' },
    webhooks: [
      {
        name: 'guard.example.com',
        clientConfig: { service },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        namespaceSelector: { matchLabels: { guarded: 'yes' } },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  await api.create({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.stock.example' },
    spec: {
      group: 'stock.example',
      version: 'v1',
      service,
      insecureSkipTLSVerify: true,
      groupPriorityMinimum: 100,
      versionPriority: 100,
    },
  });
}

async function podsOf(api: TestApi, labelSelector: string) {
  return await api.list({ kind: 'Pod', namespace: 'default', labelSelector });
}
