import { stateAt } from '../../calendar/decide.js';
import type { PlaybookStatus } from '../../playbook/playbookStatus.js';
import { periodOfRun } from '../../run/identity.js';
import type { Hindrance } from '../acts/hindrance.js';
import type { JudgedPlaybook } from './inForce.js';
import { keptSpec } from './inForce.js';

type Condition = NonNullable<PlaybookStatus['conditions']>[number];

/** What is known of a playbook beside what was read of it. */
export interface PlaybookFacts {
  readonly now: number;
  /** The newest run that there is, ended or not. One that stands in the status and is newer was deleted: it stays there. */
  readonly lastRun: PlaybookStatus['lastRun'];
  /** Undefined: not judged, and what stood in the status stays. */
  readonly coverage: PlaybookStatus['coverage'];
  /** Undefined: nothing was triggered in this process. */
  readonly trigger: PlaybookStatus['trigger'];
  readonly hindrance: Hindrance;
}

/** The status of a `Playbook` object. */
export function composeStatus(judged: JudgedPlaybook, facts: PlaybookFacts): PlaybookStatus {
  const { read, inForce } = judged;
  const before = read.object?.status ?? {};
  const coverage = facts.coverage ?? before.coverage;
  return withoutUndefined({
    observedGeneration: read.generation,
    inForce: inForceStatus(judged, before, facts.now),
    nextWindow: inForce && nextWindow(inForce.playbook.schedule, facts.now),
    lastRun: newerRun(facts.lastRun, before.lastRun, judged.name),
    coverage,
    trigger: facts.trigger ?? before.trigger,
    conditions: conditionsOf({ ...facts, judged, coverage, before: before.conditions ?? [] }),
  });
}

/** By its month and not by its name: who deletes a run of this month does not want it begun again (nextDeed.ts). */
function newerRun(
  found: PlaybookStatus['lastRun'],
  before: PlaybookStatus['lastRun'],
  playbook: string,
): PlaybookStatus['lastRun'] {
  const periodOf = (run: PlaybookStatus['lastRun']) => (run && periodOfRun(run.name, playbook)) ?? '';
  return found === undefined || periodOf(before) > periodOf(found) ? before : found;
}

function inForceStatus(
  { read, inForce, mistakes }: JudgedPlaybook,
  before: PlaybookStatus,
  now: number,
): PlaybookStatus['inForce'] {
  if (inForce?.generation === undefined) return before.inForce;
  if (before.inForce?.generation === inForce.generation || mistakes.length > 0) return before.inForce;
  const spec = inForce.generation === read.generation ? keptSpec(read) : undefined;
  return spec === undefined
    ? before.inForce
    : { generation: inForce.generation, since: new Date(now).toISOString(), spec };
}

function nextWindow(schedule: Parameters<typeof stateAt>[0]['schedule'], now: number): PlaybookStatus['nextWindow'] {
  const state = stateAt({ schedule, now });
  const window = state.kind === 'open' ? state.window : state.kind === 'closed' ? state.next : undefined;
  if (window === undefined) return undefined;
  return { opensAt: new Date(window.opensAt).toISOString(), closesAt: new Date(window.closesAt).toISOString() };
}

function conditionsOf(question: {
  readonly judged: JudgedPlaybook;
  readonly coverage: PlaybookStatus['coverage'];
  readonly hindrance: Hindrance;
  readonly before: readonly Condition[];
  readonly now: number;
}): Condition[] {
  const { judged, coverage, hindrance, before, now } = question;
  const conditions = [
    readyCondition(judged, { hindrance, before }),
    validCondition(judged),
    ...(coverage === undefined ? [] : [coveredCondition(coverage)]),
  ];
  return conditions.map((condition) => {
    const former = before.find(({ type }) => type === condition.type);
    const since = former?.status === condition.status ? former.lastTransitionTime : new Date(now).toISOString();
    const { generation } = judged.read;
    return {
      ...condition,
      lastTransitionTime: since,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
}

type Judgement = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

function validCondition({ mistakes, kept, read, inForce }: JudgedPlaybook): Judgement {
  if (mistakes.length > 0) {
    const reason = read.answer.kind === 'ok' ? 'NoJournal' : 'Mistakes';
    const more = mistakes.length > mostMistakes ? ` … and ${String(mistakes.length - mostMistakes)} more.` : '';
    const message = `${mistakes.slice(0, mostMistakes).join('; ')}${more}${kept === undefined ? ' Nothing is in force.' : ` ${kept}`}`;
    return { type: 'Valid', status: 'False', reason, message: message.slice(0, longestMessage) };
  }
  if (kept !== undefined) return { type: 'Valid', status: 'True', reason: 'AppliesToNextRun', message: kept };
  const generation = inForce?.generation;
  const message = generation === undefined ? 'In force.' : `Generation ${String(generation)} is in force.`;
  return { type: 'Valid', status: 'True', reason: 'InForce', message };
}

/** Ready is what tools wait for (kubectl wait --for=condition=Ready). */
function readyCondition(
  { inForce }: JudgedPlaybook,
  { hindrance, before }: { readonly hindrance: Hindrance; readonly before: readonly Condition[] },
): Judgement {
  if (inForce === undefined) {
    const message = 'Nothing is in force, so that nothing is done; see the condition Valid.';
    return { type: 'Ready', status: 'False', reason: 'NothingInForce', message };
  }
  const former = before.find(({ type, reason }) => type === 'Ready' && reason !== 'NothingInForce');
  if (former !== undefined && mayStillHold(former, hindrance)) {
    const { status, reason, message } = former;
    return { type: 'Ready', status, reason, message };
  }
  if (hindrance.kind !== 'refused' && hindrance.kind !== 'failed') {
    return { type: 'Ready', status: 'True', reason: 'Unhindered', message: 'What is due is done when it is due.' };
  }
  const { kind, message } = hindrance;
  const isRefused = kind === 'refused';
  const next = isRefused ? 'It is not tried again before something changes.' : 'It is tried again.';
  return {
    type: 'Ready',
    status: 'False',
    reason: isRefused ? refused : 'Retrying',
    message: `${message} ${next}`.slice(0, longestMessage),
  };
}

const refused = 'Refused';

/** What was written when the playbook was last tried, in this process or another. */
function mayStillHold({ reason }: Condition, hindrance: Hindrance): boolean {
  return hindrance.kind === 'untried' || (hindrance.kind === 'held' && reason === refused);
}

function coveredCondition({ nodes, overdue, oldestTurn }: NonNullable<PlaybookStatus['coverage']>): Judgement {
  if (overdue === 0) {
    return {
      type: 'Covered',
      status: 'True',
      reason: 'InTime',
      message: `All ${String(nodes)} nodes had their turn in time.`,
    };
  }
  const oldest = oldestTurn === undefined ? '' : ` The longest ago was at ${oldestTurn}.`;
  return {
    type: 'Covered',
    status: 'False',
    reason: 'Overdue',
    message: `${String(overdue)} of ${String(nodes)} nodes had no turn within spec.schedule.coverage.${oldest} See turnus coverage.`,
  };
}

const mostMistakes = 20;
/** A condition's message holds at most 32768 characters (metav1.Condition). */
const longestMessage = 32_768;

function withoutUndefined(status: {
  readonly [Field in keyof PlaybookStatus]: PlaybookStatus[Field] | undefined;
}): PlaybookStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}
