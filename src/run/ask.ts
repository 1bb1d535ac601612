import { applyRequest } from './applyRequest.js';
import { readDesired, type DesiredState, type RequestVerb, type WrittenRequest } from './desired.js';
import { judgeRequest, refusedState } from './judgeRequest.js';
import type { RunSpec, RunState, TurnState } from './state.js';

/** What a person asks of a run. */
export type Ask =
  | { readonly verb: 'pause' | 'resume' | 'abort' | 'abort-now' }
  | { readonly verb: Exclude<TurnVerb, 'accept'>; readonly node: string }
  /** `code`: of the finding, as it was typed. */
  | { readonly verb: 'accept'; readonly node: string; readonly code: string };
type TurnVerb = Exclude<RequestVerb, 'resume'>;

export interface Asking {
  readonly ask: Ask;
  /** The user's name as the API server knows it. */
  readonly by: string;
  readonly reason: string | undefined;
  /** Of the request, where one is written: new in the world. */
  readonly id: string;
}

/** What is written into `spec.desired`. */
export type WrittenDesired = NonNullable<RunSpec['desired']>;

/** By what the answer of an actor is known. */
export interface Awaited {
  /** Id of the request that is answered in `status.handledRequests`. */
  readonly request?: string;
  /** The state that the run is to show. */
  readonly state?: DesiredState;
}

export type AskAnswer =
  | {
      readonly kind: 'write';
      readonly desired: WrittenDesired;
      readonly awaits: Awaited;
      /** What else changes in `spec.desired`, one sentence each. */
      readonly remarks: readonly string[];
    }
  /** It stands there already, or the run is so already. */
  | { readonly kind: 'nothing'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string; readonly hint: string };

/** Requests that may wait for an answer; the schema holds twice as many, for what is written by hand. */
export const openRequestsLimit = 50;
/** Longest `by` that the schema holds. */
const longestName = 300;

const stateOf = { pause: 'Pause', resume: 'Run', abort: 'Abort', 'abort-now': 'AbortNow' } as const;

/** What asking this writes into `spec.desired`; nothing is done by it. The answer is the actor's. */
export function judgeAsk(state: RunState, asking: Asking): AskAnswer {
  const { ask } = asking;
  switch (ask.verb) {
    case 'pause':
    case 'abort':
    case 'abort-now':
      return askForState(state, asking, stateOf[ask.verb]);
    case 'resume':
      return askToResume(state, asking);
    case 'retry':
    case 'retry-again':
    case 'skip':
      return askForTurn(state, asking, { verb: ask.verb, node: ask.node });
    case 'accept':
      return askForTurn(state, asking, { verb: ask.verb, node: ask.node, code: ask.code });
  }
}

/** Requests that nobody has answered, each id once. */
export function openRequests({ spec, status }: Pick<RunState, 'spec' | 'status'>): WrittenRequest[] {
  const handled = new Set(status.handledRequests?.map(({ id }) => id));
  return readDesired(spec).requests.filter(({ id }) => !handled.has(id));
}

function askForState(state: RunState, asking: Asking, wanted: Exclude<DesiredState, 'Run'>): AskAnswer {
  const { name, spec, status } = state;
  const before = readDesired(spec);
  const isAborted = status.phase === 'Aborted' && (before.state === 'Abort' || before.state === 'AbortNow');
  if (isAborted && wanted !== 'Pause') return nothing(`Run ${name} is Aborted already; nothing was written.`);
  if (spec.desired?.state === wanted && !hasEnded(state)) {
    if (status.phase === 'Paused') return nothing(`Run ${name} is Paused already; nothing was written.`);
    return nothing(
      `${before.by ?? 'Somebody'} asked for that already (spec.desired.state is ${wanted}), and run ${name} is ${status.phase}; nothing was written.`,
    );
  }
  const message = refusedState(state, wanted);
  if (message !== undefined) return refused(state, message);
  return {
    kind: 'write',
    desired: desired(headBy(asking, wanted), openRequests(state)),
    awaits: { state: wanted },
    remarks: nonsense(state),
  };
}

/** Takes back a pause or an abort, and lets failures stand: with either, or both, the run goes on. */
function askToResume(state: RunState, asking: Asking): AskAnswer {
  const { name, spec, status } = state;
  const message = refusedState(state, 'Run');
  if (message !== undefined) return refused(state, message);
  const open = openRequests(state);
  const asked = open.find(({ verb }) => verb === 'resume');
  const isRequestNeeded = asked === undefined && isHeldUpByFailure(state, open);
  const isStateNeeded = (spec.desired?.state ?? 'Run') !== 'Run';
  if (!isRequestNeeded && !isStateNeeded) {
    if (asked !== undefined) return alreadyAsked(state, asked);
    if (status.phase === 'Paused' || status.phase === 'Aborted') {
      return nothing(`It was asked already that run ${name} goes on, and nobody has answered; nothing was written.`);
    }
    return nothing(`Run ${name} is ${status.phase} and nothing holds it up; nothing was written.`);
  }
  if (isRequestNeeded && open.length >= openRequestsLimit) return tooMany(state);
  const request = requestBy(asking, { verb: 'resume' });
  const requestId = isRequestNeeded ? request.id : asked?.id;
  return {
    kind: 'write',
    desired: desired(
      isStateNeeded ? headBy(asking, 'Run') : keptHead(state),
      isRequestNeeded ? [...open, request] : open,
    ),
    awaits: { ...(isStateNeeded ? { state: 'Run' } : {}), ...(requestId === undefined ? {} : { request: requestId }) },
    remarks: nonsense(state),
  };
}

function askForTurn(state: RunState, asking: Asking, turn: { verb: TurnVerb; node: string; code?: string }): AskAnswer {
  const request = requestBy(asking, turn);
  const judged = judgeRequest(state, request);
  if (judged.kind === 'refused') return refused(state, judged.message);
  const open = openRequests(state);
  const asked = open.find(({ verb, node, code }) => verb === turn.verb && node === turn.node && code === turn.code);
  if (asked !== undefined) return alreadyAsked(state, asked);
  // What the actor would refuse is refused at once; the time is only recorded in what is thrown away here.
  const { result } = applyRequest(state, request, { judged, now: '' });
  if (result.startsWith(refusalPrefix)) return refused(state, sentence(result.slice(refusalPrefix.length).trim()));
  const replaced = turn.verb === 'accept' ? [] : open.filter(({ verb, node }) => isOfTurn(verb) && node === turn.node);
  const kept = open.filter((one) => !replaced.includes(one));
  if (kept.length >= openRequestsLimit) return tooMany(state);
  return {
    kind: 'write',
    desired: desired(keptHead(state), [...kept, request]),
    awaits: { request: request.id },
    remarks: [...nonsense(state), ...replaced.map((one) => `It replaces ${requestText(one)}, which nobody answered.`)],
  };
}

/** Only one of these is wanted of a turn at a time; to accept a finding stands beside them. */
function isOfTurn(verb: string): boolean {
  return verb !== 'resume' && verb !== 'accept';
}

/** How an answer in `status.handledRequests` begins that says no. */
export const refusalPrefix = 'refused:';

/** Failed turns that nobody has let stand, retried or skipped, by this or by an open request. */
export function standingFailures(state: RunState, open: readonly WrittenRequest[]): TurnState[] {
  return [...state.turns.values()].filter(
    ({ node, status }) =>
      status.phase === 'Failed' &&
      status.acknowledgedBy === undefined &&
      !open.some((request) => isOfTurn(request.verb) && request.node === node),
  );
}

function isHeldUpByFailure(state: RunState, open: readonly WrittenRequest[]): boolean {
  return standingFailures(state, open).length > 0 || (state.status.phase === 'Failed' && open.length === 0);
}

function hasEnded({ status }: RunState): boolean {
  return status.phase === 'Completed' || status.phase === 'Superseded';
}

type Head = Pick<WrittenDesired, 'state' | 'by' | 'reason'>;

function headBy({ by, reason }: Asking, state: DesiredState): Head {
  return { state, ...said({ by, reason }) };
}

/** State, asker and reason as they stand; where the state is none, what it counts as. */
function keptHead({ spec }: RunState): Head {
  const { desired: written } = spec;
  const read = readDesired(spec);
  return written?.state === read.state
    ? { state: written.state, ...said({ by: written.by, reason: written.reason }) }
    : { state: read.state };
}

function desired(head: Head, requests: readonly WrittenRequest[]): WrittenDesired {
  return requests.length === 0 ? { ...head } : { ...head, requests: [...requests] };
}

function requestBy(
  { id, by, reason }: Asking,
  request: { verb: RequestVerb; node?: string; code?: string },
): WrittenRequest {
  return { id, ...request, ...said({ by, reason }) };
}

/** A name too long for the schema is left out: the admission policy would refuse a shortened one. */
function said(words: { by: string | undefined; reason: string | undefined }): { by?: string; reason?: string } {
  const { by, reason } = words;
  return {
    ...(by === undefined || by === '' || by.length > longestName ? {} : { by }),
    ...(reason === undefined || reason === '' ? {} : { reason }),
  };
}

function nonsense({ spec }: RunState): string[] {
  return readDesired(spec).problems.map((problem) => `${problem} It is put right.`);
}

function requestText({ verb, node, by }: WrittenRequest): string {
  return `the ${verb}${node === undefined ? '' : ` of ${node}`} that ${by ?? 'somebody'} asked for`;
}

function alreadyAsked({ name }: RunState, asked: WrittenRequest): AskAnswer {
  const what = asked.verb === 'resume' ? `that run ${name} goes on` : `for ${asked.verb} of ${asked.node ?? ''}`;
  return nothing(
    `${asked.by ?? 'Somebody'} asked ${what} already (request ${asked.id}), and nobody has answered; nothing was written.`,
  );
}

function tooMany({ name, spec }: RunState): AskAnswer {
  return {
    kind: 'refused',
    message: `Run ${name} has ${String(openRequestsLimit)} requests that nobody has answered, and takes no more.`,
    hint: `An actor answers them: start \`turnus run -f PLAYBOOK\` (playbook ${spec.playbook.name}).`,
  };
}

function nothing(message: string): AskAnswer {
  return { kind: 'nothing', message };
}

function refused({ name }: RunState, message: string): AskAnswer {
  return { kind: 'refused', message, hint: `Nothing was written. Look at the run with: turnus status ${name}` };
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
