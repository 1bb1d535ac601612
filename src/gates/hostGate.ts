import type { NodeView } from '../cluster/view.js';
import type { HostAnswer, HostFacts, HostFailure } from '../host/hostPort.js';
import type { SshPolicy } from '../playbook/playbook.js';
import type { Finding, FindingCode } from './finding.js';

/** What is known of the host behind a node. */
export interface HostInspection {
  /** The address chosen for SSH; undefined where the node has none of the type in the playbook. */
  readonly address: string | undefined;
  /** The answer of `HostPort.inspect`; undefined where there is no address. */
  readonly answer: HostAnswer<HostFacts> | undefined;
  readonly ssh: Pick<SshPolicy, 'address' | 'user'>;
}

/** Is the host reachable with a known key, does it let us work, and is it the machine that the node runs on? */
export function hostGate({
  node,
  host,
}: {
  readonly node: NodeView;
  readonly host: HostInspection;
}): readonly Finding[] {
  const { address, answer, ssh } = host;
  const name = `Node ${node.name}`;
  const block = (code: FindingCode, message: string, hint: string): readonly Finding[] => [
    { code, severity: 'block', node: node.name, objects: [name], message, hint },
  ];
  if (address === undefined || answer === undefined) {
    const types = node.addresses.map(({ type }) => type).join(', ');
    return block(
      'no-host-address',
      `${name} has no address of type ${ssh.address}; it has ${types === '' ? 'none' : types}.`,
      'Set spec.host.ssh.address to a type that the node has.',
    );
  }
  if (answer.kind !== 'ok') {
    const { code, hint } = failureWords(answer, { address, user: ssh.user });
    return block(code, `The host of ${name} (${address}): ${answer.message}`, hint);
  }
  const { bootId, root, user } = answer.value;
  if (bootId !== node.bootId) {
    return block(
      'host-is-not-node',
      `The host at ${address} has boot id ${bootId}, but ${name} reports ${node.bootId}: it is another machine, or it has just been rebooted.`,
      `Compare /proc/sys/kernel/random/boot_id on the host with status.nodeInfo.bootID, and correct the address of ${name}.`,
    );
  }
  if (!root) {
    return block(
      'host-sudo-refused',
      `Commands on the host of ${name} (${address}) run as ${user}, not as root.`,
      'Set spec.host.ssh.sudo: true and allow the user sudo without a password.',
    );
  }
  return [];
}

function failureWords(
  failure: HostFailure,
  host: { readonly address: string; readonly user: string | undefined },
): { readonly code: FindingCode; readonly hint: string } {
  switch (failure.kind) {
    case 'unreachable':
    case 'lost':
      return {
        code: 'host-unreachable',
        hint: `Check that sshd answers at ${host.address} from here, and spec.host.ssh.port and bastion.`,
      };
    case 'host-key-unknown':
      return {
        code: 'host-key-unknown',
        hint: `Compare ${failure.fingerprint} on the machine itself (ssh-keygen -lf on its /etc/ssh/ssh_host_*_key.pub), then add the key to known_hosts.`,
      };
    case 'host-key-mismatch':
      return {
        code: 'host-key-mismatch',
        hint: `If the machine was installed anew, compare ${failure.fingerprint} on it and replace its line in known_hosts; if not, somebody may stand in between.`,
      };
    case 'host-key-revoked':
      return { code: 'host-key-revoked', hint: 'Give the host a new key, and do not log in before that is done.' };
    case 'config-refused':
      return {
        code: 'host-ssh-config',
        hint: 'Change that, or say it in spec.host.ssh of the playbook, which counts before the ssh_config file; docs/ssh.md lists what is followed.',
      };
    case 'login-refused':
      return {
        code: 'host-login-refused',
        hint: `Put the public key of spec.host.ssh.identity into authorized_keys of ${host.user ?? 'the user'} on the host.`,
      };
    case 'sudo-refused':
      return {
        code: 'host-sudo-refused',
        hint: `Allow ${host.user ?? 'the user'} sudo without a password on the host (NOPASSWD).`,
      };
    case 'command-failed':
      return {
        code: 'host-not-usable',
        hint: `Log in to ${host.address} and look: a full or read-only disk is common.`,
      };
  }
}
