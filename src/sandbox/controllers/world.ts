import type { SimulatedApi } from '../api/simulatedApi.js';
import type { SeededRandom } from '../seededRandom.js';
import type { Timeline } from '../timeline.js';
import type { ClusterState } from './clusterState.js';
import type { Pace, Span } from './pace.js';

/** What every controller is given. */
export interface World {
  readonly api: SimulatedApi;
  readonly state: ClusterState;
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly pace: Pace;
}

/** Some time within the span. */
export function within({ least, most }: Span, random: SeededRandom): number {
  return random.between(least, most);
}
