import { ownerName, ownerOf, readyCount, replicasOf, requiredReady, type Replicas } from '../cluster/replicas.js';
import { podKey, type ClusterView, type OwnerKey, type PodView } from '../cluster/view.js';
import type { Finding } from '../gates/finding.js';
import { count, someOf } from './budgetWords.js';
import { go, type Allowance, type Permission, type Wait } from './nextStep.js';
import { spreadPolicyFor, type NamespaceSpread, type SpreadPolicy } from './spreadPolicy.js';

/**
 * What the spread of replicas permits. An eviction must leave as many Ready replicas of the owner, here and elsewhere
 * together, as must be Ready elsewhere in the end, and never none. So replicas that have gathered on this node leave
 * in steps, each when the replacements of the step before are Ready. A pod that is not Ready may always go.
 */
export function spreadAllowance(situation: {
  readonly view: ClusterView;
  readonly node: string;
  readonly policy: SpreadPolicy;
  /** The pods that will be asked for. */
  readonly pods: readonly PodView[];
  /** UIDs of evictions under way: they no longer count as Ready. */
  readonly inFlight: ReadonlySet<string>;
}): Allowance {
  const { view, node, policy, pods, inFlight } = situation;
  const keys = new Set(pods.map((pod) => ownerOf(view, pod)).filter((key) => key !== undefined));
  const replicas = replicasOf(view, keys);
  const ready = new Map<OwnerKey, number>();
  for (const [key, { pods: owned, ...rest }] of replicas) {
    ready.set(key, readyCount({ ...rest, pods: owned.filter((pod) => !inFlight.has(pod.uid)) }));
  }
  const ownedBy = (pod: PodView): Replicas | undefined => {
    const key = ownerOf(view, pod);
    return key === undefined ? undefined : replicas.get(key);
  };

  const spreads = new Map<string, NamespaceSpread>();
  const spreadOf = ({ namespace }: PodView): NamespaceSpread => {
    const spread = spreads.get(namespace) ?? spreadPolicyFor({ policy, view, namespace });
    spreads.set(namespace, spread);
    return spread;
  };

  return {
    ask(pod): Permission {
      const owner = ownedBy(pod);
      if (owner === undefined || !pod.ready || owner.desired === 0 || owner.owner?.terminating === true) return go;
      const left = (ready.get(owner.key) ?? 0) - 1;
      const spread = spreadOf(pod);
      if (owner.desired === 1) {
        if (left > 0 || spread.singletons !== 'block') return go;
        return { kind: 'never', finding: singletonBlocked({ owner, pod, node, spread }) };
      }
      const required = requiredReady(spread.minReadyElsewhere, owner.desired);
      return left >= required ? go : { kind: 'wait', wait: spreadWait({ owner, pod, left, required, node, spread }) };
    },
    take(pod) {
      const owner = ownedBy(pod);
      if (owner !== undefined && pod.ready) ready.set(owner.key, (ready.get(owner.key) ?? 0) - 1);
    },
  };
}

interface Spread {
  readonly owner: Replicas;
  readonly pod: PodView;
  readonly node: string;
  readonly spread: NamespaceSpread;
}

function spreadWait(numbers: Spread & { readonly left: number; readonly required: number }): Wait {
  const { owner, pod, left, required, node, spread } = numbers;
  const name = ownerName(owner.key);
  const unready = owner.pods.filter((one) => !one.ready && !one.terminating).map((one) => `Pod ${podKey(one)}`);
  const who = unready.length === 0 ? 'a replacement' : someOf(unready);
  return {
    for: 'spread',
    objects: [name, ...unready],
    message:
      `${name} has ${String(left + 1)} of ${count(owner.desired, 'replica')} Ready; without Pod ${podKey(pod)} ` +
      `${String(left)} would be left, and ${String(required)} must stay. It goes when ${who} is Ready on a node other than ${node}.`,
    hint: `Find out why ${name} has too few Ready replicas, or lower ${spread.saidBy.minReadyElsewhere}.`,
  };
}

function singletonBlocked({ owner, pod, node, spread }: Spread): Finding {
  const name = ownerName(owner.key);
  return {
    code: 'singleton-blocked',
    severity: 'block',
    node,
    objects: [name, `Pod ${podKey(pod)}`],
    message: `${name} has one replica, Pod ${podKey(pod)}; it would be down while it moves.`,
    hint: `Raise the replicas of ${name} to 2, or set ${spread.saidBy.singletons} to surge or allow.`,
  };
}
