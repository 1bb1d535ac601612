/** A machine and its kubelet, as the sandbox plays them. */
export interface HostState {
  readonly name: string;
  bootId: string;
  kernel: string | undefined;
  isUp: boolean;
  /** The kubelet has started since the boot. */
  kubeletRuns: boolean;
  isSilent: boolean;
  /** There is a Node object for it. */
  isRegistered: boolean;
  /** The lease is renewed in turn since then; undefined while the kubelet is not heard. */
  renewsSince: number | undefined;
  /** When it was renewed last, where it is not renewed now. */
  lastRenewal: number | undefined;
  /** The next report says that the node is not Ready. */
  beginsNotReady: boolean;
  /** The last report said that the node is not Ready. */
  saysNotReady: boolean;
}

export function newHost(name: string, bootId: string): HostState {
  return {
    name,
    bootId,
    kernel: undefined,
    isUp: true,
    kubeletRuns: true,
    isSilent: false,
    isRegistered: true,
    renewsSince: undefined,
    lastRenewal: undefined,
    beginsNotReady: false,
    saysNotReady: true,
  };
}

/** Whether the kubelet and the API server can talk to each other. */
export function isHeard(host: HostState): boolean {
  return host.isUp && host.kubeletRuns && !host.isSilent && host.isRegistered;
}

/** When the kubelet last renewed its lease; undefined where it never did. */
export function lastRenewal(
  { renewsSince, lastRenewal: last }: HostState,
  { now, everyMs }: { readonly now: number; readonly everyMs: number },
): number | undefined {
  return renewsSince === undefined ? last : now - ((now - renewsSince) % everyMs);
}
