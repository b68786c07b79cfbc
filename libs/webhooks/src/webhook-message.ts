import { stringifyJson, toUnixSeconds } from '@haldir/kernel';
import { type PublishedEvent } from '@haldir/events';
import { legacySignature, standardSignature } from './webhook-secrets.js';

/**
 * The body of an event, made once: every attempt at every endpoint sends these bytes. The event's own fields are in
 * `data` and, for receivers that look for them there, at the top level too, where the envelope's names win.
 */
export function messageBody({ type, eventId, at, data }: PublishedEvent): string {
  const envelope = { type, event: type, event_id: eventId, timestamp: toUnixSeconds(at), source: 'haldir', data };
  return stringifyJson({ ...envelope, ...data, ...envelope });
}

/** What one attempt says, and under which secrets. */
export interface Message {
  webhookId: number;
  eventId: string;
  type: string;
  body: string;
  /** From 1. */
  attempt: number;
}

/**
 * The headers of one attempt.
 *
 * @param secrets the current one first; during the grace after a rotation also the previous one
 * @param timestamp Unix seconds of the attempt
 */
export function messageHeaders(
  message: Message,
  secrets: readonly [current: string, previous?: string],
  timestamp: number,
): Record<string, string> {
  const { webhookId, eventId, type, body, attempt } = message;
  const [current, previous] = secrets;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'Haldir-Webhooks/1',
    'webhook-id': eventId,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': standardSignature(current, eventId, timestamp, body),
    'x-haldir-event': type,
    'x-haldir-timestamp': String(timestamp),
    'x-haldir-webhook-id': String(webhookId),
    'x-haldir-delivery-attempt': String(attempt),
    'x-haldir-signature': legacySignature(current, timestamp, body),
  };
  if (previous !== undefined) {
    headers['webhook-signature'] += ` ${standardSignature(previous, eventId, timestamp, body)}`;
    // The legacy header holds one signature, so the previous secret's has one of its own.
    headers['x-haldir-signature-prev'] = legacySignature(previous, timestamp, body);
  }
  return headers;
}
