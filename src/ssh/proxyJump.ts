import { hostNamePattern, userNamePattern } from '../playbook/hostNames.js';

/** A host on the way, as ProxyJump writes it; what is undefined, the file or the playbook says elsewhere. */
export interface JumpHost {
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
}

/**
 * Reads `user@host:port,host`, in the order in which the hosts are gone through (ssh_config(5), ProxyJump). An IPv6
 * address with a port is written in brackets. Undefined where it is no such list; URIs and tokens are not read.
 */
export function parseProxyJump(text: string): readonly JumpHost[] | undefined {
  const jumps = text.split(',').map(jumpHost);
  const good = jumps.filter((jump) => jump !== undefined);
  return good.length === jumps.length ? good : undefined;
}

/** A port, 1 to 65535; undefined where the text is none. */
export function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function jumpHost(text: string): JumpHost | undefined {
  const at = text.lastIndexOf('@');
  const user = at < 0 ? undefined : text.slice(0, at);
  if (user !== undefined && !userNamePattern.test(user)) return undefined;
  const place = text.slice(at + 1);
  const [host, writtenPort] = hostAndPort(place);
  const port = writtenPort === undefined ? undefined : portOf(writtenPort);
  if (!hostNamePattern.test(host) || (writtenPort !== undefined && port === undefined)) return undefined;
  return { host, user, port };
}

/** An address with several colons has a port only where it stands in brackets. */
function hostAndPort(place: string): readonly [string, string | undefined] {
  const bracketed = /^\[([^\][]+)\](?::(.*))?$/s.exec(place);
  if (bracketed !== null) return [bracketed[1] ?? '', bracketed[2]];
  const [host = '', port, ...others] = place.split(':');
  return others.length > 0 ? [place, undefined] : [host, port];
}
