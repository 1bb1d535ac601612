import type { Invariant, NightScene } from '../witness.js';
import { anchoredBeforeActing } from './anchoredBeforeActing.js';
import { doneOnce } from './doneOnce.js';
import { drainFinishes } from './drainFinishes.js';
import { duringTurnIsRestored } from './duringTurnIsRestored.js';
import { evictionsNameTheirPod } from './evictionsNameTheirPod.js';
import { foreignStays } from './foreignStays.js';
import { gatesDecide } from './gatesDecide.js';
import { holdIsKept } from './holdIsKept.js';
import { jobsOnce } from './jobsOnce.js';
import { journalVerifies } from './journalVerifies.js';
import { lastBackendStays } from './lastBackendStays.js';
import { lastReplicaStays } from './lastReplicaStays.js';
import { leaseHolderActs } from './leaseHolderActs.js';
import { leftComesBack } from './leftComesBack.js';
import { maxUnavailableHolds } from './maxUnavailableHolds.js';
import { noMarkIsLeft } from './noMarkIsLeft.js';
import { oneActorActs } from './oneActorActs.js';
import { oneZoneAtATime } from './oneZoneAtATime.js';
import { onlyEmptyHostsAreTouched } from './onlyEmptyHostsAreTouched.js';
import { overridesAreKept } from './overridesAreKept.js';
import { refusedEvictionsRest } from './refusedEvictionsRest.js';
import { runEnds } from './runEnds.js';
import { shortOwnersKeepNodes } from './shortOwnersKeepNodes.js';
import { singletonsStayUp } from './singletonsStayUp.js';
import { steeringHolds } from './steeringHolds.js';
import { told, type Told } from './told.js';
import { truthOf } from './truth.js';
import { uncordonAfterProof } from './uncordonAfterProof.js';
import { waitsAreSaid } from './waitsAreSaid.js';
import type { MakeInvariant, WatchedNight } from './watchedNight.js';

/** What must hold in every night, by the names that violations carry. */
export const invariants: Readonly<Record<string, MakeInvariant>> = {
  'anchored-before-acting': anchoredBeforeActing,
  'done-once': doneOnce,
  'drain-finishes': drainFinishes,
  'during-turn-is-restored': duringTurnIsRestored,
  'evictions-name-their-pod': evictionsNameTheirPod,
  'foreign-stays': foreignStays,
  'gates-decide': gatesDecide,
  'hold-is-kept': holdIsKept,
  'jobs-once': jobsOnce,
  'journal-verifies': journalVerifies,
  'last-backend-stays': lastBackendStays,
  'last-replica-stays': lastReplicaStays,
  'lease-holder-acts': leaseHolderActs,
  'left-comes-back': leftComesBack,
  'max-unavailable-holds': maxUnavailableHolds,
  'no-mark-is-left': noMarkIsLeft,
  'one-actor-acts': oneActorActs,
  'one-zone-at-a-time': oneZoneAtATime,
  'only-empty-hosts-are-touched': onlyEmptyHostsAreTouched,
  'overrides-are-kept': overridesAreKept,
  'refused-evictions-rest': refusedEvictionsRest,
  'run-ends': runEnds,
  'short-owners-keep-nodes': shortOwnersKeepNodes,
  'singletons-stay-up': singletonsStayUp,
  'steering-holds': steeringHolds,
  'uncordon-after-proof': uncordonAfterProof,
  'waits-are-said': waitsAreSaid,
};

/** All invariants as one witness. */
export function nightWatch(scene: NightScene): Invariant {
  const known = told(scene.elapsedMs);
  const night: WatchedNight = { ...scene, truth: truthOf(scene.api), told: known };
  return together(
    known,
    Object.values(invariants).map((make) => make(night)),
  );
}

/** These invariants as one, told of everything after `known`. */
export function together(known: Told, all: readonly Invariant[]): Invariant {
  // Called thousands of times a night: only those that listen are asked.
  const hear = {
    sent: all.filter((one) => 'sent' in one),
    arrived: all.filter((one) => 'arrived' in one),
    told: all.filter((one) => 'told' in one),
    changed: all.filter((one) => 'changed' in one),
  };
  return {
    sent(call) {
      known.sent(call);
      for (const one of hear.sent) one.sent?.(call);
    },
    arrived(call, answer) {
      known.arrived(call, answer);
      for (const one of hear.arrived) one.arrived?.(call, answer);
    },
    told(actor, news) {
      known.take(actor, news);
      for (const one of hear.told) one.told?.(actor, news);
    },
    changed(change) {
      for (const one of hear.changed) one.changed?.(change);
    },
    onHost(event) {
      for (const one of all) one.onHost?.(event);
    },
    actor(event) {
      for (const one of all) one.actor?.(event);
    },
    async atEnd(end) {
      for (const one of all) await one.atEnd?.(end);
    },
    violations: () => all.flatMap((one) => one.violations()).sort((one, other) => one.atMs - other.atMs),
  };
}
