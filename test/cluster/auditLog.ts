import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Users of the testbed itself: what they read is of no interest to a test. */
const ownReaders = ['observer'];

/** Metadata of everything that anybody but the cluster's own components does. Request bodies are not kept. */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'None',
      users: ['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler', 'system:kwok'],
    },
    { level: 'Metadata', users: ['system:serviceaccount:turnus-system:turnus'] },
    { level: 'None', userGroups: ['system:serviceaccounts', 'system:nodes'] },
    { level: 'None', users: ownReaders, verbs: ['get', 'list', 'watch'] },
    { level: 'Metadata' },
  ],
};

/** One API request, as the API server saw it. */
export interface AuditEntry {
  user: string;
  userAgent: string;
  /** get, list, watch, create, update, patch, delete, deletecollection */
  verb: string;
  /** Empty for the core group, and for URLs without an object. */
  group: string;
  /** Empty for URLs without an object (/version). */
  resource: string;
  subresource: string;
  name: string;
  namespace: string;
  /** HTTP status of the answer. */
  code: number;
  time: Date;
  dryRun: boolean;
  uri: string;
}

interface AuditEvent {
  auditID: string;
  verb: string;
  requestURI: string;
  userAgent?: string;
  user: { username: string };
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string; name?: string; namespace?: string };
  responseStatus?: { code?: number };
  requestReceivedTimestamp: string;
}

/** All requests so far, oldest first. A watch counts once, from its first answer on. */
export async function readAuditLog(path: string): Promise<AuditEntry[]> {
  if (!existsSync(path)) return [];
  const byId = new Map<string, AuditEntry>();
  const complete = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  for (const line of complete) {
    const event = JSON.parse(line) as AuditEvent;
    byId.set(event.auditID, entryOf(event));
  }
  return [...byId.values()].sort((a, b) => a.time.getTime() - b.time.getTime());
}

function entryOf(event: AuditEvent): AuditEntry {
  const { objectRef } = event;
  return {
    user: event.user.username,
    userAgent: event.userAgent ?? '',
    verb: event.verb,
    group: objectRef?.apiGroup ?? '',
    resource: objectRef?.resource ?? '',
    subresource: objectRef?.subresource ?? '',
    name: objectRef?.name ?? '',
    namespace: objectRef?.namespace ?? '',
    code: event.responseStatus?.code ?? 0,
    time: new Date(event.requestReceivedTimestamp),
    dryRun: new URL(event.requestURI, 'https://server').searchParams.has('dryRun'),
    uri: event.requestURI,
  };
}
