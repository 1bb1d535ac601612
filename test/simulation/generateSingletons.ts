import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import { namespaces } from './generateWorkloads.js';
import type { Night, NightWorkload } from './night.js';

const second = 1000;

/** In two nights of five the playbook surges singletons, and there are one to three more of them to surge. */
export function withSingletons(night: Night, random: SeededRandom): Night {
  if (!random.chance(0.4)) return night;
  const count = random.between(1, 3);
  const singletons = Array.from({ length: count }, (_, number) => singleton(`s${number + 1}`, night, random));
  return {
    ...night,
    workloads: [...night.workloads, ...singletons],
    playbook: { ...night.playbook, singletons: 'surge' },
  };
}

function singleton(name: string, { nodes }: Night, random: SeededRandom): NightWorkload {
  const zone = random.pick(nodes).zone;
  const isInZone = random.chance(0.15);
  return {
    name,
    namespace: random.pick(namespaces),
    kind: 'Deployment',
    replicas: 1,
    startMs: random.between(1, random.pick([6, 6, 6, 60])) * second,
    stopMs: random.between(1, random.pick([3, 3, 3, 40])) * second,
    ...(isInZone && zone !== undefined ? { zone } : {}),
    ...(random.chance(0.1) ? { tolerates: true } : {}),
    ...(random.chance(0.2) ? { strategy: random.pick(['Recreate', 'no surge'] as const) } : {}),
    ...(random.chance(0.3) ? { budget: { minAvailable: 1 } } : {}),
  };
}
