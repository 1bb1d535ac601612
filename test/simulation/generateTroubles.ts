import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { NodeDescription } from '../../src/sandbox/simulatedCluster.js';
import { roughTurnMs } from './generateWorkloads.js';
import type { NightPlaybook, NightWorkload, Trouble } from './night.js';

const second = 1000;
const minute = 60 * second;

interface Situation {
  readonly nodes: readonly NodeDescription[];
  readonly workloads: readonly NightWorkload[];
  readonly playbook: NightPlaybook;
  readonly random: SeededRandom;
}

/** A trouble before it has its id. */
type NewTrouble = Trouble extends infer Each ? (Each extends Trouble ? Omit<Each, 'id'> : never) : never;

/** One to six troubles, rather few than many; some come together because they do harm together. */
export function generateTroubles(situation: Situation): readonly Trouble[] {
  const { random } = situation;
  const wanted = random.pick([1, 1, 1, 2, 2, 3, 3, 4, 5, 6]);
  const troubles: NewTrouble[] = [];
  while (troubles.length < wanted) {
    if (random.chance(0.2)) troubles.push(...random.pick(together)(situation));
    else troubles.push(random.pick(makers)(situation));
  }
  return troubles.slice(0, 6).map((trouble, number) => ({ id: `t${number + 1}`, ...trouble }));
}

/** A crash at some call of an actor: of a whole night nobody knows the number, so that each magnitude is as likely. */
function crash({ random }: Situation): NewTrouble {
  return {
    kind: 'crash',
    call: Math.max(1, Math.round(Math.exp(random.next() * Math.log(3000)))),
    moment: random.pick(['before', 'after']),
    restartAfterMs: random.pick([random.between(1, 20), random.between(10, 600)]) * second,
  };
}

const makers: readonly ((situation: Situation) => NewTrouble)[] = [
  crash,
  crash,
  crash,
  (at) => ({ kind: 'interrupt', atMs: moment(at) }),
  (at) => ({ kind: 'second-actor', atMs: moment(at) }),
  (at) => ({ kind: 'watches-lag', atMs: moment(at), forMs: span(at), byMs: at.random.between(200, 30_000) }),
  (at) => ({ kind: 'watches-break', atMs: moment(at), how: at.random.pick(['end', 'error']) }),
  (at) => ({ kind: 'history-lost', atMs: moment(at) }),
  (at) => ({
    kind: 'api-answers',
    atMs: moment(at),
    forMs: span(at),
    answer: at.random.pick(['throttled', 'error', 'unreachable', 'lost', 'slow']),
    share: at.random.pick([0.05, 0.2, 0.5, 0.9]),
  }),
  (at) => ({ kind: 'api-down', atMs: moment(at), forMs: span(at) }),
  (at) => ({ kind: 'host-hangs', atMs: moment(at), forMs: span(at), node: node(at) }),
  (at) => ({ kind: 'host-loses-answers', atMs: moment(at), forMs: span(at), node: node(at) }),
  (at) => ({ kind: 'host-reboots', atMs: moment(at), node: node(at) }),
  (at) => ({
    kind: 'script-fails',
    node: node(at),
    stage: at.random.pick(at.playbook.stages.length > 0 ? at.playbook.stages : ['update']),
    changed: at.random.chance(0.5),
  }),
  (at) => ({ kind: 'script-reboots', node: node(at) }),
  (at) => ({ kind: 'boot-never-returns', node: node(at), mendedAfterMs: at.random.between(1, 30) * minute }),
  (at) => ({ kind: 'kubelet-silent', atMs: moment(at), forMs: span(at), node: node(at) }),
  (at) => ({ kind: 'cordon', atMs: moment(at), node: node(at) }),
  (at) => ({ kind: 'uncordon', atMs: moment(at), node: node(at) }),
  (at) => ({ kind: 'hold', atMs: moment(at), forMs: span(at), node: node(at) }),
  (at) => ({
    kind: 'budget-edited',
    atMs: moment(at),
    workload: workload(at),
    maxUnavailable: at.random.pick([0, 0, 1, 2]),
  }),
  (at) => ({ kind: 'scaled', atMs: moment(at), workload: scalable(at), replicas: at.random.between(0, 6) }),
  (at) => ({ kind: 'pod-unready', atMs: moment(at), workload: workload(at), forMs: span(at) }),
  (at) => ({ kind: 'never-ready', atMs: moment(at), workload: workload(at), forMs: at.random.between(5, 60) * minute }),
  (at) => ({ kind: 'node-deleted', atMs: moment(at), node: node(at) }),
  (at) => ({ kind: 'node-added', atMs: moment(at), node: `node-${at.nodes.length + 1}` }),
  (at) => ({
    kind: at.random.pick(['pause', 'abort', 'abort-now']),
    atMs: moment(at),
    resumedAfterMs: at.random.between(1, 1200) * second,
  }),
  (at) => ({ kind: 'skip', atMs: moment(at), node: node(at) }),
];

/** Troubles that are worst together, or at a certain moment. */
const together: readonly ((situation: Situation) => readonly NewTrouble[])[] = [
  // The server answers badly while nodes are drained.
  (at) => [
    {
      kind: 'api-answers',
      atMs: at.random.between(3, 15) * second,
      forMs: at.random.pick([at.random.between(5, 60), at.random.between(60, 600)]) * second,
      answer: at.random.pick(['error', 'error', 'throttled', 'lost', 'slow']),
      share: at.random.pick([0.1, 0.2, 0.5]),
    },
  ],
  // A person holds, or takes out, a node while the first one is checked and cordoned, and the actor may die then.
  (at) => {
    const atMs = at.random.between(2500, 4500);
    const call = at.random.between(100, 250);
    return [
      at.random.chance(0.5)
        ? { kind: 'hold', atMs, forMs: span(at), node: at.random.chance(0.7) ? firstNode(at) : node(at) }
        : { kind: 'cordon', atMs, node: node(at) },
      ...(at.random.chance(0.5) ? [{ ...crash(at), call } as NewTrouble] : []),
    ];
  },
  // The lease runs out while another waits for it.
  (at) => {
    const atMs = moment(at);
    const outage = at.random.between(8, 60) * second;
    return [
      { kind: 'second-actor', atMs: Math.max(0, atMs - at.random.between(5, 60) * second) },
      { kind: 'api-down', atMs, forMs: outage },
    ];
  },
  // While nobody is at work a person takes another node out.
  (at) => [
    { ...crash(at), restartAfterMs: at.random.between(2, 10) * minute } as NewTrouble,
    { kind: 'cordon', atMs: moment(at), node: node(at) },
  ],
  // One dies, another follows it.
  (at) => [{ kind: 'second-actor', atMs: at.random.between(1, 120) * second }, crash(at)],
  // A person uncordons the node that is in work, and what was displaced comes back to it.
  (at) => {
    const name = node(at);
    const atMs = moment(at);
    return [
      { kind: 'uncordon', atMs, node: name },
      { kind: 'uncordon', atMs: atMs + at.random.between(1, 120) * second, node: name },
    ];
  },
  // A node is deleted, and its machine registers it again.
  (at) => {
    const name = node(at);
    const atMs = moment(at);
    return [
      { kind: 'node-deleted', atMs, node: name },
      { kind: 'node-added', atMs: atMs + at.random.between(1, 300) * second, node: name },
    ];
  },
  // Old news, and a person who acts meanwhile.
  (at) => {
    const atMs = moment(at);
    return [
      { kind: 'watches-lag', atMs, forMs: 3 * minute, byMs: at.random.between(2, 60) * second },
      { kind: at.random.pick(['cordon', 'uncordon']), atMs: atMs + at.random.between(0, 120) * second, node: node(at) },
    ];
  },
];

/** Some time in the night, now and then in the first seconds: there the first node is checked, cordoned and drained. */
function moment({ nodes, playbook, random }: Situation): number {
  if (random.chance(0.25)) return random.between(1000, 10_000);
  return random.between(0, nodes.length * roughTurnMs(playbook));
}

/** Rather short, at times long. */
function span({ random }: Situation): number {
  return random.pick([random.between(1, 20), random.between(1, 120), random.between(60, 1200)]) * second;
}

/** Most nights begin with it. */
function firstNode({ nodes }: Situation): string {
  return nodes[0]?.name ?? '';
}

function node({ nodes, random }: Situation): string {
  return random.pick(nodes).name;
}

function workload({ workloads, random }: Situation): string {
  return random.pick(workloads).name;
}

function scalable({ workloads, random }: Situation): string {
  const able = workloads.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  return random.pick(able.length > 0 ? able : workloads).name;
}
