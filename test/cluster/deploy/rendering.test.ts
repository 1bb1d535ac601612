import { describe, expect, it } from 'vitest';
import type { OtherObject } from '../objects.js';
import { expectExit } from '../runReport.js';
import { runTurnus } from '../turnus.js';
import { byIdentity, identity, objectsOf, renderChart, renderKustomization, tryChart } from './render.js';

const monitoring = 'kustomize/components/monitoring';
const everyMonitor = { serviceMonitor: { enabled: true }, alerts: { enabled: true }, dashboard: { enabled: true } };

/** What `turnus install --with serve` would apply. */
async function printed(...args: string[]): Promise<OtherObject[]> {
  const result = await runTurnus(['install', '--print', '--with', 'serve', ...args]);
  expectExit(result, 0);
  return objectsOf(result.stdout);
}

const isNamespace = ({ kind }: OtherObject): boolean => kind === 'Namespace';

function withoutNamespace(objects: readonly OtherObject[]): Record<string, OtherObject> {
  return byIdentity(objects.filter((object) => !isNamespace(object)));
}

/** Rendered objects as kustomize has them: CRDs without the mark with which Helm leaves them at `helm uninstall`. */
function withoutKeeping(objects: readonly OtherObject[]): OtherObject[] {
  return objects.map((object) => {
    if (object.kind !== 'CustomResourceDefinition') return object;
    const { 'helm.sh/resource-policy': policy, ...annotations } = object.metadata.annotations ?? {};
    expect(policy, identity(object)).toBe('keep');
    return { ...object, metadata: { ...object.metadata, annotations } };
  });
}

describe('deploy/kustomization.yaml', () => {
  it('is what turnus install prints and kustomize/base, and marks the namespace as restricted', async () => {
    const all = await renderKustomization('.');
    const base = await renderKustomization('kustomize/base');
    const [namespace] = all.filter(isNamespace);
    expect(namespace?.metadata).toEqual({
      name: 'turnus-system',
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted' },
    });
    expect(withoutNamespace(all)).toEqual(withoutNamespace([...(await printed()), ...base]));
  });

  it('has nothing in kustomize/base that turnus install would apply', async () => {
    const installed = new Set((await printed()).map(identity));
    const base = await renderKustomization('kustomize/base');
    expect(base.map(identity).filter((name) => installed.has(name))).toEqual([]);
    expect(base.map(({ kind }) => kind).sort()).toEqual([
      ...['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'PriorityClass', 'Service'],
    ]);
  });

  it('takes an overlay that sets the image, and the component for surge is turnus install --with surge', async () => {
    const objects = await renderKustomization({
      resources: ['.'],
      components: ['kustomize/components/surge'],
      images: [{ name: 'turnus', newName: 'registry.example/turnus', newTag: '0.1.0' }],
    });
    const surge = byIdentity(await printed('surge'));
    expect(byIdentity(objects)).toMatchObject(surge);
    expect(byIdentity(objects)['ClusterRole /turnus']).toEqual(surge['ClusterRole /turnus']);
    expect(JSON.stringify(objects)).toContain('"image":"registry.example/turnus:0.1.0"');
  });

  it('takes the component for monitoring', async () => {
    const all = byIdentity(await renderKustomization('.'));
    const objects = byIdentity(await renderKustomization({ resources: ['.'], components: [monitoring] }));
    expect(objects).toMatchObject(all);
    expect(Object.keys(objects).filter((name) => !(name in all))).toEqual(
      expect.arrayContaining([
        'ConfigMap turnus-system/turnus-dashboard',
        'PrometheusRule turnus-system/turnus',
        'ServiceMonitor turnus-system/turnus',
      ]),
    );
    expect(Object.keys(objects)).toHaveLength(Object.keys(all).length + 3);
  });
});

describe('the Helm chart', () => {
  it('makes with its own values what kustomize makes', async () => {
    const { objects, lint } = await renderChart();
    expect(lint).toEqual([]);
    expect(byIdentity(withoutKeeping(objects))).toEqual(withoutNamespace(await renderKustomization('.')));
  });

  it('makes the same with everything for monitoring', async () => {
    const { objects } = await renderChart({ monitoring: everyMonitor });
    const kustomized = await renderKustomization({ resources: ['.'], components: [monitoring] });
    expect(byIdentity(withoutKeeping(objects))).toEqual(withoutNamespace(kustomized));
  });

  it('makes the same with surge', async () => {
    const { objects } = await renderChart({ installation: { surge: true } });
    const kustomized = await renderKustomization({ resources: ['.'], components: ['kustomize/components/surge'] });
    expect(byIdentity(withoutKeeping(objects))).toEqual(withoutNamespace(kustomized));
  });

  it('makes kustomize/base alone where turnus install does the rest, and says so', async () => {
    const { objects, notes } = await renderChart({ installation: { enabled: false } });
    expect(byIdentity(objects)).toEqual(byIdentity(await renderKustomization('kustomize/base')));
    expect(notes).toContain('turnus install --with serve --system-namespace turnus-system');
    expect((await renderChart()).notes).not.toContain('turnus install');
  });

  it('puts into another namespace what turnus install --system-namespace does', async () => {
    const { objects, notes } = await renderChart({ monitoring: everyMonitor }, 'maintenance');
    const rendered = byIdentity(withoutKeeping(objects));
    expect(rendered).toMatchObject(withoutNamespace(await printed('--system-namespace', 'maintenance')));
    expect(notes).toContain('namespace maintenance');
    const namespaced = Object.keys(rendered).filter((name) => name.includes(' turnus-system/'));
    expect(namespaced).toEqual([]);
    expect(JSON.stringify(objects.map((object) => ({ ...object, data: undefined })))).not.toContain(
      '"namespace":"turnus-system"',
    );
  });

  it('takes each value to its place', async () => {
    const labels = { release: 'prometheus' };
    const digest = `sha256:${'a'.repeat(64)}`;
    const { objects, lint } = await renderChart({
      image: { repository: 'registry.example/turnus', digest, pullPolicy: 'Always' },
      imagePullSecrets: [{ name: 'login' }],
      replicas: 1,
      installation: { keepDefinitions: false },
      logLevel: 'debug',
      extraArgs: ['-f', '/etc/turnus/monthly.yaml'],
      extraEnv: [{ name: 'TZ', value: 'Europe/Zurich' }],
      extraVolumes: [{ name: 'playbooks', configMap: { name: 'playbooks' } }],
      extraVolumeMounts: [{ name: 'playbooks', mountPath: '/etc/turnus' }],
      resources: { requests: { memory: '1Gi' }, limits: { memory: '1Gi' } },
      podAnnotations: { team: 'platform' },
      podLabels: { tier: 'infra' },
      nodeSelector: { 'node-role.kubernetes.io/infra': '' },
      tolerations: [{ key: 'infra', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClass: { create: false, name: '' },
      networkPolicy: { ingressFrom: [{ podSelector: {} }], egress: [{ ports: [{ port: 2222, protocol: 'TCP' }] }] },
      monitoring: { serviceMonitor: { enabled: true, labels }, alerts: { enabled: true, labels } },
    });
    expect(lint).toEqual([]);
    const rendered = byIdentity(objects);
    expect(rendered['Deployment turnus-system/turnus']).toMatchObject({
      spec: {
        replicas: 1,
        selector: { matchLabels: { 'app.kubernetes.io/name': 'turnus' } },
        template: {
          metadata: {
            annotations: { team: 'platform' },
            labels: { 'app.kubernetes.io/name': 'turnus', tier: 'infra' },
          },
          spec: {
            imagePullSecrets: [{ name: 'login' }],
            nodeSelector: { 'node-role.kubernetes.io/infra': '' },
            tolerations: [{ key: 'infra', operator: 'Exists' }],
            affinity: { nodeAffinity: {} },
            containers: [
              {
                image: `registry.example/turnus@${digest}`,
                imagePullPolicy: 'Always',
                args: ['serve', '--listen', '0.0.0.0:9690', '--log-level', 'debug', '-f', '/etc/turnus/monthly.yaml'],
                env: [{ name: 'TURNUS_NODE_NAME' }, { name: 'POD_NAME' }, { name: 'TZ', value: 'Europe/Zurich' }],
                volumeMounts: [{ name: 'tmp' }, { name: 'playbooks', mountPath: '/etc/turnus' }],
                resources: { requests: { cpu: '50m', memory: '1Gi' }, limits: { memory: '1Gi' } },
              },
            ],
            volumes: [{ name: 'tmp' }, { name: 'playbooks', configMap: { name: 'playbooks' } }],
          },
        },
      },
    });
    expect(JSON.stringify(rendered)).not.toContain('priorityClassName');
    expect(Object.keys(rendered).filter((name) => name.startsWith('PriorityClass'))).toEqual([]);
    expect(rendered['NetworkPolicy turnus-system/turnus']?.['spec']).toMatchObject({
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 9690, protocol: 'TCP' }] }],
      egress: [{ ports: [{ port: 2222, protocol: 'TCP' }] }],
    });
    for (const name of ['ServiceMonitor turnus-system/turnus', 'PrometheusRule turnus-system/turnus']) {
      expect(rendered[name]?.metadata.labels).toEqual({ 'app.kubernetes.io/name': 'turnus', ...labels });
    }
    for (const { kind, metadata } of objects) {
      if (kind === 'CustomResourceDefinition') {
        expect(metadata.annotations).not.toHaveProperty(['helm.sh/resource-policy']);
      }
    }
    const { objects: unguarded } = await renderChart({ networkPolicy: { enabled: false } });
    expect(unguarded.map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });

  it.each([
    [{ replica: 2 }, 'replica'],
    [{ replicas: 'two' }, 'replicas'],
    [{ image: { repository: '' } }, 'repository'],
    [{ image: { digest: 'a1b2' } }, 'digest'],
    [{ logLevel: 'loud' }, 'logLevel'],
    [{ installation: { surge: 'sometimes' } }, 'surge'],
    [{ priorityClass: { name: '' } }, 'priorityClass'],
    [{ networkPolicy: { egress: ['22'] } }, 'egress'],
  ])('refuses the values %j', async (values, named) => {
    const { exitCode, stderr } = await tryChart(values);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("don't meet the specifications of the schema");
    expect(stderr).toContain(named);
  });
});
