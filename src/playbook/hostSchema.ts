import { z } from 'zod';
import { hostNamePattern, userNamePattern } from './hostNames.js';
import { duration, file, flag, listOf, mapping, oneOf, text, wholeNumber } from './fieldKinds.js';

/** What is expected where a name of a user is missing or wrong. */
export const userNameExpected = 'the name of a user on the host, without spaces';

const port = (description: string) => wholeNumber(description, { min: 1, max: 65_535 }).optional();

const userName = (description: string) => text(description, userNamePattern, userNameExpected).optional();

const knownHostsFile = file('A known_hosts file.');

const bastion = (description: string) =>
  mapping(description, {
    host: text(
      'Name or address of the bastion; with `config`, the name that is looked up there.',
      hostNamePattern,
      'a host name or an IP address',
    ),
    port: port('Port of its SSH server. Default: what `config` says, else 22.'),
    user: userName('The user to log in as there. Default: what `config` says, else the user of the hosts.'),
  });

const ssh = mapping(
  'How the hosts are reached. Host keys are always verified: give knownHosts, fingerprints or both.',
  {
    user: userName('The user to log in as. Required, unless `config` gives one.'),
    port: port('Port of the SSH server. Default: what `config` says, else 22.'),
    address: oneOf(
      'Which of the addresses of the node (`status.addresses`) leads to its host, where `config` gives no HostName.',
      ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'],
    ).default('InternalIP'),
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
      .describe(
        'Host keys by the name of the node, or of the bastion, as `ssh-keygen -l` prints them: `worker-1: SHA256:…`.',
      ),
    identity: file(
      'The private key to log in with. Without it, the keys that `config` names and the SSH agent are asked.',
    ).optional(),
    identityPassphrase: file(
      'A file with the passphrase of the private key, in one line. Without it, a key with a passphrase is left to the SSH agent.',
    ).optional(),
    config: file(
      'A file in the format of OpenSSH, such as ~/.ssh/config, that is asked under the name of the node for HostName, User, Port, IdentityFile and ProxyJump. What the playbook says counts before it.',
    ).optional(),
    bastion: z
      .union(
        [
          bastion('A host to go through. Its host key is verified like any other.'),
          listOf('Several hosts to go through.', bastion('One of the hosts to go through.'), 'bastions').max(8, {
            error: 'expected at most 8 bastions',
          }),
        ],
        { error: 'expected a mapping with host, port, user or a list of them' },
      )
      .optional()
      .meta({
        title: 'bastion, or list of at most 8',
        description:
          'The host to go through, or a list of them from here to the nodes. The host key of each is verified under its own name. An empty list: go directly, whatever `config` says.',
      }),
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
