import { z } from 'zod';

/** A queue and what its jobs carry: ids only, so that running a job twice is harmless and a job tells nobody anything. */
export interface QueueDefinition<Payload extends z.ZodType = z.ZodType> {
  name: string;
  payload: Payload;
}

const nothing = z.object({});

/** New payload fields are optional, because jobs already queued lack them. */
export const queues = {
  /** Takes events from the outbox, makes their deliveries, and queues every delivery that is due. */
  outboxRelay: { name: 'outbox-relay', payload: nothing },
  webhookDelivery: { name: 'webhook-delivery', payload: z.object({ deliveryIds: z.array(z.string()) }) },
  anomalyScan: { name: 'anomaly-scan', payload: nothing },
  /** Builds log tiles, signs checkpoints and advances the sums. */
  auditCheckpoint: { name: 'audit-checkpoint', payload: nothing },
  /** Ends approval requests whose time is up. */
  approvalExpiry: { name: 'approval-expiry', payload: nothing },
  /** Notes sessions that have expired, and purges what is kept for a day only. */
  sessionExpiry: { name: 'session-expiry', payload: nothing },
  upstreamHealth: { name: 'upstream-health', payload: nothing },
} satisfies Record<string, QueueDefinition>;

export type JobPayload<Queue extends QueueDefinition> = z.infer<Queue['payload']>;
