import { connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a port that can swallow what passes, as a firewall does that has forgotten a connection. */
export interface TcpProxy {
  readonly port: number;
  /** From now on nothing passes on the connections there are, in either direction, and nobody is told. */
  readonly swallow: () => void;
  readonly close: () => void;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const swallowed = new Set<Socket>();
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('error', () => undefined);
    from.on('data', (data) => {
      if (!swallowed.has(from)) to.write(data);
    });
    from.on('close', () => {
      if (!swallowed.has(from)) to.destroy();
    });
  };
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    pass(near, far);
    pass(far, near);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return {
    port,
    swallow: () => {
      for (const socket of sockets) swallowed.add(socket);
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
