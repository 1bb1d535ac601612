/** What a gate says about a node leaving service. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** The node whose turn is meant; absent where the finding is about the whole cluster. */
  readonly node?: string;
  /** The objects meant, as `Kind namespace/name` or `Kind name`. */
  readonly objects: readonly string[];
  /** One sentence with the numbers that decided. */
  readonly message: string;
  /** One sentence: what to change. */
  readonly hint: string;
}

/** `block`: the node does not leave. `caution`: it leaves, somebody should know. `info`: for the record. */
export type Severity = 'block' | 'caution' | 'info';

/**
 * Every code a finding can have and when it is given. One catalogue: docs/findings.md is tested against it.
 */
export const findingCatalogue = {
  'budget-never': 'A PodDisruptionBudget can never allow this pod to be evicted, whatever becomes Ready.',
  'budget-not-now': 'A PodDisruptionBudget allows no disruption at the moment; it will once more pods are Ready.',
  'budget-conflict':
    'A pod is matched by more than one PodDisruptionBudget; the API server refuses every eviction of it.',
  'budget-not-synced': 'The disruption controller cannot compute a budget, so it allows nothing.',
  'budget-stale': 'The disruption controller has not yet seen the latest change of a budget.',
  'budget-managed': 'A budget is run by an operator that opens it during the drain.',
  'replica-spread':
    'The drain would leave an owner with fewer Ready replicas on other nodes than the playbook demands.',
  'replicas-in-one-zone': 'All Ready replicas of a workload are in one zone, and the cluster has more.',
  'last-webhook-backend':
    'The last Ready pod behind a webhook that fails closed, or behind an aggregated API, would go down.',
  'daemonset-serves-traffic':
    'Pods of DaemonSets serve traffic on this node until its host goes down, and no script takes them out before.',
  'singleton-outage': 'A workload with one replica is down while its pod moves.',
  'singleton-surge': 'A workload with one replica gets a second one before its pod ends.',
  'rollout-under-way':
    'A workload with one replica is in the middle of a rollout, so that no second one can be started.',
  'singleton-blocked': 'A workload with one replica is here, and the playbook does not allow it to move.',
  'unmanaged-pod': 'A pod has no controller: evicted, it is gone for good.',
  'local-data-lost': 'Pods keep data in emptyDir volumes that are lost with the eviction.',
  'local-data-blocked': 'Pods keep data in emptyDir volumes, and the playbook does not allow losing it.',
  'grace-exceeds-timeout': 'Pods may take longer to end than the drain waits.',
  'job-running': 'A Job pod is running; evicting it may fail the Job for good.',
  'pod-objects': 'A pod asks by annotation not to be disturbed.',
  'objection-overruled': 'A pod asks not to be disturbed, and the playbook has it evicted all the same.',
  'pod-blocked': 'The playbook keeps the node in service while this pod is on it.',
  'pod-awaited': 'A pod is not evicted: the playbook waits until it has gone by itself.',
  'left-by-policy': 'A pod is left on the node because the playbook says so: it goes down with the host.',
  'short-during-turn': 'A pod can run on no other node: its owner is one replica short during the turn.',
  'no-capacity': 'Pods of the node would find no room on other nodes and stay Pending.',
  'bound-to-node': 'A pod returned to this node under the same controller after its eviction.',
  'control-plane-node': 'The node carries the control plane; Turnus does not take those yet.',
  'own-node': 'Turnus itself runs on this node, and no other actor can take over.',
  'other-rebooter': 'Something else takes nodes down by itself, and may do so during the turn.',
  'no-room': 'Another node is already out of service and uses up what may be unavailable.',
  'already-cordoned': 'Somebody else has cordoned this node.',
  'node-held': 'A person holds this node with the annotation turnus.dev/hold.',
  'node-not-ready': 'The node is not Ready before its turn.',
  'api-not-ready': 'The API server does not report itself ready.',
  'cluster-not-healthy': 'A condition of `spec.gates.clusterHealth` does not hold.',
  'condition-unreadable': 'A condition of `spec.gates.clusterHealth` cannot be read as it is written.',
  'system-owner-short': 'An owner in kube-system has fewer Ready replicas than desired.',
  'host-unreachable': 'The host behind the node does not answer on SSH.',
  'host-key-unknown': 'The host key is in no known_hosts file.',
  'host-key-mismatch': 'The host shows another key than the one known.',
  'host-key-revoked': 'The host shows a key that known_hosts marks as revoked.',
  'host-ssh-config': 'The ssh_config file says something for the host, or names a key, that Turnus cannot follow.',
  'host-login-refused': 'The host does not accept the user or the key.',
  'host-sudo-refused': 'sudo on the host asks for a password or is missing.',
  'host-not-usable': 'The host answers, but a command that Turnus needs fails there.',
  'host-is-not-node':
    'The boot id on the host differs from the one the node reports: the address leads to another machine.',
  'no-host-address': 'The node has no address of the type that the playbook names.',
  'not-recovered':
    'An owner has not got back what an earlier turn of the run took from it, and has replicas on this node.',
} as const satisfies Readonly<Record<string, string>>;

export type FindingCode = keyof typeof findingCatalogue;
