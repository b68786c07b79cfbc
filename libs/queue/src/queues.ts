import { z } from 'zod';

/** A queue and what its jobs carry: ids only, so that running a job twice is harmless and a job tells nobody anything. */
export interface QueueDefinition<Payload extends z.ZodType = z.ZodType> {
  name: string;
  payload: Payload;
}

const nothing = z.object({});

/** New payload fields are optional, because jobs already queued lack them. */
export const queues = {
  /** Takes events from the outbox and tells them to whoever listens. */
  outboxRelay: { name: 'outbox-relay', payload: nothing },
  /** Sends what is due to one endpoint. */
  webhookDelivery: { name: 'webhook-delivery', payload: z.object({ tenantId: z.string(), webhookId: z.int() }) },
  /** Queues every endpoint that has deliveries due, whatever became of earlier jobs. */
  webhookSweep: { name: 'webhook-sweep', payload: nothing },
  /** Removes events that were kept long enough. */
  webhookRetention: { name: 'webhook-retention', payload: nothing },
  /** Sends e-mails that are due. */
  mailDelivery: { name: 'mail-delivery', payload: nothing },
  /** Tells browsers what is due. */
  pushDelivery: { name: 'push-delivery', payload: nothing },
  /** Removes e-mails and messages to browsers that were kept long enough. */
  mailRetention: { name: 'mail-retention', payload: nothing },
  anomalyScan: { name: 'anomaly-scan', payload: nothing },
  /** Compares what sessions have spent with their payments in the log. */
  spentCheck: { name: 'spent-check', payload: nothing },
  /** Builds log tiles, signs checkpoints and advances the sums. */
  auditCheckpoint: { name: 'audit-checkpoint', payload: nothing },
  /** Ends approval requests whose time is up. */
  approvalExpiry: { name: 'approval-expiry', payload: nothing },
  /** Notes sessions that have expired and keys that are about to, and purges what is kept for a day only. */
  sessionExpiry: { name: 'session-expiry', payload: nothing },
  /** Sets free what is held by payments whose time is up. */
  paymentExpiry: { name: 'payment-expiry', payload: nothing },
  /** Removes deleted secrets that nobody brought back in time, and values that expired. */
  secretPurge: { name: 'secret-purge', payload: nothing },
  /** Writes down the calls of processes that died. */
  unknownCalls: { name: 'unknown-calls', payload: nothing },
  upstreamHealth: { name: 'upstream-health', payload: nothing },
  /** Makes the packages of evidence that wait, and removes what is over. */
  evidence: { name: 'evidence', payload: nothing },
  /** Ends sessions with upstreams that nobody needs any more. */
  upstreamSessions: { name: 'upstream-sessions', payload: nothing },
} satisfies Record<string, QueueDefinition>;

export type JobPayload<Queue extends QueueDefinition> = z.infer<Queue['payload']>;
