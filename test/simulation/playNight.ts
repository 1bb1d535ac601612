import { setMaxListeners } from 'node:events';
import type { ApiObject, ObjectRequest } from '../../src/cluster/clusterPort.js';
import { defaultNamespace, manifests } from '../../src/install/manifests.js';
import type { JournalEntry, JournalSink } from '../../src/journal/entry.js';
import { turnResource } from '../../src/run/objects.js';
import type { SimulatedApi } from '../../src/sandbox/api/simulatedApi.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { createSimulatedCluster } from '../../src/sandbox/createSimulatedCluster.js';
import { seededRandom, type SeededRandom } from '../../src/sandbox/seededRandom.js';
import { runActor } from './actor.js';
import { actorLife, mortalClock } from './actorLife.js';
import { nightWatch } from './invariants/nightWatch.js';
import type { Night, NightEnd, Trouble, Violation } from './night.js';
import { nightObjects, resourceOf } from './nightObjects.js';
import { nightPlaybook } from './nightPlaybook.js';
import { operate, type CallEnd } from './operator.js';
import { simulatedHosts } from './simulatedHosts.js';
import { applyTroubles, personName } from './troubles.js';
import { unreliablePort } from './unreliablePort.js';
import { VirtualTime } from './virtualTime.js';
import { changingWeather } from './weather.js';
import type { NightFacts, NightScene, Witness } from './witness.js';

/** A Wednesday evening in the middle of a month: no night reaches into the next period. */
const opensAt = Date.UTC(2026, 9, 14, 22);
/** What `turnus install` applies; the same in every night. */
const installed = manifests(defaultNamespace);
/** Workloads have come up when the night begins. */
const comeUpMs = 120_000;
/** Nobody acts any more, and it is looked whether anything happens all the same. */
const aftermathMs = 120_000;
/** No night is given longer than this. */
const longestMs = 36 * 3_600_000;
/** Nor do more timers go off for each node: somebody runs in circles. */
const mostEventsOfNode = 40_000;

export interface NightOptions {
  /** See the night besides the invariants. */
  readonly witnesses?: readonly Witness[];
  /** Get each entry that an actor writes. */
  readonly sinks?: readonly JournalSink[];
  /** Hears what the actors and the operator say. */
  readonly log?: (line: string) => void;
}

/** Plays a night with the real engine on the model and answers what became of it. The same night ends the same. */
export async function playNight(night: Night, options: NightOptions = {}): Promise<NightEnd> {
  setMaxListeners(500);
  const random = seededRandom(night.seed);
  const time = new VirtualTime(opensAt);
  const cluster = createSimulatedCluster({ timeline: time, random: random.fork() });
  const { api } = cluster;
  for (const object of installed) created(api, object);
  for (const node of night.nodes) cluster.addNode(node);
  for (const object of nightObjects(night)) created(api, object);
  await time.run(() => false, comeUpMs);

  const beganAt = time.now();
  const elapsedMs = () => time.now() - beganAt;
  const log = (line: string) => options.log?.(`${String(elapsedMs()).padStart(9)} ms  ${line}`);
  const scene: NightScene = { night, api, elapsedMs, machine: (node) => cluster.machine(node) };
  const counted = countingWitness();
  const watch = nightWatch(scene);
  const witnesses = [watch, counted.witness, ...(options.witnesses ?? [])];
  for (const witness of witnesses) witness.begins?.(scene);
  const unobserve = api.observe((change) => {
    for (const witness of witnesses) witness.changed?.(change);
  });
  const weather = changingWeather(time, random.fork());
  const { playbook: settings } = night;
  const hosts = simulatedHosts({ cluster, time, random: random.fork(), playbook: settings, witnesses });
  const journal: JournalEntry[] = [];
  const sinks = [
    {
      name: 'the journal of the night',
      write: (entry: JournalEntry) => {
        journal.push(entry);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    },
    ...(options.sinks ?? []),
  ];
  const uid = uidOfCluster(api);
  const playbook = await nightPlaybook(night, uid);
  const unexpected: Violation[] = [];
  const crashes = night.troubles.filter((trouble) => trouble.kind === 'crash');
  let actors = 0;

  /** Of the actor that the operator started last. */
  let stopping = new AbortController();

  const start = async (plan?: Extract<Trouble, { kind: 'crash' }>, stop = new AbortController()): Promise<CallEnd> => {
    const actor = `actor-${String((actors += 1))}`;
    const life = actorLife(plan);
    const caller = { actor, time, random: random.fork(), life, witnesses };
    const own: SeededRandom = random.fork();
    const tell = (what: 'begins' | 'crashes' | 'ends', exitCode?: number) => {
      log(`${actor} ${what}`);
      const event = { actor, what, ...(exitCode === undefined ? {} : { exitCode }) };
      for (const witness of witnesses) witness.actor?.(event);
    };
    const crashed = new Promise<CallEnd>((resolve) => {
      life.whenCrashed(() => {
        tell('crashes');
        resolve({ kind: 'crashed', restartAfterMs: plan?.restartAfterMs ?? 0 });
      });
    });
    tell('begins');
    const port = simulatedPort({ api, caller: 'operator' });
    const running = runActor({
      name: actor,
      playbook,
      cluster: unreliablePort({ ...caller, port, weather, version: () => api.version() }),
      hosts: hosts.ports({ ...caller, weather }),
      clock: mortalClock(time, life),
      random: () => own.next(),
      sinks,
      stop: stop.signal,
      log: (line) => {
        log(`${actor}: ${line}`);
      },
    }).then(
      (end): CallEnd => {
        tell('ends', end.exitCode);
        return { kind: 'ended', end };
      },
      (error: unknown): CallEnd => {
        tell('ends', 1);
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        unexpected.push({ invariant: 'no-unexpected-error', atMs: elapsedMs(), message: `${actor}: ${message}` });
        return { kind: 'ended', end: { exitCode: 1, error: 'unexpected' } };
      },
    );
    return await Promise.race([running, crashed]);
  };

  const calls: Promise<unknown>[] = [];
  let isOver = false;
  const operator = { clock: time.clock, namespace: defaultNamespace, log, signal: new AbortController().signal };
  const personsRandom = random.fork();
  applyTroubles({
    night,
    cluster,
    hosts,
    weather,
    time,
    random: random.fork(),
    person: {
      ...operator,
      name: personName,
      cluster: simulatedPort({ api, caller: personName }),
      newId: () => personsRandom.uuid(),
    },
    onError: (error) => {
      unexpected.push({ invariant: 'no-unexpected-error', atMs: elapsedMs(), message: `a person: ${String(error)}` });
    },
  });
  for (const trouble of night.troubles) {
    if (trouble.kind === 'second-actor')
      time.after(trouble.atMs, () => {
        if (!isOver) calls.push(start());
      });
    if (trouble.kind === 'interrupt') {
      time.after(trouble.atMs, () => {
        stopping.abort(new Error('the actor was told to stop'));
      });
    }
  }
  const left = [...crashes];
  const person = simulatedPort({ api, caller: 'operator' });
  const operating = operate({
    ...operator,
    cluster: person,
    start: () => {
      stopping = new AbortController();
      return start(left.shift(), stopping);
    },
  });
  let exitCodes: readonly number[] | undefined;
  calls.push(
    operating.then(
      (codes) => {
        exitCodes = codes;
      },
      (error: unknown) => {
        unexpected.push({
          invariant: 'no-unexpected-error',
          atMs: elapsedMs(),
          message: `the operator: ${String(error)}`,
        });
        exitCodes = [];
      },
    ),
  );
  // A second actor that begins later is one of the calls as well.
  const allOver = async () => {
    for (let seen = 0; seen < calls.length; seen += 1) await calls[seen];
    isOver = true;
  };
  void allOver();
  const mostEvents = time.events + mostEventsOfNode * (night.nodes.length + 2);
  await time.run(() => isOver || time.events > mostEvents, longestMs);

  const lastedMs = elapsedMs();
  // What still happens when the last actor has ended is judged as well.
  await time.run(() => false, aftermathMs);
  const facts: NightFacts = { ...scene, isOver, journal, exitCodes: exitCodes ?? [] };
  await watch.atEnd?.(facts);
  unobserve();
  cluster.stop();
  return {
    night,
    violations: [...watch.violations(), ...unexpected],
    lastedMs,
    events: time.events,
    ...counted.figures(),
    phases: phasesOf(api),
  };
}

/** Stores an object of the scene; throws where the API refuses it. */
export function created(api: SimulatedApi, object: ApiObject): void {
  const { namespace } = object.metadata;
  const reply = api.create(
    { resource: resourceOf(object), object, ...(namespace === undefined ? {} : { namespace }) },
    'admin',
  );
  if (reply.kind !== 'ok')
    throw new Error(`${object.kind ?? ''} ${object.metadata.name ?? ''}: ${reply.status.message}`);
}

/** By which playbooks know the cluster. */
export function uidOfCluster(api: SimulatedApi): string {
  const request: ObjectRequest = {
    resource: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
    name: 'kube-system',
  };
  const reply = api.get(request);
  return reply.kind === 'ok' ? (reply.value.metadata.uid ?? '') : '';
}

function phasesOf(api: SimulatedApi): Record<string, number> {
  const phases: Record<string, number> = {};
  const turns = api.list({ resource: turnResource });
  for (const turn of turns.kind === 'ok' ? turns.value.items : []) {
    const status = turn['status'];
    const phase = typeof status === 'object' && status !== null && 'phase' in status ? String(status.phase) : 'Pending';
    phases[phase] = (phases[phase] ?? 0) + 1;
  }
  return phases;
}

function countingWitness() {
  const counts = { evictions: 0, jobs: 0, reboots: 0, crashes: 0 };
  const witness: Witness = {
    arrived(call, answer) {
      if (call.verb === 'evict' && answer.kind === 'accepted') counts.evictions += 1;
    },
    onHost({ kind }) {
      if (kind === 'job-started') counts.jobs += 1;
      if (kind === 'booted') counts.reboots += 1;
    },
    actor({ what }) {
      if (what === 'crashes') counts.crashes += 1;
    },
  };
  return { witness, figures: () => counts };
}
