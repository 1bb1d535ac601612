import type { HostFailure } from '../host/hostPort.js';
import {
  keyTypeOf,
  knownHostsLine,
  verifyHostKey,
  type HostIdentity,
  type KnownHostsFile,
  type OutdatedLine,
} from '../host/knownHosts.js';
import { shellQuote } from '../host/shellQuote.js';

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
  const keyType = keyTypeOf(key) ?? 'unknown type';
  const shown = `${keyType} ${fingerprint}`;
  const refused = (failure: HostFailure): HostKeyCheck => ({ kind: 'refused', failure });
  switch (verdict.kind) {
    case 'known':
      return { kind: 'accepted', fingerprint };
    case 'revoked': {
      const message = `${label} shows the host key ${shown}, which ${verdict.where} revokes: treat the machine as taken over until its key has been changed.`;
      return refused({ kind: 'host-key-revoked', message, fingerprint });
    }
    case 'mismatch': {
      const message = `${label} shows the host key ${shown}, but ${verdict.where} expects ${verdict.line === undefined ? '' : `${keyType} `}${verdict.expected}: the key has changed as after a reinstallation, or another machine answers here. Ask whether the machine was reinstalled, and compare the new fingerprint with what ssh-keygen -lf on its /etc/ssh/ssh_host_*_key.pub prints on its console; only then ${remedy(verdict.line)}.`;
      return refused({ kind: 'host-key-mismatch', message, fingerprint });
    }
    case 'unsupported': {
      const message = `${label} shows the host key ${shown}, but ${verdict.message}: add a line for the key itself, or pin its fingerprint in host.ssh.fingerprints.`;
      return refused({ kind: 'host-key-unknown', message, fingerprint, line: knownHostsLine(host, key) });
    }
    case 'unknown': {
      const paths = files.map((file) => file.path).join(', ');
      const where = paths === '' ? 'no known_hosts file is configured' : `no line of ${paths} names this key`;
      const others =
        verdict.otherTypes.length === 0
          ? ''
          : ` (only ${verdict.otherTypes.join(', ')}: was the machine reinstalled, or does another one answer here?)`;
      const message = `${label} shows the host key ${shown}, and ${where}${others}: compare the fingerprint with the machine's own (ssh-keygen -l -f on its /etc/ssh/ssh_host_*_key.pub), then add the key to known_hosts (ssh-keyscan prints the line).`;
      return refused({ kind: 'host-key-unknown', message, fingerprint, line: knownHostsLine(host, key) });
    }
  }
}

/** What is done with the old key once a person is sure of the new one. */
function remedy(line: OutdatedLine | undefined): string {
  if (line === undefined) return 'write the new fingerprint into host.ssh.fingerprints';
  if (line.hasPattern) return 'change that line by hand, for it may mean other hosts too';
  return `take the old line out with: ssh-keygen -R ${shellQuote(line.name)} -f ${shellQuote(line.path)}, and add the new key`;
}
