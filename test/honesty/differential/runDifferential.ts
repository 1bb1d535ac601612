import type { OpenSide, Side } from '../side.js';
import { BurstTooSlow } from './applyStep.js';
import { converse, watchFromForgottenVersion } from './conversation.js';
import type { Lane } from './lane.js';
import { playSequence } from './playSequence.js';
import type { Difference } from './playSequence.js';
import { sequenceOf } from './sequence.js';

/** Two clusters beside each other, to which the same is done. */
export interface Differential {
  /** Plays these sequences, some at the same time, and answers where the two were not alike. */
  play(seeds: readonly number[]): Promise<Difference[]>;
  /** What each answers to the same questions. */
  converse(): Promise<[one: readonly string[], other: readonly string[]]>;
  stop(): Promise<void>;
}

/** Sequences at the same time: each has nodes of its own, and waits most of the time. */
const lanes = 4;
const nodesOfLane = 3;
/** How often a sequence is played where the clusters were too slow to be compared. */
const attempts = 4;

export async function openDifferential(openOne: OpenSide, openOther: OpenSide): Promise<Differential> {
  const options = { nodes: lanes * nodesOfLane };
  const one = await openOne(options);
  const other = await openOther(options).catch(async (error: unknown) => {
    await one.stop();
    throw error;
  });
  const sides = [one, other] as const;
  return {
    play: async (seeds) => {
      const left = [...seeds];
      const differences: Difference[] = [];
      const playLane = async (lane: number): Promise<void> => {
        for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
          const difference = await playSeed(sides, { seed, lane });
          if (difference !== undefined) differences.push(difference);
        }
      };
      await Promise.all(Array.from({ length: lanes }, (_, lane) => playLane(lane)));
      return differences;
    },
    converse: async () => await Promise.all([everyAnswer(one), everyAnswer(other)]),
    stop: async () => {
      for (const side of sides) await side.stop();
    },
  };
}

async function playSeed(
  sides: readonly [Side, Side],
  { seed, lane }: { seed: number; lane: number },
): Promise<Difference | undefined> {
  const namespace = `seed-${String(seed)}`;
  const laneOf = (side: Side): Lane => {
    const first = lane * nodesOfLane;
    return { side, namespace, nodes: side.nodeNames.slice(first, first + nodesOfLane) };
  };
  for (const side of sides) await side.createNamespace(namespace);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await playSequence([laneOf(sides[0]), laneOf(sides[1])], sequenceOf(seed));
    } catch (cause) {
      if (!(cause instanceof BurstTooSlow) || attempt === attempts) {
        throw new Error(`sequence ${String(seed)} could not be played`, { cause });
      }
    }
  }
}

async function everyAnswer(side: Side): Promise<readonly string[]> {
  const answers = await converse(side, 'conversation');
  await side.forgetHistory();
  return [...answers, `a watch from a forgotten version: ${await watchFromForgottenVersion(side, '1')}`];
}
