import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billionthsOf } from '../../src/cluster/quantity.js';
import { podRequests, resourceAmounts } from '../../src/cluster/resourceAmounts.js';

const billion = 1_000_000_000n;

describe('a quantity', () => {
  it.each([
    ['0', 0n],
    ['1', billion],
    ['100m', billion / 10n],
    ['0.1', billion / 10n],
    ['.5', billion / 2n],
    ['5.', 5n * billion],
    ['+2', 2n * billion],
    ['-1500m', -1_500_000_000n],
    ['1n', 1n],
    ['250u', 250_000n],
    ['1k', 1000n * billion],
    ['1.5M', 1_500_000n * billion],
    ['2G', 2n * 10n ** 9n * billion],
    ['3T', 3n * 10n ** 12n * billion],
    ['4P', 4n * 10n ** 15n * billion],
    ['5E', 5n * 10n ** 18n * billion],
    ['1Ki', 1024n * billion],
    ['1.5Ki', 1536n * billion],
    ['0.1Mi', 104_857_600_000_000n],
    ['129Mi', 129n * 2n ** 20n * billion],
    ['16Gi', 2n ** 34n * billion],
    ['2Ti', 2n ** 41n * billion],
    ['1Pi', 2n ** 50n * billion],
    ['1Ei', 2n ** 60n * billion],
    ['1e3', 1000n * billion],
    ['1E3', 1000n * billion],
    ['12e6', 12_000_000n * billion],
    ['25e-1', 2_500_000_000n],
    // Finer than a billionth: rounded up.
    ['0.0000000001', 1n],
    ['1.5n', 2n],
    ['1e-10', 1n],
  ])('%s is exact', (text, expected) => {
    expect(billionthsOf(text)).toBe(expected);
  });

  it.each(['', 'm', '.', '1 Gi', '1gi', '1KiB', 'e3', '1e', '0x10', '1,5', '--1', 'Infinity'])('%j is none', (text) => {
    expect(billionthsOf(text)).toBeUndefined();
  });

  it('is the same however it is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (thousandths) => {
        const plain = billionthsOf(
          `${String(Math.floor(thousandths / 1000))}.${String(thousandths % 1000).padStart(3, '0')}`,
        );
        expect(billionthsOf(`${String(thousandths)}m`)).toBe(plain);
        expect(billionthsOf(`${String(thousandths)}e-3`)).toBe(plain);
        expect(billionthsOf(`${String(thousandths)}000u`)).toBe(plain);
      }),
    );
  });

  it('is rounded up to thousandths of a core, and to whole bytes and pieces', () => {
    expect(resourceAmounts({ cpu: '1u', memory: '100m', pods: '110', 'example.com/gpu': '2', junk: 'junk' })).toEqual({
      cpu: 1,
      memory: 1,
      pods: 110,
      'example.com/gpu': 2,
    });
    expect(resourceAmounts({ cpu: 2, memory: 1024 })).toEqual({ cpu: 2000, memory: 1024 });
  });
});

interface Written {
  readonly containers?: readonly (string | undefined)[];
  /** `+` in front: a sidecar, which restarts always. */
  readonly init?: readonly string[];
  readonly overhead?: string;
  readonly pod?: string;
}

function cpuOf({ containers = [], init = [], overhead, pod }: Written): number {
  const container = (cpu: string | undefined, index: number) => ({
    name: `c${String(index)}`,
    ...(cpu === undefined ? {} : { resources: { requests: { cpu: cpu.replace('+', '') } } }),
    ...(cpu?.startsWith('+') === true ? { restartPolicy: 'Always' } : {}),
  });
  const spec = {
    containers: containers.map(container),
    initContainers: init.map(container),
    ...(overhead === undefined ? {} : { overhead: { cpu: overhead } }),
    ...(pod === undefined ? {} : { resources: { requests: { cpu: pod } } }),
  };
  return podRequests(spec, {})['cpu'] ?? 0;
}

describe('what a pod asks of its node', () => {
  // Of https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers and
  // https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers.
  it.each<[string, number, Written]>([
    ['nothing', 0, { containers: [undefined] }],
    ['the sum of its containers', 350, { containers: ['100m', '250m', undefined] }],
    ['its containers, where no init container asks for more', 500, { containers: ['500m'], init: ['200m', '400m'] }],
    ['the largest init container, where that is more', 700, { containers: ['500m'], init: ['700m', '600m'] }],
    ['its containers with its sidecars', 600, { containers: ['500m'], init: ['+100m'] }],
    ['an init container with the sidecars before it', 900, { containers: ['500m'], init: ['+100m', '800m'] }],
    ['an init container without the sidecars after it', 800, { containers: ['500m'], init: ['800m', '+100m'] }],
    ['sidecars before and after', 1000, { containers: ['500m'], init: ['+200m', '800m', '+100m'] }],
    ['the overhead of its runtime besides', 620, { containers: ['500m'], init: ['+100m'], overhead: '20m' }],
    ['the overhead besides an init container too', 720, { containers: ['500m'], init: ['700m'], overhead: '20m' }],
    ['what the pod as a whole asks for', 2020, { containers: ['500m'], init: ['+100m'], overhead: '20m', pod: '2' }],
    ['parts of a thousandth, added up before they are rounded', 1, { containers: ['400u', '400u'] }],
  ])('is %s', (_, expected, written) => {
    expect(cpuOf(written)).toBe(expected);
  });

  it('is counted for each resource by itself', () => {
    const requests = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } });
    const spec = {
      containers: [{ ...requests('2', '64Mi'), name: 'main' }],
      initContainers: [{ ...requests('1', '1Gi'), name: 'load' }],
    };
    expect(podRequests(spec, {})).toEqual({ cpu: 2000, memory: 2 ** 30 });
  });

  it('takes cpu, memory and huge pages alone from the pod as a whole', () => {
    const spec = {
      containers: [{ resources: { requests: { cpu: '1', 'example.com/gpu': '1' } } }],
      resources: { requests: { cpu: '2', 'hugepages-2Mi': '4Mi', 'example.com/gpu': '5' } },
    };
    expect(podRequests(spec, {})).toEqual({ cpu: 2000, 'example.com/gpu': 1, 'hugepages-2Mi': 2 ** 22 });
  });

  it('is the larger of what is asked and what it has, while it is resized in place', () => {
    const spec = { containers: [{ name: 'main', resources: { requests: { cpu: '1' } } }] };
    const status = (cpu: string, allocated: string, conditions: unknown[] = []) => ({
      conditions,
      containerStatuses: [{ name: 'main', allocatedResources: { cpu: allocated }, resources: { requests: { cpu } } }],
    });
    const infeasible = [{ type: 'PodResizePending', reason: 'Infeasible' }];
    expect(podRequests(spec, status('500m', '500m'))).toEqual({ cpu: 1000 });
    expect(podRequests(spec, status('2', '1500m'))).toEqual({ cpu: 2000 });
    expect(podRequests(spec, status('500m', '700m', infeasible))).toEqual({ cpu: 700 });
  });

  it('is read from whatever stands there', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (spec, status) => {
          for (const amount of Object.values(podRequests(spec, status))) expect(amount).toBeGreaterThan(0);
        },
      ),
    );
  });
});
