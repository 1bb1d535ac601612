import { resourceVersionOf } from '../cluster/apiObject.js';
import type { ApiAnswer, ApiObject } from '../cluster/clusterPort.js';
import { isPassing } from '../cluster/passingFailure.js';
import { runConditions, turnConditions } from './conditions.js';
import { newTurn, parseRun, parseTurn, runFinalizer, runResource, turnResource } from './objects.js';
import type { RunObject, TurnObject } from './objects.js';
import { oneAfterAnother } from './oneAfterAnother.js';
import type { RunState, RunStatus, TurnSpec, TurnState, TurnStatus, Wait } from './state.js';
import { required, stateFailure, writeStatus, type StateWriter } from './stateWrite.js';
import { timestamp, type DrainedSoFar } from './turnContext.js';

/**
 * The state of one run: its objects in the cluster and the copy in memory that the console is fed from. Writes are
 * made one after another, each on the resourceVersion of the one before.
 */
export interface RunStore {
  state(): RunState;
  saveRun(change: Partial<RunStatus>, signal: AbortSignal): Promise<void>;
  saveTurn(node: string, change: Partial<TurnStatus>, signal: AbortSignal): Promise<void>;
  /** Known here at once, and written with the next save or flush: for what is found out again after a crash. */
  noteTurn(node: string, change: Partial<TurnStatus>): void;
  /** Shows a wait at once; it is written with the next save or flush, because waits change often. */
  showWait(node: string, wait: Wait | undefined, progress?: DrainedSoFar): void;
  /** Takes what other people wrote into the run (`spec.desired`, a deletion). */
  observe(run: RunObject): void;
  /** The run as the API server has it now. */
  reread(signal: AbortSignal): Promise<ApiAnswer<RunObject>>;
  /** Writes the waits and notes that are not yet saved. */
  flush(signal: AbortSignal): Promise<void>;
  addTurn(spec: TurnSpec, signal: AbortSignal): Promise<void>;
  /** Holds the run against deletion while a turn is in work. */
  hold(held: boolean, signal: AbortSignal): Promise<void>;
}

/** A store over the run and the turns that were found or created. */
export function openStore(
  writer: StateWriter & { onChange: (state: RunState) => void },
  found: { run: RunObject; turns: readonly TurnObject[] },
): RunStore {
  let run = found.run;
  const turns = new Map(found.turns.map((turn) => [turn.spec.node, turn]));
  const unsaved = new Map<string, Partial<TurnStatus>>();
  const inOrder = oneAfterAnother();

  function statusOf(turn: TurnObject): TurnStatus {
    const { node } = turn.spec;
    const noted = unsaved.get(node);
    return noted === undefined ? turn.status : compact({ ...turn.status, ...noted });
  }

  function turnOf(node: string): TurnObject {
    const turn = turns.get(node);
    if (turn === undefined) throw new Error(`node ${node} has no turn in run ${run.name}`);
    return turn;
  }

  async function createTurn(spec: TurnSpec, signal: AbortSignal): Promise<TurnObject> {
    const object = newTurn({ run, namespace: writer.namespace, spec });
    return await createdTurn(writer, object, signal);
  }

  const state = (): RunState => ({
    name: run.name,
    uid: run.uid,
    spec: run.spec,
    status: run.status,
    isDeleted: run.terminating,
    turns: new Map(
      [...turns].map(([node, turn]): [string, TurnState] => [
        node,
        { node, nodeUid: turn.spec.nodeUid, status: statusOf(turn) },
      ]),
    ),
  });
  const changed = () => {
    writer.onChange(state());
  };

  const saveRun: RunStore['saveRun'] = (change, signal) =>
    inOrder(async () => {
      const status = compact({ ...run.status, ...change });
      status.conditions = runConditions(status, run.spec, timestamp(writer.clock));
      run = await writeStatus(
        writer,
        { resource: runResource, kind: 'MaintenanceRun', current: run, status, parse: parseRun },
        signal,
      );
      changed();
    });

  const saveTurn: RunStore['saveTurn'] = (node, change, signal) =>
    inOrder(async () => {
      const current = turnOf(node);
      const status = compact({ ...statusOf(current), ...change });
      status.conditions = turnConditions(status, timestamp(writer.clock));
      const noted = unsaved.get(node);
      unsaved.delete(node);
      const written = await writeStatus(
        writer,
        {
          resource: turnResource,
          kind: 'NodeTurn',
          current,
          status,
          parse: parseTurn,
          createAgain: () => createTurn(current.spec, signal),
        },
        signal,
      ).catch((error: unknown) => {
        if (noted !== undefined) unsaved.set(node, { ...noted, ...unsaved.get(node) });
        throw error;
      });
      turns.set(node, written);
      changed();
    });

  return {
    state,
    saveRun,
    saveTurn,
    noteTurn(node, change) {
      unsaved.set(node, { ...unsaved.get(node), ...change });
      changed();
    },
    showWait(node, wait, progress) {
      unsaved.set(node, { ...unsaved.get(node), podsLeft: undefined, ...progress, waitingFor: wait });
      changed();
    },
    observe(newer) {
      if (newer.uid !== run.uid || resourceVersionOf(newer.resourceVersion) <= resourceVersionOf(run.resourceVersion)) {
        return;
      }
      // The status is ours alone: what others wrote there is overwritten with the next save.
      run = { ...newer, status: run.status };
      changed();
    },
    reread: async (signal) => {
      const place = { resource: runResource, namespace: writer.namespace, name: run.name };
      const answer = await writer.cluster.get(place, signal);
      return answer.kind === 'ok' ? { kind: 'ok', value: parseRun(answer.value) } : answer;
    },
    async flush(signal) {
      for (const node of [...unsaved.keys()]) await saveTurn(node, {}, signal);
    },
    addTurn: (spec, signal) =>
      inOrder(async () => {
        turns.set(spec.node, await createTurn(spec, signal));
        changed();
      }),
    hold: (held, signal) =>
      inOrder(async () => {
        run = await writeHold(writer, { run, held }, signal);
      }),
  };
}

/** Tries of a create, and the pause between two. */
const createAttempts = 10;
const createPauseMs = 1000;

/**
 * Creates a NodeTurn. One of this very run that is there already is what a create has left whose answer was lost; one of a
 * deleted run of the same name goes with that run.
 */
async function createdTurn(writer: StateWriter, object: ApiObject, signal: AbortSignal): Promise<TurnObject> {
  const { cluster, clock, namespace } = writer;
  const { name = '' } = object.metadata;
  const run = ownerUidOf(object);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await cluster.create({ resource: turnResource, namespace, object }, signal);
    if (answer.kind === 'ok') return parseTurn(answer.value);
    if (answer.kind === 'already-exists') {
      const found = await cluster.get({ resource: turnResource, namespace, name }, signal);
      if (found.kind === 'ok' && ownerUidOf(found.value) === run) return parseTurn(found.value);
    }
    if (attempt === createAttempts || (answer.kind !== 'already-exists' && !isPassing(answer))) {
      throw stateFailure(answer, `create the NodeTurn ${name}`);
    }
    await clock.sleep(createPauseMs, signal);
  }
}

function ownerUidOf(object: ApiObject): string | undefined {
  return object.metadata.ownerReferences?.[0]?.uid;
}

/** Tries to set or to take away the finalizer, and the pause after one that got no answer. */
const holdAttempts = 10;
const holdPauseMs = 1000;

async function writeHold(
  writer: StateWriter,
  wanted: { run: RunObject; held: boolean },
  signal: AbortSignal,
): Promise<RunObject> {
  const what = `write the finalizer of MaintenanceRun ${wanted.run.name}`;
  let { run } = wanted;
  for (let attempt = 1; run.finalizers.includes(runFinalizer) !== wanted.held; attempt += 1) {
    const finalizers = run.finalizers.filter((name) => name !== runFinalizer);
    if (wanted.held) finalizers.push(runFinalizer);
    const place = { resource: runResource, namespace: writer.namespace, name: run.name };
    const metadata = { resourceVersion: run.resourceVersion, finalizers };
    const answer = await writer.cluster.patch({ ...place, patch: { type: 'merge', body: { metadata } } }, signal);
    if (answer.kind === 'ok') return parseRun(answer.value);
    const isConflict = answer.kind === 'conflict';
    if (attempt === holdAttempts || (!isConflict && !isPassing(answer))) throw stateFailure(answer, what);
    if (!isConflict) await writer.clock.sleep(holdPauseMs, signal);
    const found = await writer.cluster.get(place, signal);
    // Nothing held a deleted run any more: the answer to our own write was lost.
    if (found.kind === 'not-found' && !wanted.held) return { ...run, finalizers: [] };
    run = parseRun(required(found, `read MaintenanceRun ${run.name}`));
  }
  return run;
}

/** Without the members that are undefined: what was taken away must not be sent. */
function compact<T extends object>(status: T): T {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined)) as T;
}
