import { withoutFreeze, withoutWindows, type Schedule } from '../calendar/schedule.js';
import { isPassing } from '../cluster/passingFailure.js';
import { TurnusError } from '../turnusError.js';
import { parseRun, runResource, type RunObject } from './objects.js';
import type { RunSpec } from './state.js';
import { required, stateFailure, type StateWriter } from './stateWrite.js';
import { timestamp } from './turnContext.js';

/** What a call of `run` does not keep to, with the reason that was given for it. */
export interface Overrides {
  /** `--now`: turns start outside of windows too. Freezes hold all the same. */
  readonly windows: boolean;
  /** `--override-freeze`: names of freezes in which turns start. */
  readonly freezes: readonly string[];
}

export const noOverrides: Overrides = { windows: false, freezes: [] };

/** The schedule that is left. @throws TurnusError `no-such-freeze` */
export function overriddenSchedule(schedule: Schedule, { windows, freezes }: Overrides): Schedule {
  const names = schedule.freezes.map(({ name }) => name);
  const unknown = freezes.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const known = names.map((name) => JSON.stringify(name)).join(', ');
    throw new TurnusError({
      code: 'no-such-freeze',
      message: `The playbook has no freeze ${JSON.stringify(unknown)} that could be overridden.`,
      hint: names.length === 0 ? 'It has no freezes.' : `Its freezes: ${known}.`,
    });
  }
  const thawed = freezes.reduce(withoutFreeze, schedule);
  return windows ? withoutWindows(thawed) : thawed;
}

type WrittenOverride = NonNullable<NonNullable<RunSpec['desired']>['overrides']>[number];

/** Each override in words: `windows`, `freeze Year end`. */
export function overridesInWords({ windows, freezes }: Overrides): string[] {
  return [...(windows ? ['windows'] : []), ...freezes.map((name) => `freeze ${name}`)];
}

/** So many are kept in the run; the journal has all. */
const kept = 100;
const attempts = 10;
const pauseMs = 1000;

/** Writes into the run's spec what this call does not keep to, who says so and why. Before anything is done because of it. */
export async function recordOverrides(
  writer: StateWriter,
  request: { readonly run: RunObject; readonly overrides: Overrides; readonly by: string; readonly reason: string },
  signal: AbortSignal,
): Promise<RunObject> {
  const { cluster, clock, namespace } = writer;
  const what = overridesInWords(request.overrides);
  if (what.length === 0) return request.run;
  const time = timestamp(clock);
  const more = what.map((each): WrittenOverride => ({ what: each, by: request.by, reason: request.reason, time }));
  let { run } = request;
  for (let attempt = 1; ; attempt += 1) {
    const before = (run.spec.desired?.overrides ?? []).filter((override) => override.time !== time);
    const overrides = [...before, ...more].slice(-kept);
    const body = {
      metadata: { resourceVersion: run.resourceVersion, uid: run.uid },
      spec: { desired: { state: run.spec.desired?.state ?? 'Run', overrides } },
    };
    const answer = await cluster.patch(
      { resource: runResource, namespace, name: run.name, patch: { type: 'merge', body } },
      signal,
    );
    if (answer.kind === 'ok') return parseRun(answer.value);
    const mayPass = answer.kind === 'conflict' || isPassing(answer);
    if (!mayPass || attempt === attempts)
      throw stateFailure(answer, `record in MaintenanceRun ${run.name} what is overridden`);
    await clock.sleep(pauseMs, signal);
    const read = await cluster.get({ resource: runResource, namespace, name: run.name }, signal);
    run = parseRun(required(read, `read MaintenanceRun ${run.name}`));
  }
}
