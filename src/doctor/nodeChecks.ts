import { inParallel } from '../cluster/inParallel.js';
import type { NodeView } from '../cluster/view.js';
import type { HostPorts } from '../host/hostPort.js';
import type { Playbook } from '../playbook/playbook.js';
import { narrowNodes } from '../run/narrowNodes.js';
import { selectNodes } from '../run/selectNodes.js';
import type { Clock } from '../time/clock.js';
import { TurnusError } from '../turnusError.js';
import { failed, ok, onCluster, type Check, type Judgement } from './check.js';
import { judgeHost } from './hostChecks.js';
import { interpretersOf } from './interpreters.js';
import { readHost } from './readHost.js';
import { viewOf, type Inventory } from './readInventory.js';

export interface NodeExamination {
  readonly playbook: Playbook;
  /** Opened once the nodes are known. */
  readonly openHosts: () => Promise<HostPorts>;
  readonly clock: Clock;
  /** Nodes and label selector to which this call is narrowed. */
  readonly names: readonly string[];
  readonly selector: string | undefined;
  /** Told when the hosts are known, and at each that has answered. */
  readonly onHosts: (hosts: HostsProgress) => void;
}

export interface HostsProgress {
  readonly total: number;
  readonly answered: number;
  /** Names of those that are asked and have not answered. */
  readonly waiting: readonly string[];
}

/** How many hosts are asked at the same time: most of it is waiting. */
const hostsAtOnce = 16;

/**
 * Which nodes there are for the playbook, and every check of the host behind each.
 *
 * @throws TurnusError `node-not-selected`, `selector-invalid`, `no-nodes` where the call is narrowed to what is not there
 */
export async function checkNodes(
  examination: NodeExamination,
  inventory: Inventory,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const choice = chooseNodes(examination, inventory);
  if (choice.nodes.length === 0) return onCluster([choice.judgement]);
  const hosts = await openHosts(examination);
  if ('check' in hosts) return onCluster([choice.judgement, hosts]);
  try {
    return [...onCluster([choice.judgement]), ...(await checkHosts(examination, { ...choice, hosts }, signal))];
  } finally {
    hosts.close();
  }
}

function chooseNodes(
  { playbook, clock, names, selector }: NodeExamination,
  inventory: Inventory,
): { readonly nodes: readonly NodeView[]; readonly judgement: Judgement } {
  if (inventory.nodes.kind !== 'ok') {
    const { kind, message } = inventory.nodes;
    const hint =
      kind === 'forbidden'
        ? 'Bind the roles that `turnus install -f PLAYBOOK` makes to this user (see docs/install.md).'
        : 'Try again once the API server answers.';
    const judgement = failed('nodes', `The nodes cannot be listed, so no host was asked: ${message}`, hint);
    return { nodes: [], judgement };
  }
  const all = inventory.nodes.value.length;
  const selected = selectNodes(viewOf(inventory, clock.now()), playbook.nodes);
  const only = narrowNodes({ playbook: playbook.name, selected, names, selector });
  const nodes = selected.filter(({ name }) => only?.has(name) ?? true);
  if (nodes.length === 0) {
    const message = `The playbook selects none of the ${String(all)} nodes of the cluster.`;
    const hint = 'Correct spec.nodes.selector; kubectl get nodes -l SELECTOR shows what a selector matches.';
    return { nodes, judgement: failed('nodes', message, hint) };
  }
  const narrowed = only === undefined ? '' : `; this call looks at ${String(nodes.length)} of them`;
  const message = `The playbook selects ${String(selected.length)} of the ${String(all)} nodes of the cluster${narrowed}.`;
  return { nodes, judgement: ok('nodes', message) };
}

/** What is missing on this machine is a check of its own: the rest of the cluster is looked at all the same. */
async function openHosts(examination: NodeExamination): Promise<HostPorts | Judgement> {
  try {
    return await examination.openHosts();
  } catch (error) {
    if (!(error instanceof TurnusError)) throw error;
    const message = `${error.message.replace(/\.$/, '')}. No host was asked.`;
    return failed('ssh-setup', message, error.hint ?? 'Correct spec.host.ssh of the playbook.');
  }
}

async function checkHosts(
  { playbook, clock, onHosts }: NodeExamination,
  { nodes, hosts }: { readonly nodes: readonly NodeView[]; readonly hosts: HostPorts },
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { ssh, scripts } = playbook.host;
  const interpreters = interpretersOf(Object.values(scripts));
  const waiting = new Set<string>();
  let answered = 0;
  const tell = () => {
    onHosts({ total: nodes.length, answered, waiting: [...waiting] });
  };
  const checks = await inParallel(nodes, hostsAtOnce, async (node) => {
    waiting.add(node.name);
    tell();
    const reading = await readHost({ node, hosts, ssh, interpreters, clock }, signal);
    waiting.delete(node.name);
    answered += 1;
    tell();
    return judgeHost(reading, playbook.host);
  });
  return checks.flat();
}
