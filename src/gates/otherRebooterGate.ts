import { remembered } from '../cluster/remembered.js';
import { matchesLabels } from '../cluster/labelSelector.js';
import type { MachineHealthCheck, Rebooters, UnreadKind, UpgradePlan } from '../cluster/rebooters.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import type { HostPolicy } from '../playbook/playbook.js';
import { formatDuration } from '../time/duration.js';
import type { Finding } from './finding.js';
import type { HostInspection } from './hostGate.js';

/**
 * Does anything else take nodes down by itself (rule 11)? Caution only: whether it will do so in this turn cannot be
 * known, and where it does, the other gates and the proof of the boot hold.
 */
export function otherRebooterGate({
  view,
  node,
  host,
  rebooters,
  reboot,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
  readonly host: HostInspection | undefined;
  readonly rebooters: Rebooters;
  readonly reboot: HostPolicy['reboot'];
}): readonly Finding[] {
  const { upgradePlans, machineHealthChecks, unread } = rebooters;
  return [
    ...kuredDaemonSets(view).map(kuredFinding),
    ...upgradePlans.filter(({ nodeSelector }) => matchesLabels(nodeSelector, node.labels)).map(planFinding),
    ...machineHealthChecks.flatMap((check) => healthCheckFinding(check, reboot)),
    ...(host?.answer?.kind === 'ok' && host.answer.value.automaticReboot === true
      ? [automaticRebootFinding(node)]
      : []),
    ...unread.map(unreadFinding),
  ].map((finding) => ({ ...finding, node: node.name }));
}

/** Its own manifests label the pods `name: kured`, its Helm chart `app.kubernetes.io/name: kured`. */
const kuredLabels = ['name', 'app.kubernetes.io/name'];
const kuredName = /(^|-)kured(-|$)/;

/** The DaemonSets, as `namespace/name`, that are kured by name or by the labels of their pods: the same for every node. */
const kuredDaemonSets = remembered((view: ClusterView): readonly string[] => {
  const found = new Set<string>();
  for (const { kind, namespace, name, terminating } of view.owners.values()) {
    if (kind === 'DaemonSet' && !terminating && kuredName.test(name)) found.add(`${namespace}/${name}`);
  }
  for (const { labels, controller, namespace } of view.pods.values()) {
    if (controller?.kind !== 'DaemonSet' || !kuredLabels.some((label) => labels[label] === 'kured')) continue;
    found.add(`${namespace}/${controller.name}`);
  }
  return [...found].sort();
});

function kuredFinding(daemonSet: string): Finding {
  const [namespace = '', name = ''] = daemonSet.split('/');
  return {
    code: 'other-rebooter',
    severity: 'caution',
    objects: [`DaemonSet ${daemonSet}`],
    message: `DaemonSet ${daemonSet} (kured) drains and reboots nodes by itself, also while another node has its turn.`,
    hint: `Take its lock for the time of the run: kubectl -n ${namespace} annotate daemonset ${name} weave.works/kured-node-lock='{"nodeID":"turnus"}'`,
  };
}

function planFinding({ namespace, name }: UpgradePlan): Finding {
  return {
    code: 'other-rebooter',
    severity: 'caution',
    objects: [`Plan ${namespace}/${name}`],
    message: `Plan ${namespace}/${name} of the system-upgrade-controller covers this node and may cordon, drain and restart it by itself.`,
    hint: `Stop the controller for the time of the run: kubectl -n ${namespace} scale deployment system-upgrade-controller --replicas=0`,
  };
}

function healthCheckFinding(check: MachineHealthCheck, reboot: HostPolicy['reboot']): readonly Finding[] {
  const { namespace, name, group, notReadyTimeoutMs, paused } = check;
  if (paused || notReadyTimeoutMs === undefined || reboot.when === 'never' || notReadyTimeoutMs >= reboot.timeoutMs) {
    return [];
  }
  return [
    {
      code: 'other-rebooter',
      severity: 'caution',
      objects: [`MachineHealthCheck ${namespace}/${name}`],
      message: `MachineHealthCheck ${namespace}/${name} replaces a machine whose node is not Ready for ${formatDuration(notReadyTimeoutMs)}, and spec.host.reboot.timeout gives a boot ${formatDuration(reboot.timeoutMs)}.`,
      hint: `Pause it for the time of the run: kubectl -n ${namespace} annotate machinehealthchecks.${group} ${name} cluster.x-k8s.io/paused=; or make its timeout the longer one.`,
    },
  ];
}

/** The package manager of the host reboots it by itself. */
export function automaticRebootFinding(node: NodeView): Finding {
  return {
    code: 'other-rebooter',
    severity: 'caution',
    objects: [`Node ${node.name}`],
    message: 'unattended-upgrades on the host reboots it by itself (Unattended-Upgrade::Automatic-Reboot is true).',
    hint: 'Set Unattended-Upgrade::Automatic-Reboot "false" in /etc/apt/apt.conf.d on the hosts, and leave reboots to the runs.',
  };
}

function unreadFinding({ resource, forbidden, message }: UnreadKind): Finding {
  return {
    code: 'other-rebooter',
    severity: 'info',
    objects: [resource],
    message: `Whether ${resource} take nodes down is not known, because they cannot be listed: ${message}`,
    hint: forbidden
      ? 'Run `turnus install` of this version, whose ClusterRole allows it, and bind that role to the user.'
      : 'Look at the API server; they are asked for again before each turn.',
  };
}
