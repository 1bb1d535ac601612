import type { ApiAnswer } from '../cluster/clusterPort.js';
import { clusterUid } from '../cluster/clusterUid.js';
import { readRebooters, type Rebooters } from '../cluster/rebooters.js';
import type { Playbook } from '../playbook/playbook.js';
import { reviewSelf } from '../run/preconditions.js';
import { selectNodes } from '../run/selectNodes.js';
import { judgeInstallation, judgeLease, judgeNamespace, judgePermissions } from './accessChecks.js';
import { judgeClusterUid, judgeReachable, judgeReadiness, judgeVersion, type ServedApis } from './apiChecks.js';
import { onCluster, type Check, type Judgement } from './check.js';
import { judgeClock, type ClockReading } from './clockDifference.js';
import type { ClusterReader } from './clusterReader.js';
import { readAccess } from './readAccess.js';
import { viewOf, type Inventory } from './readInventory.js';
import { readWebhooks } from './readWebhooks.js';
import { judgeRebooters } from './rebooterChecks.js';
import { judgeWebhooks } from './webhookChecks.js';

/** Everything that is checked of a cluster that answers, and its uid where that can be read. */
export async function checkCluster(asked: {
  readonly reader: ClusterReader;
  readonly playbook: Playbook;
  readonly version: Extract<ApiAnswer<string>, { readonly kind: 'ok' }>;
  readonly listing: Promise<Inventory>;
}): Promise<{ readonly checks: readonly Check[]; readonly uid: string | undefined }> {
  const { reader, playbook, version, listing } = asked;
  const { cluster, clock } = reader;
  const self = await askWhoWeAre(reader);
  const [uid, readiness, served, access, webhooks, rebooters, inventory] = await Promise.all([
    reader.ask((signal) => clusterUid(cluster, signal)),
    reader.ask((signal) => cluster.readiness(signal)),
    askServed(reader),
    readAccess(reader, playbook),
    readWebhooks(reader),
    reader.askFor<Rebooters>((signal) => readRebooters(cluster, signal), rebootersNotRead),
    listing,
  ]);
  const view = viewOf(inventory, clock.now());
  const { missing, wanted, installation } = access;
  const judged: readonly Judgement[] = [
    judgeReachable({ target: cluster.target, version, roundTripMs: self.roundTripMs }),
    judgeReadiness(readiness),
    judgeVersion(version.value, served),
    judgeClusterUid(uid, playbook.clusterUid),
    judgeClock({ check: 'server-clock', whose: 'The clock of the API server', reading: self.reading, mayFail: true }),
    judgeInstallation(installation),
    ...(installation.kind === 'installed' ? [judgeNamespace(access.namespace, access.namespaceObject)] : []),
    ...judgePermissions({ user: self.user, wanted, missing }),
    ...judgeWebhooks({ ...webhooks, pods: inventory.pods }),
    ...judgeRebooters({ view, nodes: selectNodes(view, playbook.nodes), rebooters, reboot: playbook.host.reboot }),
    judgeLease(access.leaseName, access.lease, clock.now()),
  ];
  return { checks: onCluster(judged), uid: uid.kind === 'ok' ? uid.value : undefined };
}

/** Who we are, how long that took on a connection that is open, and the server's clock: it stamps the review. */
async function askWhoWeAre(reader: ClusterReader): Promise<{
  readonly user: string;
  readonly roundTripMs: number | undefined;
  readonly reading: ClockReading;
}> {
  const { cluster, clock } = reader;
  const askedAtMs = clock.now();
  const startedMs = clock.monotonic();
  const answer = await reader.ask((signal) => reviewSelf(cluster, signal));
  const tookMs = clock.monotonic() - startedMs;
  const self = answer.kind === 'ok' ? answer.value : undefined;
  return {
    user: self?.username ?? cluster.target.user,
    roundTripMs: self === undefined ? undefined : tookMs,
    // A clock that was set in between would seem to have waited: only how long it took is measured.
    reading: { theirsMs: self?.serverTimeMs, askedAtMs, answeredAtMs: askedAtMs + tookMs },
  };
}

async function askServed(reader: ClusterReader): Promise<ServedApis> {
  const { cluster } = reader;
  const [pods, policies] = await Promise.all([
    reader.ask((signal) => cluster.discover({ apiVersion: 'v1', kind: 'Pod' }, signal)),
    reader.ask((signal) =>
      cluster.discover({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy' }, signal),
    ),
  ]);
  return {
    evictions: pods.kind === 'ok' ? { kind: 'ok', value: pods.value.evictable === true } : pods,
    admissionPolicies:
      policies.kind === 'ok' || policies.kind === 'not-found'
        ? { kind: 'ok', value: policies.kind === 'ok' }
        : policies,
  };
}

function rebootersNotRead(message: string): Rebooters {
  const resource = 'plans.upgrade.cattle.io and machinehealthchecks';
  return { upgradePlans: [], machineHealthChecks: [], unread: [{ resource, forbidden: false, message }] };
}
