/** What becomes of a keyword of ssh_config(5). docs/ssh.md is tested against this list. */
export type KeywordTreatment =
  /** Its value is used. */
  | { readonly kind: 'used' }
  /** It changes neither whom we talk to nor how that is verified. */
  | { readonly kind: 'ignored' }
  /** It would. */
  | ({ readonly kind: 'refused' } & Refusal);

interface Refusal {
  /** What to do, a clause for the end of a sentence. */
  readonly instead: string;
  /** Values with which the keyword changes nothing, in small letters. */
  readonly unless?: readonly string[];
}

const playbookKnownHosts = 'name the known_hosts files in spec.host.ssh.knownHosts';
const fixedAlgorithms = 'take the line out for these hosts: which algorithms Turnus offers is fixed';
const keysOnly = 'take the line out for these hosts: Turnus logs in with keys only';
const noToken = 'use a key in a file or in the SSH agent';
const verified = 'take the line out for these hosts: Turnus verifies every host key, and there is no switch';
const canonical = 'write the whole name as HostName';

/** Keywords whose values are used, as the manual writes them. */
export const usedKeywords = ['Host', 'HostName', 'User', 'Port', 'IdentityFile', 'ProxyJump', 'IgnoreUnknown'] as const;

/**
 * Keywords that change nothing for Turnus: they are about terminals, forwarding, other ways to log in, waiting, or
 * programs beside the connection.
 */
export const ignoredKeywords = [
  'AddKeysToAgent',
  'BatchMode',
  'CanonicalDomains',
  'CanonicalizeFallbackLocal',
  'CanonicalizeMaxDots',
  'CanonicalizePermittedCNAMEs',
  'ChallengeResponseAuthentication',
  'ChannelTimeout',
  'CheckHostIP',
  'ClearAllForwardings',
  'Compression',
  'ConnectionAttempts',
  'ConnectTimeout',
  'ControlMaster',
  'ControlPath',
  'ControlPersist',
  'DynamicForward',
  'EnableEscapeCommandline',
  'EnableSSHKeysign',
  'EscapeChar',
  'ExitOnForwardFailure',
  'FingerprintHash',
  'ForkAfterAuthentication',
  'ForwardAgent',
  'ForwardX11',
  'ForwardX11Timeout',
  'ForwardX11Trusted',
  'GatewayPorts',
  'GSSAPIAuthentication',
  'GSSAPIClientIdentity',
  'GSSAPIDelegateCredentials',
  'GSSAPIKexAlgorithms',
  'GSSAPIKeyExchange',
  'GSSAPIRenewalForcesRekey',
  'GSSAPIServerIdentity',
  'GSSAPITrustDns',
  'HashKnownHosts',
  'HostbasedAcceptedAlgorithms',
  'HostbasedAuthentication',
  'IdentitiesOnly',
  'IPQoS',
  'KbdInteractiveAuthentication',
  'KbdInteractiveDevices',
  'LocalCommand',
  'LocalForward',
  'LogLevel',
  'LogVerbose',
  'NumberOfPasswordPrompts',
  'ObscureKeystrokeTiming',
  'PasswordAuthentication',
  'PermitLocalCommand',
  'PermitRemoteOpen',
  'PreferredAuthentications',
  'Protocol',
  'ProxyUseFdpass',
  'RekeyLimit',
  'RemoteCommand',
  'RemoteForward',
  'RequestTTY',
  'SendEnv',
  'ServerAliveCountMax',
  'ServerAliveInterval',
  'SessionType',
  'SetEnv',
  'StdinNull',
  'StreamLocalBindMask',
  'StreamLocalBindUnlink',
  'SyslogFacility',
  'Tag',
  'TCPKeepAlive',
  'Tunnel',
  'TunnelDevice',
  'UpdateHostKeys',
  'UseKeychain',
  'UseRoaming',
  'VisualHostKey',
  'WarnWeakCrypto',
  'XAuthLocation',
] as const;

/** Keywords that would change whom we talk to, how that is verified, or what is run. */
export const refusedKeywords: Readonly<Record<string, Refusal>> = {
  AddressFamily: { instead: 'write an address of that family as HostName', unless: ['any'] },
  BindAddress: { instead: 'take the line out for these hosts, and let the routes of this machine decide' },
  BindInterface: { instead: 'take the line out for these hosts, and let the routes of this machine decide' },
  CanonicalizeHostname: { instead: canonical, unless: ['no'] },
  CASignatureAlgorithms: { instead: fixedAlgorithms },
  CertificateFile: { instead: 'log in with a key whose public part stands in authorized_keys', unless: ['none'] },
  Ciphers: { instead: fixedAlgorithms },
  GlobalKnownHostsFile: { instead: playbookKnownHosts },
  HostKeyAlgorithms: { instead: `${fixedAlgorithms}, and the types in known_hosts are asked for first` },
  HostKeyAlias: {
    instead:
      'list the key in known_hosts under the address or the name of the node, or pin it in spec.host.ssh.fingerprints',
  },
  IdentityAgent: {
    instead: 'start Turnus with SSH_AUTH_SOCK set to the socket of that agent',
    unless: ['ssh_auth_sock', '$ssh_auth_sock'],
  },
  Include: {
    instead: 'copy the lines that these hosts need into a file of their own, and name it in spec.host.ssh.config',
  },
  KexAlgorithms: { instead: fixedAlgorithms },
  KnownHostsCommand: { instead: playbookKnownHosts, unless: ['none'] },
  MACs: { instead: fixedAlgorithms },
  Match: { instead: 'say the same with Host' },
  NoHostAuthenticationForLocalhost: { instead: verified, unless: ['no'] },
  PKCS11Provider: { instead: noToken, unless: ['none'] },
  ProxyCommand: { instead: 'use ProxyJump, or spec.host.ssh.bastion in the playbook', unless: ['none'] },
  PubkeyAcceptedAlgorithms: { instead: fixedAlgorithms },
  PubkeyAcceptedKeyTypes: { instead: fixedAlgorithms },
  PubkeyAuthentication: { instead: keysOnly, unless: ['yes', 'unbound', 'host-bound'] },
  RefuseConnection: { instead: 'take the node out of the playbook, or the line out of the file' },
  RequiredRSASize: { instead: fixedAlgorithms },
  RevokedHostKeys: { instead: 'write the revoked keys as @revoked lines into known_hosts', unless: ['none'] },
  SecurityKeyProvider: { instead: noToken, unless: ['internal'] },
  StrictHostKeyChecking: { instead: verified, unless: ['yes', 'true', 'ask'] },
  UserKnownHostsFile: { instead: playbookKnownHosts },
  VerifyHostKeyDNS: { instead: playbookKnownHosts, unless: ['no'] },
};

/** Every keyword that Turnus knows, as the manual writes it. */
export const knownKeywords: readonly string[] = [...usedKeywords, ...ignoredKeywords, ...Object.keys(refusedKeywords)];

const treatments: ReadonlyMap<string, KeywordTreatment> = new Map<string, KeywordTreatment>([
  ...usedKeywords.map((name) => [name.toLowerCase(), { kind: 'used' }] as const),
  ...ignoredKeywords.map((name) => [name.toLowerCase(), { kind: 'ignored' }] as const),
  ...Object.entries(refusedKeywords).map(
    ([name, refusal]) => [name.toLowerCase(), { kind: 'refused', ...refusal }] as const,
  ),
]);

/** What becomes of the keyword, whose case does not matter; undefined where nobody knows it. */
export function treatmentOf(keyword: string): KeywordTreatment | undefined {
  return treatments.get(keyword.toLowerCase());
}
