import type { ApiAnswer, ApiFailure, ClusterPort } from './clusterPort.js';
import { inParallel } from './inParallel.js';
import { numberOf, recordOf, stringOf } from './json.js';
import type { ControllerReference, OwnerView } from './view.js';
import type { Clock } from '../time/clock.js';

/** A controller of another kind than Kubernetes' own, and the namespace it lives in. */
export interface ForeignOwner extends ControllerReference {
  readonly namespace: string;
}

/**
 * Owners that no watch tells about: custom kinds, found through discovery and read through their `scale` subresource,
 * as the disruption controller does (pkg/controller/disruption/disruption.go, getScaleController).
 */
export class ScaleOwners {
  readonly #cluster: ClusterPort;
  readonly #clock: Clock;
  readonly #onProblem: (owner: ForeignOwner, failure: ApiFailure) => void;
  readonly #known = new Map<string, { readonly view: OwnerView; readonly readAt: number }>();
  readonly #wanted = new Map<string, ForeignOwner>();
  #notify: () => void = () => undefined;
  #changes = 0;

  constructor(options: {
    readonly cluster: ClusterPort;
    readonly clock: Clock;
    readonly onProblem: (owner: ForeignOwner, failure: ApiFailure) => void;
  }) {
    this.#cluster = options.cluster;
    this.#clock = options.clock;
    this.#onProblem = options.onProblem;
  }

  /** Counts how often an owner has turned out different. */
  get changes(): number {
    return this.#changes;
  }

  /** The owner as last read; without desired replicas where it has no scale or was not read yet. */
  viewOf(owner: ForeignOwner): OwnerView {
    return this.#known.get(owner.uid)?.view ?? viewOf(owner, { desired: undefined, terminating: false });
  }

  /** Notes that this owner is of interest; {@link readNoted} and {@link follow} read it. */
  note(owner: ForeignOwner): void {
    if (this.#wanted.has(owner.uid) || this.#isFresh(owner.uid)) return;
    this.#wanted.set(owner.uid, owner);
    this.#notify();
  }

  /** Reads those of these owners that were not read within the last 30 s. */
  async read(owners: readonly ForeignOwner[], signal: AbortSignal): Promise<void> {
    const due = new Map(owners.filter(({ uid }) => !this.#isFresh(uid)).map((owner) => [owner.uid, owner]));
    await inParallel([...due.values()], parallelReads, async (owner) => {
      await this.#readOne(owner, signal);
    });
  }

  /** Reads what was noted. */
  async readNoted(signal: AbortSignal): Promise<void> {
    const owners = [...this.#wanted.values()];
    this.#wanted.clear();
    await this.read(owners, signal);
  }

  /** Reads owners as they are noted, until the signal aborts; `onChange` hears of each round that changed something. */
  async follow(onChange: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#wanted.size === 0) await this.#nextNote(signal);
      const before = this.#changes;
      await this.readNoted(signal);
      if (this.#changes !== before) onChange();
    }
  }

  /** Forgets owners that nobody refers to any more, once there are many of them. */
  forgetExcept(referred: ReadonlySet<string>): void {
    if (this.#known.size <= 2 * referred.size + 100) return;
    for (const uid of this.#known.keys()) if (!referred.has(uid)) this.#known.delete(uid);
  }

  #isFresh(uid: string): boolean {
    const known = this.#known.get(uid);
    return known !== undefined && this.#clock.monotonic() - known.readAt < freshMs;
  }

  async #readOne(owner: ForeignOwner, signal: AbortSignal): Promise<void> {
    const answer = await this.#desiredOf(owner, signal);
    const former = this.#known.get(owner.uid)?.view;
    // Where it cannot be read now, what was known before is the best there is; it is asked again later.
    if (answer.kind !== 'ok') this.#onProblem(owner, answer);
    const view =
      answer.kind === 'ok'
        ? viewOf(owner, answer.value)
        : (former ?? viewOf(owner, { desired: undefined, terminating: false }));
    this.#known.set(owner.uid, { view, readAt: this.#clock.monotonic() });
    if (former?.desired !== view.desired || former?.terminating !== view.terminating) this.#changes += 1;
  }

  async #desiredOf(
    owner: ForeignOwner,
    signal: AbortSignal,
  ): Promise<ApiAnswer<{ desired: number | undefined; terminating: boolean }>> {
    const found = await this.#cluster.discover(owner, signal);
    if (found.kind === 'not-found') return { kind: 'ok', value: { desired: undefined, terminating: false } };
    if (found.kind !== 'ok') return found;
    const { scalable, ...resource } = found.value;
    if (!scalable) return { kind: 'ok', value: { desired: undefined, terminating: false } };
    const { namespace, name } = owner;
    const scale = await this.#cluster.get(
      { resource, ...(resource.namespaced ? { namespace } : {}), name, subresource: 'scale' },
      signal,
    );
    if (scale.kind === 'not-found') return { kind: 'ok', value: { desired: undefined, terminating: true } };
    if (scale.kind !== 'ok') return scale;
    const uid = stringOf(scale.value.metadata.uid) ?? owner.uid;
    // A namesake with another UID: the owner meant is gone.
    if (uid !== owner.uid) return { kind: 'ok', value: { desired: undefined, terminating: true } };
    // Go leaves out a replica count of zero.
    const desired = numberOf(recordOf(scale.value['spec'])['replicas']) ?? 0;
    return { kind: 'ok', value: { desired, terminating: scale.value.metadata.deletionTimestamp !== undefined } };
  }

  async #nextNote(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#notify = () => undefined;
        resolve();
      };
      this.#notify = wake;
      signal.addEventListener('abort', wake, { once: true });
      if (signal.aborted) wake();
    });
  }
}

/** How long a scale that was read counts as known. */
const freshMs = 30_000;

const parallelReads = 8;

function viewOf(
  { namespace, apiVersion, kind, name, uid }: ForeignOwner,
  scale: { readonly desired: number | undefined; readonly terminating: boolean },
): OwnerView {
  return { namespace, apiVersion, kind, name, uid, ...scale };
}
