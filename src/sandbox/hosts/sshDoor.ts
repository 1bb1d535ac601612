import { createServer, type Server as SocketServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel } from 'ssh2';
import type { HostCommand } from './hostCommand.js';

/** The SSH server of a host. */
export interface SshDoor {
  /**
   * Answers at a port, 0 for any free one, and says which. Rejects with the system's error where the port is taken or
   * the machine has no such address.
   */
  open(port: number): Promise<number>;
  /** Ends every connection and answers no longer: new ones are refused. */
  shut(): void;
}

/** Makes the SSH server of one host; it does not answer before it is opened. */
export function createSshDoor(door: {
  readonly address: string;
  /** Private, OpenSSH form. */
  readonly hostKey: string;
  /** The one key that may log in. */
  readonly clientKey: ParsedKey;
  readonly mayLogIn: (user: string) => boolean;
  readonly onCommand: (command: HostCommand, user: string, channel: ServerChannel) => void;
}): SshDoor {
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [door.hostKey] }, (connection) => {
    serve(connection, door);
  });
  let listener: SocketServer | undefined;
  const shut = () => {
    listener?.close();
    listener = undefined;
    for (const socket of sockets) socket.destroy();
  };

  return {
    shut,
    open(port) {
      shut();
      const opening = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.setNoDelay(true);
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        ssh.injectSocket(socket);
      });
      listener = opening;
      return new Promise((resolve, reject) => {
        opening.once('error', reject);
        opening.listen(port, door.address, () => {
          // Shut while it was being opened: Node listens all the same.
          if (listener !== opening) opening.close();
          const bound = opening.address();
          resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
        });
      });
    },
  };
}

function serve(
  connection: Connection,
  door: Pick<Parameters<typeof createSshDoor>[0], 'clientKey' | 'mayLogIn' | 'onCommand'>,
): void {
  let user = '';
  connection.on('error', () => undefined);
  connection.on('authentication', (attempt) => {
    if (!door.mayLogIn(attempt.username) || !isProved(attempt, door.clientKey)) {
      attempt.reject(['publickey']);
      return;
    }
    user = attempt.username;
    attempt.accept();
  });
  connection.on('session', (acceptSession) => {
    let terminal: string | undefined;
    const session = acceptSession();
    // ssh2 gives no way to answer where the client asked for none.
    const accepted = (accept: (() => void) | undefined) => {
      accept?.();
    };
    session.on('pty', (accept, _reject, info) => {
      terminal = info.term;
      accepted(accept);
    });
    session.on('window-change', accepted);
    session.on('exec', (accept, _reject, { command }) => {
      door.onCommand({ line: command, terminal }, user, accept());
    });
    session.on('shell', (accept) => {
      door.onCommand({ line: undefined, terminal }, user, accept());
    });
  });
}

/** The client first asks whether a key would do, without a signature; then it signs (RFC 4252, section 7). */
function isProved(attempt: AuthContext, clientKey: ParsedKey): boolean {
  if (attempt.method !== 'publickey' || !attempt.key.data.equals(clientKey.getPublicSSH())) return false;
  if (attempt.signature === undefined || attempt.blob === undefined) return true;
  return clientKey.verify(attempt.blob, attempt.signature, attempt.hashAlgo);
}
