import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import { namespaces } from './generateWorkloads.js';
import type { NamespaceSpread, Night, NightWorkload } from './night.js';

/**
 * In about one night in three some namespaces keep another spread, in as many some pods are treated otherwise, and in
 * one in five some are called by the API server.
 */
export function generateOverrides({
  workloads,
  playbook,
  random,
}: Pick<Night, 'workloads' | 'playbook'> & { readonly random: SeededRandom }): Pick<Night, 'workloads' | 'playbook'> {
  const hasSpread = random.chance(0.33);
  const hasTreatments = random.chance(0.33);
  const namespaceSpread = Array.from({ length: hasSpread ? random.between(1, 3) : 0 }, () => generateSpread(random));
  const treated = workloads.map((workload) => {
    const treatment = hasTreatments && random.chance(0.5) ? generateTreatment(workload, random) : undefined;
    return treatment === undefined ? workload : { ...workload, treatment };
  });
  const hasVital = random.chance(0.2);
  return {
    workloads: treated.map((workload) =>
      hasVital && workload.kind !== 'Job' && random.chance(0.5) ? { ...workload, vital: true } : workload,
    ),
    playbook: namespaceSpread.length === 0 ? playbook : { ...playbook, namespaceSpread },
  };
}

function generateSpread(random: SeededRandom): NamespaceSpread {
  const given = random.between(0, 2);
  return {
    namespace: random.pick(namespaces),
    ...(given === 1 ? {} : { singletons: random.pick(['allow', 'block', 'surge'] as const) }),
    ...(given === 0 ? {} : { minReadyElsewhere: random.pick([0, 1, '25%', '75%', '100%'] as const) }),
  };
}

/** Only what goes by itself is waited for: nobody moves a pod of the others. */
function generateTreatment({ kind }: NightWorkload, random: SeededRandom): NightWorkload['treatment'] {
  return random.pick(
    kind === 'Job' ? ['evict', 'leave', 'wait', 'wait', 'block'] : ['evict', 'leave', 'leave', 'block'],
  );
}
