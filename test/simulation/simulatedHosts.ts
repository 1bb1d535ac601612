import type { HostAnswer, HostFailure, HostPort, HostPorts } from '../../src/host/hostPort.js';
import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { SimulatedCluster } from '../../src/sandbox/simulatedCluster.js';
import type { NightTime } from './actorLife.js';
import { latencyMs, questionMs, travel, type Caller, type Journey } from './journey.js';
import type { NightPlaybook } from './night.js';
import { SimulatedHost } from './simulatedHost.js';
import type { Weather } from './weather.js';
import type { Witness } from './witness.js';

/** The machines of a night, the same for everybody. */
export interface SimulatedHosts {
  /** The machine behind a node; undefined where there never was one. */
  host(node: string): SimulatedHost | undefined;
  /** How one actor reaches them: over connections of its own, as long as it lives. */
  ports(caller: HostCaller): HostPorts;
}

export interface HostCaller extends Caller {
  readonly weather: Weather;
}

/** The machines behind the nodes of a cluster. */
export function simulatedHosts(parts: {
  readonly cluster: Pick<SimulatedCluster, 'machine'>;
  readonly time: NightTime;
  readonly random: SeededRandom;
  readonly playbook: NightPlaybook;
  readonly witnesses: readonly Witness[];
}): SimulatedHosts {
  const { cluster, time, random, playbook, witnesses } = parts;
  const hosts = new Map<string, SimulatedHost>();
  const host = (node: string): SimulatedHost | undefined => {
    const known = hosts.get(node);
    if (known !== undefined) return known;
    try {
      cluster.machine(node);
    } catch {
      return undefined;
    }
    const added = new SimulatedHost({
      node,
      machine: () => cluster.machine(node),
      timeline: time,
      random: random.fork(),
      playbook,
      tell: (event) => {
        for (const witness of witnesses) witness.onHost?.(event);
      },
    });
    hosts.set(node, added);
    return added;
  };
  return {
    host,
    ports: (caller) => {
      const ports = new Map<string, HostPort>();
      return {
        hostOf({ name }) {
          const known = ports.get(name) ?? hostPort(caller, name, () => host(name));
          ports.set(name, known);
          return known;
        },
        close: () => undefined,
      };
    },
  };
}

/** The longest that one call may take, and a connection with its attempts, as in the real port (src/ssh). */
const callTimeoutMs = 60_000;
const connectTimeoutMs = 46_000;

/** One host as one actor reaches it. */
function hostPort(caller: HostCaller, node: string, find: () => SimulatedHost | undefined): HostPort {
  const call = <T>(asked: Asked, decide: (host: SimulatedHost) => HostAnswer<T>, signal: AbortSignal) =>
    travel(caller, journeyTo<T>(caller, { ...asked, node, find }, decide), signal);
  const looking = (verb: string, request?: unknown): Asked => ({ verb, isOutward: false, request });
  const acting = (verb: string, request: unknown): Asked => ({ verb, isOutward: true, request });
  return {
    inspect: (signal) => call(looking('inspect'), (host) => host.inspect(), signal),
    startJob: (job, signal) => call(acting('startJob', job), (host) => host.startJob(job), signal),
    readJob: (job, fromByte, signal) => call(looking('readJob', job), (host) => host.readJob(job, fromByte), signal),
    cancelJob: (job, signal) => call(acting('cancelJob', job), (host) => host.cancelJob(job), signal),
    reboot: (request, signal) => call(acting('reboot', request), (host) => host.reboot(request.expectedBootId), signal),
    bootId: (signal) =>
      call({ ...looking('bootId'), isFresh: true }, (host) => ({ kind: 'ok', value: host.bootId }), signal),
    failedUnits: (signal) => call(looking('failedUnits'), () => ({ kind: 'ok', value: [] }), signal),
    check: (command, signal) =>
      call(looking('check', command), () => ({ kind: 'ok', value: { exitCode: 0, output: '' } }), signal),
    disconnect: () => undefined,
  };
}

interface Asked {
  readonly verb: string;
  readonly isOutward: boolean;
  readonly request: unknown;
  /** Over a connection of its own. */
  readonly isFresh?: boolean;
}

/**
 * What becomes of one call to a host. A host that hangs answers late, or after the caller has given up; what has not
 * reached it by then never does, because the connection is gone. One that goes down takes the answer with it.
 */
function journeyTo<T>(
  { weather, random }: HostCaller,
  asked: Asked & { readonly node: string; readonly find: () => SimulatedHost | undefined },
  decide: (host: SimulatedHost) => HostAnswer<T>,
): Journey<HostAnswer<T>> {
  const { verb, isOutward, request, node, isFresh = false } = asked;
  const limitMs = isFresh ? connectTimeoutMs : callTimeoutMs;
  const connectMs = isFresh ? random.between(40, 200) : 0;
  const hangsMs = weather.hostHangsMs(node);
  const isSilent = hangsMs >= limitMs;
  const outMs = isSilent ? limitMs : (isOutward ? latencyMs(random) : questionMs(random)) + connectMs + hangsMs;
  const backMs = latencyMs(random);
  const refusalMs = random.chance(0.6) ? backMs + 1500 : random.between(5000, connectTimeoutMs);
  const loses = weather.hostLosesAnswers(node) ? random.next() : 1;
  let bootId: string | undefined;
  return {
    call: { port: 'host', verb, isOutward, name: node, request },
    outMs,
    arrive: () => {
      const host = asked.find();
      if (isSilent || (loses >= 0.6 && loses < 0.8) || host?.isUp !== true) return undefined;
      bootId = host.bootId;
      return decide(host);
    },
    backMs: (answer) => (answer === undefined && !isSilent ? refusalMs : backMs),
    hear: (answer): HostAnswer<T> => {
      if (isSilent) return isFresh ? refused(node) : lost(node);
      const host = asked.find();
      if (answer === undefined) return loses < 0.8 ? lost(node) : refused(node);
      const isDown = host?.isUp !== true || host.bootId !== bootId;
      // The answer to a reboot is on its way before the machine goes down.
      return loses < 0.6 || (isDown && verb !== 'reboot') ? lost(node) : answer;
    },
  };
}

function lost(node: string): HostFailure {
  return { kind: 'lost', message: `The connection to ${node} broke before the answer.` };
}

function refused(node: string): HostFailure {
  return { kind: 'unreachable', message: `No connection to ${node} port 22: refused or timed out.` };
}
