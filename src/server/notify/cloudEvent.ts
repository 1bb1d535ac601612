import { notificationTypes } from '../../playbook/reportingSchema.js';

/** What webhooks are told, in the order in which a run brings it. */
export const eventNames = notificationTypes;
export type EventName = (typeof eventNames)[number];

/** One event, as it goes into the envelope. */
export interface CloudEventData {
  readonly type: EventName;
  /** The same for the same thing however often it is told: a receiver that knows it has seen the event already. */
  readonly id: string;
  /** When it happened. RFC 3339, UTC. */
  readonly time: string;
  /** The run, or run and node as `monthly-2026-11/node-1`. */
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Media type of the structured mode (CloudEvents 1.0, JSON event format, section 3). */
export const cloudEventType = 'application/cloudevents+json';

/** The event in the envelope of CloudEvents 1.0, structured mode, as it is sent. */
export function envelopeOf(event: CloudEventData, clusterUid: string): string {
  return JSON.stringify({
    specversion: '1.0',
    id: event.id,
    source: `turnus/${clusterUid}`,
    type: `dev.turnus.${event.type}`,
    subject: event.subject,
    time: event.time,
    datacontenttype: 'application/json',
    data: event.data,
  });
}
