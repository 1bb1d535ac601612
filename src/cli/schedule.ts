import { comingWindows } from '../calendar/comingWindows.js';
import { scheduleJson } from '../console/scheduleJson.js';
import { scheduleText } from '../console/scheduleText.js';
import { print, type CommandIo } from './io.js';
import { openPlaybook } from './openPlaybook.js';

export interface ScheduleOptions {
  readonly file: string;
  /** How many windows. */
  readonly next: number;
  readonly output: 'text' | 'json';
}

/** `turnus schedule`: the coming windows with what freezes and daylight saving make of them. Asks no cluster. */
export async function scheduleCommand(io: CommandIo, options: ScheduleOptions): Promise<number> {
  const { name, schedule } = await openPlaybook(io, options.file);
  const coming = comingWindows({ schedule, now: io.clock.now(), count: options.next });
  const named = { playbook: name, timeZone: schedule.timeZone, coming };
  await print(
    io,
    options.output === 'json' ? JSON.stringify(scheduleJson(named), undefined, 2) : scheduleText(named).join('\n'),
  );
  return 0;
}
