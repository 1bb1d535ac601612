import { readFile } from 'node:fs/promises';
import type { Violation } from '../night.js';
import { playNights } from '../nightWorkers.js';
import { story } from '../story.js';
import { generateYear } from './generateYear.js';
import { playYear } from './playYear.js';
import { shrinkYear, withoutParts } from './shrinkYear.js';
import type { Year, YearEnd } from './year.js';
import { violationOfYear, yearText } from './yearText.js';

export interface YearsToSimulate {
  /** Path of the program that serves years when it is started with `args`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly years: number;
  readonly firstSeed: number;
  readonly workers: number;
  readonly untilFailure: boolean;
  readonly isShrinking: boolean;
  readonly isCounted: (violation: Violation) => boolean;
  readonly say: (line: string) => void;
}

type Played = Omit<YearEnd, 'year'>;

/** Years that are played to make a failing one smaller. */
const shrinkingTries = 60;
/** Invariants of which a failing year is made smaller. */
const mostShrunk = 2;

/** For a worker: the year of a seed, without what the seed tells. */
export async function playYearOf(seed: number): Promise<Played> {
  const { year: _year, ...end } = await playYear(generateYear(seed));
  return end;
}

/** Plays the years of so many seeds and says what failed; answers the exit code. */
export async function simulateYears(request: YearsToSimulate): Promise<number> {
  const { say } = request;
  const started = performance.now();
  const figures = { years: 0, events: 0, turns: 0, windows: 0, crashes: 0 };
  const calls: Record<string, number> = {};
  const failed: (Played & { readonly seed: number })[] = [];
  await playNights<Played>({
    ...request,
    nights: request.years,
    onNight(played) {
      const violations = played.violations.filter(request.isCounted);
      figures.years += 1;
      figures.events += played.events;
      figures.turns += played.turns;
      figures.windows += played.windows;
      for (const [how, count] of Object.entries(played.calls)) calls[how] = (calls[how] ?? 0) + count;
      if (violations.length > 0) {
        failed.push({ ...played, violations });
        const year = generateYear(played.seed);
        say(`seed ${played.seed}:`);
        for (const violation of violations) say(violationOfYear(year, violation));
      }
      return !(request.untilFailure && failed.length > 0);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  if (request.isShrinking) await shrink(failed, say);
  const seeds = failed.map(({ seed }) => seed).sort((one, other) => one - other);
  say(
    `${figures.years} years, ${figures.windows} windows, ${figures.turns} turns, calls by exit code ${JSON.stringify(calls)}, ${figures.events} events, ${(seconds / figures.years).toFixed(2)} s a year; ${failed.length === 0 ? 'every invariant held' : `${failed.length} failed, seeds ${seeds.join(' ')}`}`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** Of each invariant that failed the first year, made smaller. */
async function shrink(
  failed: readonly { readonly seed: number; readonly violations: readonly Violation[] }[],
  say: (line: string) => void,
): Promise<void> {
  const done = new Set<string>();
  for (const { seed, violations } of failed) {
    const [first] = violations;
    if (first === undefined || done.has(first.invariant) || done.size >= mostShrunk) continue;
    done.add(first.invariant);
    const shrunk = await shrinkYear({
      year: generateYear(seed),
      play: async (year) => (await playYear(year)).violations,
      violation: first,
      tries: shrinkingTries,
    });
    say(`\n${first.invariant}, made smaller in ${shrunk.tried} years:`);
    for (const line of yearText(shrunk.year)) say(`  ${line}`);
    say(violationOfYear(shrunk.year, shrunk.violation));
    say(`  for --year FILE: ${JSON.stringify(shrunk.year)}`);
  }
}

/** Plays one year, of a seed or from a file, and tells it where that is wanted; answers the exit code. */
export async function simulateYear(request: {
  readonly seed: number | undefined;
  readonly file: string | undefined;
  /** Calls, crashes, troubles, freezes, workloads and nodes that are left out. */
  readonly without: readonly string[];
  readonly isVerbose: boolean;
  readonly say: (line: string) => void;
}): Promise<number> {
  const { seed = 1, file, without, isVerbose, say } = request;
  const read = file === undefined ? generateYear(seed) : (JSON.parse(await readFile(file, 'utf8')) as Year);
  const year = withoutParts(read, without);
  for (const line of yearText(year)) say(line);
  const started = performance.now();
  const { violations, ...end } = await playYear(year, isVerbose ? { witnesses: [story(say)], log: say } : {});
  const { events, calls, turns, runs, windows, months } = end;
  say(
    `${windows} windows in ${months} months, ${turns} turns; calls by exit code ${JSON.stringify(calls)}; runs ${JSON.stringify(runs)}; ${events} events, played in ${Math.round(performance.now() - started)} ms`,
  );
  for (const violation of violations) say(violationOfYear(year, violation));
  return violations.length === 0 ? 0 : 1;
}
