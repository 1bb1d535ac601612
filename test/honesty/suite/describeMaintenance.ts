import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import type { OpenMaintainedSide } from '../side.js';
import { describeInterruptions } from './interruptions.js';
import { maintain } from './maintenance.js';
import type { Maintenance } from './maintenance.js';
import { describeMonth } from './month.js';
import { describeObstacles } from './obstacles.js';
import { describeServerAnswers } from './serverAnswers.js';

/** The scenarios that must end alike on the sandbox and on the real control plane. They share one cluster. */
export function describeMaintenance(title: string, openSide: OpenMaintainedSide): void {
  describe(title, { timeout: 120_000 }, () => {
    let maintenance: Maintenance | undefined;
    const given = (): Maintenance => {
      if (maintenance === undefined) throw new Error('the cluster is not there');
      return maintenance;
    };

    beforeAll(async () => {
      maintenance = maintain(await openSide({ nodes: 5 }));
    }, 120_000);

    afterEach(async () => {
      await maintenance?.endAll();
    });

    afterAll(async () => {
      await maintenance?.side.stop();
    });

    describeMonth(given);
    describeServerAnswers(given);
    describeObstacles(given);
    describeInterruptions(given);
  });
}
