import { connect, createServer, type Socket } from 'node:net';

/** How a connection breaks. */
export type Cut =
  /** Both ends get a reset (RST). */
  | 'reset'
  /** Nothing gets through any more in either direction, also on new connections, for a while; nobody is told. */
  | 'silence'
  /** The far end is told that the near one has gone; the near one hears nothing, ever. New connections work. */
  | 'half-open';

export interface CutProxy {
  readonly port: number;
  /** Cuts every connection now. */
  cut(kind: Cut): void;
  /** Cuts the next connection when the near end has sent so many bytes over it; 0: when it is accepted. */
  cutNextConnection(kind: Cut, afterBytes: number): void;
  /** Cuts a connection that is there when the near end has sent so many further bytes. */
  cutAfterBytes(kind: Cut, bytes: number): void;
  /** Cuts so far. */
  cuts(): number;
  stop(): Promise<void>;
}

interface Link {
  readonly near: Socket;
  readonly far: Socket;
  /** What either end sends is swallowed. */
  isSilent: boolean;
  /** Bytes of the near end so far. */
  sent: number;
  plan: { readonly kind: Cut; readonly at: number } | undefined;
}

/** A TCP proxy on the target's own address, at a port of its own, that breaks connections when it is told to. */
export async function startCutProxy(target: {
  readonly host: string;
  readonly port: number;
  /** How long a silence lasts. */
  readonly silenceMs: number;
}): Promise<CutProxy> {
  const links = new Set<Link>();
  let next: { readonly kind: Cut; readonly afterBytes: number } | undefined;
  let silentUntil = 0;
  let cuts = 0;

  const cutLink = (link: Link, kind: Cut): void => {
    cuts += 1;
    link.plan = undefined;
    switch (kind) {
      case 'reset':
        link.near.resetAndDestroy();
        link.far.resetAndDestroy();
        return;
      case 'silence':
        silentUntil = Date.now() + target.silenceMs;
        for (const each of links) each.isSilent = true;
        return;
      case 'half-open':
        link.isSilent = true;
        link.far.end();
        return;
    }
  };

  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    const link: Link = { near, far, isSilent: Date.now() < silentUntil, sent: 0, plan: undefined };
    if (next !== undefined) {
      link.plan = { kind: next.kind, at: next.afterBytes };
      next = undefined;
    }
    links.add(link);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('data', (data) => {
        if (from === near) link.sent += data.length;
        if (!link.isSilent && !to.destroyed) to.write(data);
        if (link.plan !== undefined && link.sent >= link.plan.at) cutLink(link, link.plan.kind);
      });
      from.on('end', () => {
        if (!link.isSilent) to.end();
      });
      from.on('close', () => {
        if (!link.isSilent) to.destroy();
        if (near.destroyed && far.destroyed) links.delete(link);
      });
    }
    if (link.plan?.at === 0) cutLink(link, link.plan.kind);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, target.host, resolve);
  });
  const address = server.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut(kind) {
      for (const link of [...links]) cutLink(link, kind);
    },
    cutNextConnection(kind, afterBytes) {
      next = { kind, afterBytes };
    },
    cutAfterBytes(kind, bytes) {
      for (const link of links) link.plan = { kind, at: link.sent + bytes };
    },
    cuts: () => cuts,
    async stop() {
      for (const { near, far } of links) {
        near.destroy();
        far.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
