import { z } from 'zod';
import { duration, file, flag, listOf, mapping, oneOf, text, wholeNumber } from './fieldKinds.js';

const port = (description: string) => wholeNumber(description, { min: 1, max: 65_535 }).default(22);

const userName = (description: string) =>
  text(description, /^[^\s:-][^\s:]{0,63}$/, 'the name of a user on the host, without spaces');

const knownHostsFile = file('A known_hosts file.');

const ssh = mapping(
  'How the hosts are reached. Host keys are always verified: give knownHosts, fingerprints or both.',
  {
    user: userName('The user to log in as.'),
    port: port('Port of the SSH server.'),
    address: oneOf('Which of the addresses of the node (`status.addresses`) leads to its host.', [
      'InternalIP',
      'ExternalIP',
      'Hostname',
      'InternalDNS',
      'ExternalDNS',
    ]).default('InternalIP'),
    knownHosts: z
      .union([knownHostsFile, listOf('Several known_hosts files.', knownHostsFile, 'files ({path: …})')], {
        error: 'expected a file ({path: …}) or a list of files',
      })
      .default([])
      .describe('One known_hosts file or a list of them, in the format of OpenSSH. They are read again at each run.'),
    fingerprints: z
      .record(
        text('Name of a node.', /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, 'the name of a node'),
        text(
          'Fingerprint of its host key.',
          /^SHA256:[A-Za-z0-9+/]{43}$/,
          'a fingerprint as ssh-keygen -l prints it: SHA256: and 43 characters',
        ),
        { error: 'expected a mapping from node names to fingerprints' },
      )
      .default({})
      .describe('Host keys by the name of the node, as `ssh-keygen -l` prints them: `worker-1: SHA256:…`.'),
    identity: file('The private key to log in with. Without it, the SSH agent is asked.').optional(),
    identityPassphrase: file(
      'A file with the passphrase of the private key, in one line. Without it, a key with a passphrase is left to the SSH agent.',
    ).optional(),
    bastion: mapping('A host to go through. Its host key is verified like any other.', {
      host: text('Name or address of the bastion.', /^[A-Za-z0-9_][\w.:-]{0,252}$/, 'a host name or an IP address'),
      port: port('Port of its SSH server.'),
      user: userName('The user to log in as there. Default: the user of the hosts.').optional(),
    }).optional(),
    restricted: flag(
      'Whether the key may start installed scripts only: on the hosts `turnus-host` is its forced command (docs/turnus-host.md).',
    ).default(false),
    sudo: flag('Whether commands run through `sudo -n`. Give false where the user is root.').default(true),
  },
);

const stage = (description: string) =>
  mapping(description, {
    script: file('The script, sent to the host and run there as root. It begins with a `#!` line.'),
    timeout: duration('How long the script may run. Then it is ended and the turn fails.').default('30m'),
  }).optional();

/** `spec.host`: the machines behind the nodes and what runs on them. */
export const hostSchema = mapping('The machines behind the nodes and what is done on them.', {
  ssh,
  prepare: stage(
    'A script that runs before the cordon, while another node has its turn, for example to fetch packages.',
  ),
  leave: stage('A script that runs after the cordon and before the evictions, for example to drain a load balancer.'),
  update: stage('The script that updates the empty host. Its answer says whether a reboot is required.'),
  join: stage('A script that runs once the node is well again, before the uncordon; it takes back what `leave` did.'),
  reboot: mapping('Whether the host is rebooted after the update.', {
    when: oneOf(
      '`required`: where the update script answers `reboot=required`; `always`; `never`, whatever the script answers.',
      ['required', 'always', 'never'],
    ).default('required'),
    timeout: duration('How long a host may take from the reboot until it answers with a new boot id.').default('30m'),
  }).prefault({}),
});
