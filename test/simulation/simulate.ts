import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bigNight, generateNight } from './generateNight.js';
import type { Night, NightEnd, Violation } from './night.js';
import { nightText, timeText } from './nightText.js';
import { playNights, serveNights } from './nightWorkers.js';
import { playNight } from './playNight.js';
import { shrinkNight, withoutParts } from './shrinkNight.js';
import { story } from './story.js';
import { playYearOf, simulateYear, simulateYears } from './years/simulateYears.js';

/*
 * npm run simulate -- --nights 10000            plays the nights of the seeds 1 to 10000
 * npm run simulate -- --seed 17 --verbose       plays one night again and tells it
 * npm run simulate -- --seed 17 --without t1,w2 the same without a trouble and a workload
 * npm run simulate -- --night FILE              plays a night that is written as JSON
 * npm run simulate -- --big 100                 plays a quiet night of so many nodes, for figures
 * npm run simulate -- --invariants a,b          counts the violations of these invariants alone
 * npm run simulate -- --years 20                plays the years of the seeds 1 to 20
 * npm run simulate -- --years 1 --seed 7        plays one year again; with --verbose and --without as for nights
 * npm run simulate -- --year FILE               plays a year that is written as JSON
 */
const { values: options } = parseArgs({
  options: {
    nights: { type: 'string', default: '1000' },
    'first-seed': { type: 'string', default: '1' },
    seed: { type: 'string' },
    night: { type: 'string' },
    big: { type: 'string' },
    years: { type: 'string' },
    year: { type: 'string' },
    without: { type: 'string', default: '' },
    invariants: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    'until-failure': { type: 'boolean', default: false },
    'no-shrinking': { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
  },
});

/** Nights that are played to make a failing one smaller. */
const shrinkingTries = 150;
/** Invariants of which a failing night is made smaller. */
const mostShrunk = 3;

const program = fileURLToPath(import.meta.url);

if (options.worker && options.years !== undefined) serveNights(playYearOf);
else if (options.worker) serveNights(playNightOf);
else if (options.years !== undefined || options.year !== undefined) process.exitCode = await playYears();
else if (isOneNight()) process.exitCode = await playOne(await readNight());
else process.exitCode = await playMany();

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What a worker answers of a night: all but the night itself, which its seed tells. */
type PlayedNight = Omit<NightEnd, 'night'>;

async function playNightOf(seed: number): Promise<PlayedNight> {
  const { night: _night, ...end } = await playNight(generateNight(seed));
  return end;
}

async function playYears(): Promise<number> {
  const without = options.without.split(',').filter((name) => name !== '');
  const { year: file, seed, verbose: isVerbose } = options;
  if (file !== undefined || seed !== undefined) {
    return await simulateYear({
      seed: seed === undefined ? 1 : wholeNumber('seed', seed),
      file,
      without,
      isVerbose,
      say,
    });
  }
  return await simulateYears({
    program,
    args: ['--worker', '--years', '0'],
    years: wholeNumber('years', options.years ?? ''),
    firstSeed: wholeNumber('first-seed', options['first-seed']),
    workers: Math.max(1, wholeNumber('workers', options.workers)),
    untilFailure: options['until-failure'],
    isShrinking: !options['no-shrinking'],
    isCounted,
    say,
  });
}

function isOneNight(): boolean {
  return options.seed !== undefined || options.night !== undefined || options.big !== undefined;
}

async function readNight(): Promise<Night> {
  if (options.big !== undefined) return bigNight(wholeNumber('big', options.big));
  const night =
    options.night === undefined
      ? generateNight(wholeNumber('seed', options.seed ?? ''))
      : (JSON.parse(await readFile(options.night, 'utf8')) as Night);
  return withoutParts(
    night,
    options.without.split(',').filter((name) => name !== ''),
  );
}

async function playOne(night: Night): Promise<number> {
  for (const line of nightText(night)) say(line);
  const started = performance.now();
  const end = await playNight(night, options.verbose ? { witnesses: [story(say)], log: say } : {});
  const { phases, lastedMs, events, evictions, jobs, reboots, crashes, violations } = end;
  say(
    `lasted ${timeText(lastedMs)}: ${events} events, ${evictions} evictions, ${jobs} jobs, ${reboots} boots, ${crashes} crashes; turns ${JSON.stringify(phases)}; played in ${Math.round(performance.now() - started)} ms`,
  );
  for (const violation of violations) say(violationText(violation));
  return violations.length === 0 ? 0 : 1;
}

async function playMany(): Promise<number> {
  const nights = wholeNumber('nights', options.nights);
  const started = performance.now();
  const figures = { nights: 0, events: 0, evictions: 0, crashes: 0, hours: 0 };
  const failed: (PlayedNight & { readonly seed: number })[] = [];
  let saidAt = started;
  await playNights<PlayedNight>({
    program,
    args: ['--worker'],
    firstSeed: wholeNumber('first-seed', options['first-seed']),
    nights,
    workers: Math.max(1, wholeNumber('workers', options.workers)),
    onNight(played) {
      const night = { ...played, violations: played.violations.filter(isCounted) };
      figures.nights += 1;
      figures.events += night.events;
      figures.evictions += night.evictions;
      figures.crashes += night.crashes;
      figures.hours += night.lastedMs / 3_600_000;
      if (night.violations.length > 0) {
        failed.push(night);
        say(`seed ${night.seed}:`);
        for (const violation of night.violations) say(violationText(violation));
      }
      if (performance.now() - saidAt > 10_000) {
        saidAt = performance.now();
        say(`${figures.nights} of ${nights} nights, ${failed.length} failed`);
      }
      return !(options['until-failure'] && failed.length > 0);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  if (!options['no-shrinking']) await shrink(failed);
  const rate = (figures.nights / seconds).toFixed(1);
  say(
    `${figures.nights} nights of ${Math.round(figures.hours)} hours: ${figures.events} events, ${figures.evictions} evictions, ${figures.crashes} crashes, ${rate} nights/s; ${outcome(failed)}`,
  );
  return failed.length === 0 ? 0 : 1;
}

function isCounted({ invariant }: Violation): boolean {
  return options.invariants === undefined || options.invariants.split(',').includes(invariant);
}

function outcome(failed: readonly { readonly seed: number }[]): string {
  if (failed.length === 0) return 'every invariant held';
  const seeds = failed.map(({ seed }) => seed).sort((one, other) => one - other);
  return `${failed.length} failed, seeds ${seeds.join(' ')}`;
}

/** Of each invariant that failed the first night, made smaller. */
async function shrink(
  failed: readonly { readonly seed: number; readonly violations: readonly Violation[] }[],
): Promise<void> {
  const done = new Set<string>();
  for (const { seed, violations } of failed) {
    const [first] = violations;
    if (first === undefined || done.has(first.invariant) || done.size >= mostShrunk) continue;
    const { invariant } = first;
    done.add(invariant);
    const shrunk = await shrinkNight({
      night: generateNight(seed),
      play: async (night) => (await playNight(night)).violations,
      invariant,
      tries: shrinkingTries,
    });
    say(`\n${invariant}, made smaller in ${shrunk.tried} nights:`);
    for (const line of nightText(shrunk.night)) say(`  ${line}`);
    if (shrunk.violation !== undefined) say(violationText(shrunk.violation));
    const without = shrunk.without.length === 0 ? '' : ` --without ${shrunk.without.join(',')}`;
    say(`  npm run simulate -- --seed ${seed}${without} --verbose`);
    if (shrunk.simplified) say(`  the plainer night, for --night FILE: ${JSON.stringify(shrunk.night)}`);
  }
}

function violationText({ invariant, atMs, message }: Violation): string {
  return `  ${timeText(atMs)} ${invariant}: ${message}`;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${name} wants a whole number, not "${text}"`);
  return Number(text);
}
