import type { ClusterTarget } from '../cluster/clusterPort.js';

/** One thing that was looked at, and what came of it. */
export interface Check {
  readonly subject: CheckSubject;
  readonly check: CheckCode;
  readonly state: CheckState;
  /** One or two sentences: what is so, and of which object. */
  readonly message: string;
  /** What to do next; absent where there is nothing to do. */
  readonly hint?: string;
  /** `SHA256:…` of a host key that nobody has vouched for. */
  readonly fingerprint?: string;
  /** The known_hosts line of that key, to be added once a person has compared the fingerprint. */
  readonly knownHostsLine?: string;
}

/** `skipped`: not known, because something that comes before it did not work; only `failed` makes the command exit 3. */
export type CheckState = 'ok' | 'warning' | 'failed' | 'skipped';

export type CheckSubject =
  | { readonly kind: 'cluster' }
  /** `address` is absent where the node has none of the playbook's type. */
  | { readonly kind: 'host'; readonly node: string; readonly address?: string };

/** Every check, and what it answers. One catalogue: docs/doctor.md is tested against it. */
export const checkCatalogue = {
  'api-reachable': 'Does the API server answer at all, at which address, and how fast?',
  'api-ready': 'Does the API server call itself ready?',
  'server-version':
    'Which version is it, and does it serve what Turnus needs: policy/v1 evictions, admission policies?',
  'cluster-uid': 'Is it the cluster that the playbook names?',
  'custom-resources': 'Are the CRDs of Turnus installed, in the schema that this version writes?',
  namespace: 'Is the namespace of the objects of Turnus there?',
  permission: 'May this user do what a run does? One line for each permission that is missing.',
  'server-clock': 'How far is this clock from that of the API server?',
  'eviction-webhook': 'Who may refuse an eviction, and would it answer?',
  'other-rebooter': 'What else takes nodes or hosts down by itself?',
  lease: 'Is another actor at work?',
  nodes: 'Which nodes does the playbook select?',
  'ssh-setup': 'Is here what logs in to the hosts: known_hosts, a private key or an agent?',
  address: 'Has the node an address of the type that the playbook names?',
  reachable: 'Does an SSH server answer there?',
  'host-key': 'Is its host key known?',
  login: 'Does it let the user in?',
  sudo: 'Do commands run as root there?',
  usable: 'Does it run the commands of Turnus?',
  'same-machine': 'Is the host the machine that the node runs on?',
  disk: 'Is room left where jobs live?',
  'job-directory': 'Can jobs be stored there, and do they outlive a reboot?',
  programs: 'Are the programs there that jobs need, and the interpreters of the scripts?',
  'reboot-command': 'Is there a command to reboot by?',
  'host-clock': 'How far is its clock from this one?',
} as const satisfies Readonly<Record<string, string>>;

export type CheckCode = keyof typeof checkCatalogue;

/** Everything that `turnus doctor` found. */
export interface DoctorReport {
  /** Grows when a field changes its meaning or goes; fields may be added at any time. */
  readonly schemaVersion: 1;
  readonly playbook: string;
  readonly target: ClusterTarget;
  /** Absent where it cannot be read. */
  readonly clusterUid?: string;
  /** RFC 3339. */
  readonly checkedAt: string;
  /** The worst that was found; `skipped` is no better than what it was skipped for. */
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly counts: Readonly<Record<CheckState, number>>;
  /** Those of the cluster first, then host after host by name. */
  readonly checks: readonly Check[];
}

/** What is judged of a check, without whom it is about. */
export type Judgement = Omit<Check, 'subject'>;

export function ok(check: CheckCode, message: string): Judgement {
  return { check, state: 'ok', message };
}

export function warning(check: CheckCode, message: string, hint: string): Judgement {
  return { check, state: 'warning', message, hint };
}

export function failed(check: CheckCode, message: string, hint: string): Judgement {
  return { check, state: 'failed', message, hint };
}

/** Not known. The hint is left out where the failed check says what to do. */
export function skipped(check: CheckCode, message: string, hint?: string): Judgement {
  return { check, state: 'skipped', message, ...(hint === undefined ? {} : { hint }) };
}

/** The judgements as checks of the cluster. */
export function onCluster(judgements: readonly Judgement[]): readonly Check[] {
  return judgements.map((judgement) => ({ subject: { kind: 'cluster' }, ...judgement }));
}
