import type { ListRequest, ObjectRequest } from '../../cluster/clusterPort.js';
import { resources } from '../../cluster/resources.js';
import type { Machine } from '../simulatedCluster.js';
import { bootDelay, holdDown, runAnnotatedBoots } from './annotatedBoots.js';
import { isHeard, lastRenewal, newHost, type HostState } from './hostState.js';
import { renewOnRead } from './nodeLeases.js';
import { reportedStatus } from './nodeStatus.js';
import { podKeeper } from './podKeeper.js';
import { durationOf, type NodeRecord } from './records.js';
import { workQueue } from './workQueue.js';
import { writerAs } from './writer.js';
import { within, type World } from './world.js';

/** The kubelets of all nodes, and the machines under them. */
export interface Kubelets {
  /** Throws for a node that there never was. */
  machine(node: string): Machine;
  /** Of the machine of this name that there is, or was. */
  bootIdOf(node: string): string | undefined;
  /** The kernel that it runs; undefined where nobody has said. */
  kernelOf(node: string): string | undefined;
  /** When the kubelet was last heard; undefined where it never was. */
  lastHeard(node: string): number | undefined;
  isHeard(node: string): boolean;
  /** Hears when a kubelet is not heard any more. */
  onSilence(listener: (node: string) => void): void;
  /** To be called before the API server answers a read. */
  beforeRead(request: ObjectRequest | ListRequest): void;
}

const kubeletVersion = 'sandbox.turnus.dev/kubelet-version';

/**
 * Plays a kubelet for each Node object. After a boot the node's status is for a moment the one from before: Ready, with
 * the boot id that has gone. The annotations are those of test/cluster/kwok.yaml.
 */
export function runKubelets(world: World): Kubelets {
  const { api, state, timeline, pace } = world;
  const random = world.random.fork();
  const hosts = new Map<string, HostState>();
  const silenceListeners: ((node: string) => void)[] = [];
  const pods = podKeeper(world, (node) => hosts.get(node));

  const hear = (host: HostState): void => {
    host.renewsSince = timeline.now();
    reports.add(host.name, within(pace.firstReportMs, random));
    pods.look(host.name);
  };
  const hearNoMore = (host: HostState): void => {
    host.lastRenewal = lastRenewal(host, { now: timeline.now(), everyMs: pace.leaseRenewMs });
    host.renewsSince = undefined;
    for (const listener of silenceListeners) listener(host.name);
  };
  const report = (
    host: HostState,
    node: NodeRecord,
    ready: boolean,
    why?: { reason: string; message: string },
  ): void => {
    host.saysNotReady = !ready;
    const version = node.annotations[kubeletVersion];
    const { bootId, kernel } = host;
    const said = {
      ready,
      bootId,
      ...why,
      ...(kernel === undefined ? {} : { kernel }),
      ...(version === undefined || bootId === node.bootId ? {} : { kubelet: version }),
    };
    const status = reportedStatus(node, said, timeline.now());
    writerAs(api, `system:node:${host.name}`).status(resources.nodes, node.object, status);
  };
  const reports = workQueue(world, pace.kubeletMs, (name) => {
    const host = hosts.get(name);
    const node = state.nodes.get(name);
    if (host === undefined || node === undefined || !isHeard(host)) return;
    if (host.beginsNotReady) {
      host.beginsNotReady = false;
      report(host, node, false, { reason: 'KubeletNotReady', message: 'container runtime network not ready' });
      reports.add(name, within(pace.podRecoverMs, random));
      return;
    }
    if (node.ready !== 'True' && node.annotations[holdDown] !== undefined) return;
    report(host, node, true);
    reports.add(name, random.between(pace.nodeReportMs, Math.round(pace.nodeReportMs * 1.1)));
  });

  const goDown = (host: HostState, farewell: boolean): void => {
    if (!host.isUp) return;
    const node = state.nodes.get(host.name);
    if (farewell && node !== undefined && isHeard(host)) {
      report(host, node, false, { reason: 'KubeletNotReady', message: 'the machine is going down' });
    }
    host.isUp = false;
    host.kubeletRuns = false;
    pods.loseAll(host.name);
    hearNoMore(host);
  };
  const boot = (host: HostState, { bootId, kernel }: Parameters<Machine['boot']>[0]): void => {
    goDown(host, false);
    host.isUp = true;
    host.bootId = bootId;
    host.kernel = kernel ?? host.kernel;
    timeline.after(within(pace.kubeletStartMs, random), () => {
      if (!host.isUp || host.bootId !== bootId || host.kubeletRuns) return;
      host.kubeletRuns = true;
      host.beginsNotReady = random.chance(pace.notReadyFirstChance);
      if (isHeard(host)) hear(host);
    });
  };
  const silence = (host: HostState, silent: boolean): void => {
    if (host.isSilent === silent) return;
    host.isSilent = silent;
    if (silent) hearNoMore(host);
    else if (isHeard(host)) hear(host);
  };

  const register = (node: NodeRecord): void => {
    const host = hosts.get(node.name) ?? newHost(node.name, node.bootId);
    host.isRegistered = true;
    host.bootId = node.bootId === '' ? host.bootId : node.bootId;
    hosts.set(node.name, host);
    if (isHeard(host)) hear(host);
  };
  state.onNode((now, before) => {
    if (now === undefined) {
      const host = before === undefined ? undefined : hosts.get(before.name);
      if (host === undefined) return;
      host.isRegistered = false;
      hearNoMore(host);
      return;
    }
    if (before === undefined) register(now);
    const host = hosts.get(now.name);
    if (host === undefined || !isHeard(host) || now.ready === 'True') return;
    // The kubelet has the last word about its node: somebody else has written the condition, or holds it down no more.
    const isReleased = before?.annotations[holdDown] !== undefined && now.annotations[holdDown] === undefined;
    const isForeign = !host.saysNotReady && before?.ready === 'True';
    if (isReleased || isForeign) reports.add(now.name, durationOf(now.annotations[bootDelay]));
  });
  runAnnotatedBoots(world, {
    isUp: (name) => hosts.get(name)?.isUp === true,
    goDown: (name) => {
      goDown(known(name), true);
    },
    boot: (name, bootId) => {
      boot(known(name), { bootId });
    },
  });

  const known = (node: string): HostState => {
    const host = hosts.get(node);
    if (host === undefined) throw new Error(`there is no machine behind node ${node}: it was never added`);
    return host;
  };
  const lastHeard = (node: string): number | undefined => {
    const host = hosts.get(node);
    return host && lastRenewal(host, { now: timeline.now(), everyMs: pace.leaseRenewMs });
  };
  const isNodeHeard = (node: string): boolean => {
    const host = hosts.get(node);
    return host !== undefined && isHeard(host);
  };
  return {
    machine(node) {
      const host = known(node);
      return {
        get bootId() {
          return host.bootId;
        },
        get isUp() {
          return host.isUp;
        },
        goDown: () => {
          goDown(host, random.chance(pace.farewellChance));
        },
        boot: (parts) => {
          boot(host, parts);
        },
        silence: (silent) => {
          silence(host, silent);
        },
      };
    },
    bootIdOf: (node) => hosts.get(node)?.bootId,
    kernelOf: (node) => hosts.get(node)?.kernel,
    lastHeard,
    isHeard: isNodeHeard,
    onSilence: (listener) => silenceListeners.push(listener),
    beforeRead: renewOnRead(world, { names: () => hosts.keys(), lastHeard, isHeard: isNodeHeard }),
  };
}
