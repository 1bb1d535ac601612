import type { HostFailure } from '../host/hostPort.js';
import {
  keyTypeOf,
  knownHostsLine,
  verifyHostKey,
  type HostIdentity,
  type KnownHostsFile,
} from '../host/knownHosts.js';

/** The key is the host's (`fingerprint`), or why the connection ends before anything is said to it. */
export type HostKeyCheck =
  | { readonly kind: 'accepted'; readonly fingerprint: string }
  | { readonly kind: 'refused'; readonly failure: HostFailure };

/** Judges the key that a host shows, in words for people. */
export function checkHostKey(question: {
  readonly files: readonly KnownHostsFile[];
  readonly host: HostIdentity;
  readonly pinned: string | undefined;
  readonly key: Buffer;
  /** The host in messages, with address and port. */
  readonly label: string;
}): HostKeyCheck {
  const { files, host, key, label } = question;
  const verdict = verifyHostKey(question);
  const { fingerprint } = verdict;
  const shown = `${keyTypeOf(key) ?? 'unknown type'} ${fingerprint}`;
  const refused = (failure: HostFailure): HostKeyCheck => ({ kind: 'refused', failure });
  switch (verdict.kind) {
    case 'known':
      return { kind: 'accepted', fingerprint };
    case 'revoked': {
      const message = `${label} shows the host key ${shown}, which ${verdict.where} revokes: treat the machine as taken over until its key has been changed.`;
      return refused({ kind: 'host-key-revoked', message, fingerprint });
    }
    case 'mismatch': {
      const message = `${label} shows the host key ${shown}, but ${verdict.where} expects another one: find out whether the machine was reinstalled or another one answers at this address before the line is changed.`;
      return refused({ kind: 'host-key-mismatch', message, fingerprint });
    }
    case 'unsupported': {
      const message = `${label} shows the host key ${shown}, but ${verdict.message}: add a line for the key itself, or pin its fingerprint in host.ssh.fingerprints.`;
      return refused({ kind: 'host-key-unknown', message, fingerprint, line: knownHostsLine(host, key) });
    }
    case 'unknown': {
      const paths = files.map((file) => file.path).join(', ');
      const where = paths === '' ? 'no known_hosts file is configured' : `no line of ${paths} names this key`;
      const others = verdict.otherTypes.length === 0 ? '' : ` (only ${verdict.otherTypes.join(', ')})`;
      const message = `${label} shows the host key ${shown}, and ${where}${others}: compare the fingerprint with the machine's own (ssh-keygen -l -f on its /etc/ssh/ssh_host_*_key.pub), then add the key to known_hosts (ssh-keyscan prints the line).`;
      return refused({ kind: 'host-key-unknown', message, fingerprint, line: knownHostsLine(host, key) });
    }
  }
}
