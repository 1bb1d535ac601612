import type { Clock } from '../time/clock.js';
import type { ApiFailure, ClusterPort } from './clusterPort.js';
import { resources } from './resources.js';

/** The object an event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for objects without a namespace; their events lie in `default`, where kubectl looks for them. */
  readonly namespace?: string;
  readonly uid: string;
}

export interface EventRequest {
  readonly cluster: ClusterPort;
  readonly clock: Clock;
  readonly about: EventSubject;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase, for example `TurnStarted`. */
  readonly reason: string;
  /** At most 1024 characters are kept. */
  readonly message: string;
  readonly signal: AbortSignal;
}

const longestMessage = 1024;

/** Creates a core/v1 Event. Best effort: nothing should depend on whether it was recorded. */
export async function recordEvent(request: EventRequest): Promise<{ readonly kind: 'recorded' } | ApiFailure> {
  const { cluster, clock, about, type, reason, message, signal } = request;
  const namespace = about.namespace ?? 'default';
  const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const object = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, generateName: `${about.name}.` },
    involvedObject: about,
    type,
    reason,
    message: message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message,
    source: { component: 'turnus' },
    reportingComponent: 'turnus',
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  const answer = await cluster.create({ resource: resources.events, namespace, object }, signal);
  return answer.kind === 'ok' ? { kind: 'recorded' } : answer;
}
