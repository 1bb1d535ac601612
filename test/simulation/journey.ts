import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { ActorLife, NightTime } from './actorLife.js';
import type { Call, Witness } from './witness.js';

/** Who makes calls, and who sees it. */
export interface Caller {
  readonly actor: string;
  readonly time: NightTime;
  readonly random: SeededRandom;
  readonly life: ActorLife;
  readonly witnesses: readonly Witness[];
}

/** One call on its way to the other side and back. */
export interface Journey<T extends { readonly kind: string }> {
  readonly call: Omit<Call, 'actor' | 'number'>;
  readonly outMs: number;
  /** Decides on the other side, at the moment of arrival. Undefined: it does not get there. */
  readonly arrive: () => T | undefined | Promise<T>;
  /** From the decision to the moment at which the actor hears something. */
  readonly backMs: (answer: T | undefined) => number;
  /** What the actor hears then. */
  readonly hear: (answer: T | undefined) => T;
}

/** A write whose caller stops waiting while it is under way arrives all the same with this probability … */
const arrivesUnheard = 0.5;
/** … unless it is held up for longer than this: then the connection is closed before. */
const longestUnheardMs = 4000;

/**
 * Makes a call. It settles when the actor hears the answer, rejects as soon as the signal aborts, and never settles
 * where the actor dies before that. What is on its way when the actor dies gets lost.
 */
export function travel<T extends { readonly kind: string }>(
  caller: Caller,
  journey: Journey<T>,
  signal: AbortSignal,
): Promise<T> {
  const { life, time, witnesses } = caller;
  return new Promise<T>((resolve, reject) => {
    if (life.isDead) return;
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const fate = life.countCall();
    if (fate === 'dies-before') {
      life.crash();
      return;
    }
    const call: Call = { ...journey.call, actor: caller.actor, number: life.calls };
    for (const witness of witnesses) witness.sent?.(call);

    let isUnderWay = true;
    const answered = (answer: T | undefined) => {
      if (answer !== undefined) for (const witness of witnesses) witness.arrived?.(call, answer);
      if (fate === 'dies-after') life.crash();
      if (life.isDead || signal.aborted) return;
      cancel = time.after(journey.backMs(answer), () => {
        signal.removeEventListener('abort', onAbort);
        if (!life.isDead) resolve(journey.hear(answer));
      });
    };
    const arrive = () => {
      isUnderWay = false;
      if (life.isDead) return;
      const answer = journey.arrive();
      if (answer instanceof Promise) answer.then(answered, reject);
      else answered(answer);
    };
    let cancel: () => void = () => undefined;
    if (journey.outMs === 0) arrive();
    else cancel = time.after(journey.outMs, arrive);
    const onAbort = () => {
      const mayGoOn = isUnderWay && call.isOutward && journey.outMs <= longestUnheardMs;
      const goesOn = mayGoOn && caller.random.chance(arrivesUnheard);
      if (!goesOn) cancel();
      if (!goesOn && isUnderWay && fate === 'dies-after') life.crash();
      if (!life.isDead) reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The way of a question, milliseconds: mostly it is there at once, and all the time goes by until it is answered. */
export function questionMs(random: SeededRandom): number {
  return random.chance(0.75) ? 0 : latencyMs(random);
}

/** One way on the network, milliseconds: short, now and then long. */
export function latencyMs(random: SeededRandom): number {
  const draw = random.next();
  return draw < 0.98 ? 1 + Math.floor((draw / 0.98) * 30) : 200 + Math.floor((draw - 0.98) * 30_000);
}
