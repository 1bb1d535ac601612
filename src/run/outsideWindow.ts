import type { ScheduleState } from '../calendar/decide.js';
import { localText } from '../calendar/localText.js';
import { TurnusError } from '../turnusError.js';

/** No turn may start now: nothing was touched. Exit code 5. */
export class OutsideWindow extends TurnusError {
  /** When turns may start again, milliseconds since the epoch; undefined where that is never. */
  readonly opensAt: number | undefined;

  constructor(request: {
    readonly window: Extract<ScheduleState, { kind: 'closed' }>;
    readonly playbook: string;
    readonly timeZone: string;
  }) {
    const { window, playbook, timeZone } = request;
    const { opensAt, frozenBy } = window;
    const next =
      opensAt === undefined ? 'no further window opens' : `the next window opens at ${localText(opensAt, timeZone)}`;
    super({
      code: 'outside-window',
      message:
        frozenBy === undefined
          ? `Playbook ${playbook} is outside of its windows; ${next}. Nothing was done.`
          : `Playbook ${playbook} is frozen (${frozenBy}); ${next}. Nothing was done.`,
      hint:
        frozenBy === undefined
          ? 'To wait for it: --wait. To start now all the same: --now --reason TEXT, which is recorded. All windows: turnus schedule -f PLAYBOOK'
          : `To wait for it: --wait. To start all the same: --override-freeze ${JSON.stringify(frozenBy)} --reason TEXT, which is recorded. All freezes: turnus schedule -f PLAYBOOK`,
      exitCode: 5,
    });
    this.opensAt = opensAt;
  }
}
