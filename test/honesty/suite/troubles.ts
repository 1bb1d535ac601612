import { describe } from 'vitest';
import type { OpenMaintainedSide } from '../side.js';
import { describeDrainFaults } from './drainFaults.js';
import { describeInterruptions } from './interruptions.js';
import { maintained } from './maintained.js';
import { describeObstacles } from './obstacles.js';
import { describeServerAnswers } from './serverAnswers.js';
import { describeSingletons } from './singletons.js';
import { describeStages } from './stages.js';
import { describeWindows } from './windows.js';

/** What may go wrong in a cluster, one trouble after the other. */
export function describeTroubles(place: string, openSide: OpenMaintainedSide): void {
  describe(`troubles on ${place}`, { timeout: 120_000 }, () => {
    const given = maintained(openSide);
    describeServerAnswers(given);
    describeObstacles(given);
    describeDrainFaults(given);
    describeInterruptions(given);
    describeSingletons(given);
    describeStages(given);
    describeWindows(given);
  });
}
