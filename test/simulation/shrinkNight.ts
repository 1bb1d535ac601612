import type { Night, NightWorkload, Trouble, Violation } from './night.js';

export interface Shrinking {
  /** Fails when it is played. */
  readonly night: Night;
  /** Plays a night and answers what went wrong in it. */
  readonly play: (night: Night) => Promise<readonly Violation[]>;
  /** The invariant that must still fail. */
  readonly invariant: string;
  /** Nights that may be played. */
  readonly tries: number;
}

export interface Shrunk {
  readonly night: Night;
  readonly violation: Violation | undefined;
  /** Troubles, workloads and nodes that were left out. */
  readonly without: readonly string[];
  /** Whether more was made smaller than what was left out. */
  readonly simplified: boolean;
  readonly tried: number;
}

/**
 * Makes a failing night smaller while the same invariant still fails: leaves out troubles, then workloads, then nodes,
 * one by one and over again until nothing more can go, then makes what is left plainer.
 */
export async function shrinkNight({ night, play, invariant, tries }: Shrinking): Promise<Shrunk> {
  let smallest = night;
  let violation: Violation | undefined;
  const gone: string[] = [];
  let tried = 0;
  let simplified = false;

  const stillFails = async (candidate: Night): Promise<boolean> => {
    if (tried >= tries || candidate.nodes.length === 0) return false;
    tried += 1;
    // What is left out may have been needed: a night that cannot be played is no smaller one.
    const violations = await play(candidate).catch(() => []);
    const found = violations.find((one) => one.invariant === invariant);
    if (found === undefined) return false;
    smallest = candidate;
    violation = found;
    return true;
  };

  for (let goesOn = true; goesOn;) {
    goesOn = false;
    for (const name of partsOf(smallest)) {
      if (!(await stillFails(withoutParts(smallest, [name])))) continue;
      gone.push(name);
      goesOn = true;
    }
  }
  for (let goesOn = true; goesOn;) {
    goesOn = false;
    for (const plainer of plainerNights) {
      const candidate = plainer(smallest);
      if (JSON.stringify(candidate) === JSON.stringify(smallest) || !(await stillFails(candidate))) continue;
      simplified = true;
      goesOn = true;
    }
  }
  return { night: smallest, violation, without: gone, simplified, tried };
}

/** What can be left out, in the order in which it is tried. */
function partsOf({ troubles, workloads, nodes }: Night): readonly string[] {
  return [...troubles.map(({ id }) => id), ...workloads.map(({ name }) => name), ...nodes.map(({ name }) => name)];
}

/** The night without these troubles, workloads and nodes; what refers to them goes too. */
export function withoutParts(night: Night, names: readonly string[]): Night {
  const isLeft = (name: string) => !names.includes(name);
  const nodes = night.nodes.filter(({ name }) => isLeft(name));
  const zones = new Set(nodes.map(({ zone }) => zone));
  const workloads = night.workloads
    .filter(({ name }) => isLeft(name))
    .map((workload) => (zones.has(workload.zone) ? workload : anywhere(workload)));
  const isOf = (trouble: Trouble) =>
    isLeft(trouble.id) &&
    (!('workload' in trouble) || workloads.some(({ name }) => name === trouble.workload)) &&
    (!('node' in trouble) || trouble.kind === 'node-added' || nodes.some(({ name }) => name === trouble.node));
  return { ...night, nodes, workloads, troubles: night.troubles.filter(isOf) };
}

function anywhere({ zone: _zone, ...workload }: NightWorkload): NightWorkload {
  return workload;
}

const plainerNights: readonly ((night: Night) => Night)[] = [
  ...(['taints', 'zone'] as const).map((field) => (night: Night): Night => {
    const workloads = field === 'zone' ? night.workloads.map(anywhere) : night.workloads;
    return { ...night, workloads, nodes: night.nodes.map(({ [field]: _gone, ...node }) => node) };
  }),
  ...(['treatment', 'vital', 'budget', 'apart', 'tolerates', 'localDisk', 'strategy'] as const).map((field) =>
    eachWorkload(({ [field]: _gone, ...workload }) => workload),
  ),
  eachWorkload((workload) => ({ ...workload, replicas: Math.min(workload.replicas, 2) })),
  eachWorkload((workload) => ({ ...workload, startMs: 2000, stopMs: 1000 })),
  ({ playbook: { namespaceSpread: _gone, ...playbook }, ...night }) => ({ ...night, playbook }),
  ({ playbook: { singletons: _gone, ...playbook }, ...night }) => ({ ...night, playbook }),
  (night) => ({ ...night, playbook: { ...night.playbook, stages: [] } }),
  (night) => ({ ...night, playbook: { ...night.playbook, stages: ['update'] } }),
  (night) => ({ ...night, playbook: { ...night.playbook, jobMs: 10_000, bootMs: 20_000 } }),
  (night) => ({ ...night, playbook: { ...night.playbook, maxUnavailable: 1, concurrency: 1 } }),
  (night) => ({ ...night, playbook: { ...night.playbook, steer: false } }),
  (night) => ({ ...night, playbook: { ...night.playbook, attempts: 1, stopAfterFailures: 1 } }),
];

function eachWorkload(change: (workload: NightWorkload) => NightWorkload): (night: Night) => Night {
  return (night) => ({ ...night, workloads: night.workloads.map(change) });
}
