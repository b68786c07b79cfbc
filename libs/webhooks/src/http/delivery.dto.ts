import { toUnixSeconds } from '@haldir/kernel';
import { EVENT_TYPES } from '@haldir/events';
import { nextCursor, pageQuery, queryInt } from '@haldir/http';
import { z } from 'zod';
import { type LoggedAttempt } from '../delivery-log.repository.js';
import { deliveryId } from '../delivery-log.js';

const TYPES = [...EVENT_TYPES, 'webhook_test'] as const;

export const ListDeliveries = z.object({
  webhook_id: queryInt(1, Number.MAX_SAFE_INTEGER).optional().describe('Filter by webhook'),
  status: z
    .enum(['delivered', 'failed'], 'expected delivered or failed')
    .optional()
    .describe('Filter by outcome of the attempt'),
  event: z
    .enum(TYPES, `expected one of ${TYPES.join(', ')}`)
    .optional()
    .describe('Filter by event type'),
  event_id: z
    .string('expected one event id')
    .min(1)
    .max(128)
    .optional()
    .describe('Filter by event, as webhook-id names it'),
  ...pageQuery,
});
export type ListDeliveries = z.infer<typeof ListDeliveries>;

const DeliveryAttempt = z
  .object({
    id: z.string().describe('The delivery; pass it to retry. Attempts of one delivery share it'),
    delivery_id: z.string(),
    webhook_id: z.int(),
    url: z.string(),
    event: z.string(),
    event_id: z.string().describe('The webhook-id header, the same at every attempt'),
    attempt: z.int().describe('From 1'),
    status: z.enum(['delivered', 'failed']).describe('Outcome of this attempt'),
    status_code: z.int().nullable().describe('What the endpoint answered; null when no answer came'),
    error: z.string().nullable().describe('Kind of failure; null for a success'),
    duration_ms: z.int(),
    created_at: z.number().describe('Unix timestamp of the attempt'),
    delivery_status: z
      .enum(['pending', 'delivered', 'failed', 'cancelled'])
      .describe('What has become of the delivery by now; pending means that another attempt is to come'),
    next_attempt_at: z.number().nullable().describe('Unix timestamp of the next attempt; null when none is to come'),
  })
  .meta({ id: 'WebhookDeliveryAttempt' });

export const DeliveryList = z.object({ deliveries: z.array(DeliveryAttempt), count: z.int(), next_cursor: nextCursor });
export type DeliveryList = z.infer<typeof DeliveryList>;

export function toDeliveryAttempt(logged: LoggedAttempt): z.infer<typeof DeliveryAttempt> {
  return {
    id: deliveryId(logged),
    delivery_id: deliveryId(logged),
    webhook_id: logged.webhookId,
    url: logged.url,
    event: logged.event,
    event_id: logged.eventId,
    attempt: logged.attempt,
    status: logged.delivered ? 'delivered' : 'failed',
    status_code: logged.statusCode,
    error: logged.error,
    duration_ms: logged.durationMs,
    created_at: toUnixSeconds(logged.at),
    delivery_status: logged.state,
    next_attempt_at: logged.nextAttemptAt === null ? null : toUnixSeconds(logged.nextAttemptAt),
  };
}

export const DeliveryRetried = z.object({ queued: z.literal(true), delivery_id: z.string() });
export type DeliveryRetried = z.infer<typeof DeliveryRetried>;
