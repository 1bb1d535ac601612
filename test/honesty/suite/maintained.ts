import { afterAll, afterEach, beforeAll } from 'vitest';
import type { OpenMaintainedSide } from '../side.js';
import { maintain } from './maintenance.js';
import type { Maintenance } from './maintenance.js';

/** A cluster of four nodes for the tests of one `describe`, which it begins; answers it while they run. */
export function maintained(openSide: OpenMaintainedSide): () => Maintenance {
  let maintenance: Maintenance | undefined;

  beforeAll(async () => {
    maintenance = maintain(await openSide({ nodes: 4 }));
  }, 120_000);

  afterEach(async () => {
    await maintenance?.endAll();
  });

  afterAll(async () => {
    await maintenance?.side.stop();
  }, 60_000);

  return () => {
    if (maintenance === undefined) throw new Error('the cluster is not there');
    return maintenance;
  };
}
