import { join } from 'node:path';
import { ports } from './addresses.js';

/** How each component is started. What differs from a production cluster makes tests quick, not different. */

export function etcdArgs(address: string, dataDirectory: string): string[] {
  const client = `http://${address}:${ports.etcd}`;
  const peer = `http://${address}:${ports.etcdPeer}`;
  return [
    '--name=testbed',
    `--data-dir=${dataDirectory}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=testbed=${peer}`,
    '--unsafe-no-fsync', // nothing outlives the machine
    '--quota-backend-bytes=8589934592',
    '--log-level=warn',
  ];
}

export function apiServerArgs(options: {
  address: string;
  directory: string;
  tokenFilePath: string;
  serviceAccountKeyPath: string;
  auditPolicyPath: string;
  auditLogPath: string;
}): string[] {
  const { address, directory, tokenFilePath, serviceAccountKeyPath, auditPolicyPath, auditLogPath } = options;
  return [
    `--etcd-servers=http://${address}:${ports.etcd}`,
    `--bind-address=${address}`,
    `--advertise-address=${address}`,
    `--secure-port=${ports.apiServer}`,
    '--endpoint-reconciler-type=none', // service addresses must not be loopback addresses
    `--cert-dir=${join(directory, 'apiserver')}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${serviceAccountKeyPath}`,
    `--service-account-signing-key-file=${serviceAccountKeyPath}`,
    `--token-auth-file=${tokenFilePath}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--event-ttl=15m',
    '--max-requests-inflight=3000',
    '--max-mutating-requests-inflight=1000',
    `--audit-policy-file=${auditPolicyPath}`,
    `--audit-log-path=${auditLogPath}`,
    '--audit-log-mode=blocking', // a request that was answered is in the log
    '--audit-log-maxsize=0', // one file, however long
  ];
}

export function controllerManagerArgs(options: {
  address: string;
  directory: string;
  kubeconfigPath: string;
}): string[] {
  const { address, directory, kubeconfigPath } = options;
  return [
    `--kubeconfig=${kubeconfigPath}`,
    `--bind-address=${address}`,
    `--secure-port=${ports.controllerManager}`,
    '--leader-elect=false',
    '--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics',
    `--root-ca-file=${join(directory, 'apiserver', 'apiserver.crt')}`,
    `--service-account-private-key-file=${join(directory, 'sa.key')}`,
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--node-monitor-period=1s',
    '--node-monitor-grace-period=40s',
    '--node-eviction-rate=100', // the default of one node in 10 s makes tests wait
    '--secondary-node-eviction-rate=100',
  ];
}

export function schedulerArgs(address: string, configPath: string): string[] {
  return [`--config=${configPath}`, `--bind-address=${address}`, `--secure-port=${ports.scheduler}`];
}

export function schedulerConfiguration(kubeconfigPath: string): object {
  return {
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig: kubeconfigPath, qps: 1000, burst: 2000 },
  };
}

export function kwokArgs(options: { address: string; kubeconfigPath: string; configPath: string }): string[] {
  const { address, kubeconfigPath, configPath } = options;
  return [
    `--kubeconfig=${kubeconfigPath}`,
    `--config=${configPath}`,
    '--manage-nodes-with-label-selector=kwok.x-k8s.io/node=fake',
    '--node-lease-duration-seconds=8',
    '--cidr=10.200.0.0/14',
    `--server-address=${address}:${ports.kwok}`,
  ];
}
