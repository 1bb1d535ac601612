import type { Violation } from '../night.js';
import type { Year } from './year.js';

export interface YearShrinking {
  /** Fails when it is played. */
  readonly year: Year;
  /** Plays a year and answers what went wrong in it. */
  readonly play: (year: Year) => Promise<readonly Violation[]>;
  readonly violation: Violation;
  /** Years that may be played. */
  readonly tries: number;
}

export interface ShrunkYear {
  readonly year: Year;
  readonly violation: Violation;
  readonly tried: number;
}

/**
 * Makes a failing year smaller while the same invariant fails: ends it after the failure, then leaves out calls, troubles,
 * crashes, freezes, workloads and nodes, first half of them at once, in the end each by itself.
 */
export async function shrinkYear({ year, play, violation, tries }: YearShrinking): Promise<ShrunkYear> {
  let smallest = year;
  let found = violation;
  let tried = 0;
  const stillFails = async (candidate: Year): Promise<boolean> => {
    if (tried >= tries || candidate.nodes.length === 0) return false;
    tried += 1;
    // What is left out may have been needed: a year that cannot be played is no smaller one.
    const violations = await play(candidate).catch(() => []);
    const same = violations.find(({ invariant }) => invariant === violation.invariant);
    if (same === undefined) return false;
    smallest = candidate;
    found = same;
    return true;
  };
  await stillFails(endedAt(smallest, year.beginsAt + violation.atMs + afterwardsMs));
  for (let size = Math.ceil(partsOf(smallest).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    const parts = [...partsOf(smallest)];
    for (let place = 0; place < parts.length; place += size) {
      await stillFails(withoutParts(smallest, parts.slice(place, place + size)));
    }
  }
  return { year: smallest, violation: found, tried };
}

const afterwardsMs = 3_600_000;

function endedAt(year: Year, endsAt: number): Year {
  const isBefore = ({ at }: { readonly at: number }) => at < endsAt;
  return { ...year, endsAt, calls: year.calls.filter(isBefore), troubles: year.troubles.filter(isBefore) };
}

/** What can be left out, in the order in which it is tried. A call's crash goes without the call. */
function partsOf({ calls, troubles, workloads, nodes, schedule }: Year): readonly string[] {
  return [
    ...troubles.map(({ id }) => id),
    ...calls.flatMap(({ id, crash }) => (crash === undefined ? [] : `${id}.crash`)),
    ...calls.map(({ id }) => id),
    ...schedule.freezes.map(({ name }) => name),
    ...workloads.map(({ name }) => name),
    ...nodes.map(({ name }) => name),
  ];
}

/** The year without these calls, crashes, troubles, freezes, workloads and nodes; what refers to them goes too. */
export function withoutParts(year: Year, names: readonly string[]): Year {
  const isLeft = (name: string) => !names.includes(name);
  const { schedule } = year;
  return {
    ...year,
    nodes: year.nodes.filter(({ name }) => isLeft(name)),
    workloads: year.workloads.filter(({ name }) => isLeft(name)),
    schedule: { ...schedule, freezes: schedule.freezes.filter(({ name }) => isLeft(name)) },
    calls: year.calls
      .filter(({ id }) => isLeft(id))
      .map(({ crash, ...call }) => (crash === undefined || !isLeft(`${call.id}.crash`) ? call : { ...call, crash })),
    troubles: year.troubles.filter(
      ({ id, what }) =>
        isLeft(id) && (!('workload' in what) || isLeft(what.workload)) && (!('node' in what) || isLeft(what.node)),
    ),
  };
}
