import type { RunState } from '../run/state.js';
import type { PlanAnnouncement } from './playbooks/announcePlans.js';
import type { Acting } from './acts/actFor.js';
import type { DeskOptions } from './playbooks/desk.js';
import type { OwnObjects, OwnObjectsOptions } from './ownObjects.js';

/** All that `turnus serve` works with. */
export interface Serving
  extends
    Omit<Acting, 'log'>,
    Pick<DeskOptions, 'source' | 'clusterUid' | 'namespace' | 'onJudged' | 'onForgotten'>,
    Pick<OwnObjectsOptions, 'withPlaybooks' | 'onProblem'> {
  readonly log: (event: string, fields: { readonly playbook?: string; readonly run?: string }, text: string) => void;
  /** Aborts with {@link HandOver} when the process has to end. */
  readonly stop: AbortSignal;
  /** Aborts when there is no more time: what is in work is left as it is at this moment. */
  readonly hurry: AbortSignal;
  /** Runs whose own node this process has left to others before. */
  readonly leftToOthers: Set<string>;
  readonly onWatching: (own: OwnObjects) => void;
  readonly onWaiting: (holder: string) => void;
  readonly onLead: (leads: boolean) => void;
  readonly onRun: (state: RunState, playbook: string) => void;
  readonly onRunLeft: (playbook: string) => void;
  readonly onPlan: (announcement: PlanAnnouncement) => void;
}
