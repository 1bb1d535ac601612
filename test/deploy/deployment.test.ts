import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** The chart makes the same: test/cluster/deploy/rendering.test.ts. */
async function manifest(name: string): Promise<unknown> {
  const path = fileURLToPath(new URL(`../../deploy/kustomize/base/${name}.yaml`, import.meta.url));
  return parse(await readFile(path, 'utf8'));
}

const labels = { matchLabels: { 'app.kubernetes.io/name': 'turnus' } };

describe('the Deployment', () => {
  it('is of two replicas, never both on one node while there is another', async () => {
    expect(await manifest('deployment')).toMatchObject({
      spec: {
        replicas: 2,
        selector: labels,
        template: {
          spec: {
            topologySpreadConstraints: [
              {
                topologyKey: 'kubernetes.io/hostname',
                maxSkew: 1,
                whenUnsatisfiable: 'DoNotSchedule',
                labelSelector: labels,
              },
            ],
          },
        },
      },
    });
    expect(await manifest('disruption-budget')).toMatchObject({ spec: { maxUnavailable: 1, selector: labels } });
  });

  it('runs as nobody, on a root that it cannot write, without capabilities', async () => {
    const { spec } = (await manifest('deployment')) as {
      spec: { template: { spec: { securityContext: unknown; containers: { securityContext: unknown }[] } } };
    };
    const { securityContext, containers } = spec.template.spec;
    expect(securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containers.map((container) => container.securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    ]);
  });
});

describe('the NetworkPolicy', () => {
  it('lets in whoever asks for metrics and probes, and out to DNS, the API server, webhooks and hosts', async () => {
    const policy = (await manifest('network-policy')) as {
      spec: { podSelector: unknown; policyTypes: string[]; ingress: Rule[]; egress: Rule[] };
    };
    expect(policy.spec).toMatchObject({ podSelector: labels, policyTypes: ['Ingress', 'Egress'] });
    expect(portsOf(policy.spec.ingress)).toEqual(['9690/TCP']);
    expect(portsOf(policy.spec.egress)).toEqual(['22/TCP', '443/TCP', '53/TCP', '53/UDP', '6443/TCP']);
  });
});

interface Rule {
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

function portsOf(rules: readonly Rule[]): readonly string[] {
  return rules.flatMap(({ ports }) => ports.map(({ port, protocol }) => `${String(port)}/${protocol}`)).sort();
}
