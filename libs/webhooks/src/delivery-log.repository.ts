import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { And, LessThan, MoreThanOrEqual } from 'typeorm';
import { Attempt, Delivery, type DeliveryState } from './delivery.entity.js';
import { type DeliveryKey, type EndpointKey } from './delivery.repository.js';
import { MAX_ATTEMPTS } from './retry-schedule.js';
import { Webhook } from './webhook.entity.js';

export type DeliveryStatus = 'delivered' | 'failed';

/** One attempt, as the delivery log shows it. */
export interface LoggedAttempt extends Attempt {
  url: string;
  /** What has become of the whole delivery by now. */
  state: DeliveryState;
  /** Null unless another attempt is to come. */
  nextAttemptAt: Date | null;
}

export interface AttemptFilter {
  webhookId?: number | undefined;
  event?: string | undefined;
  eventId?: string | undefined;
  status?: DeliveryStatus | undefined;
}

/** How deliveries of a stretch of time went. */
export interface DeliveryFigures {
  attempts: number;
  delivered: number;
}

// The lock on the event is one that the purge waits for, or has.
const recover = `
  WITH missed AS MATERIALIZED (
    SELECT d.event_id FROM webhook_delivery d
      JOIN webhook_event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
     WHERE d.tenant_id = $1 AND d.webhook_id = $2 AND d.state IN ('failed', 'cancelled') AND d.event_id >= $3
     ORDER BY d.event_id LIMIT $5 FOR UPDATE OF d FOR KEY SHARE OF e
  )
  UPDATE webhook_delivery d SET state = 'pending', attempts_left = $6, next_attempt_at = $4, leased_until = NULL
    FROM missed WHERE d.tenant_id = $1 AND d.webhook_id = $2 AND d.event_id = missed.event_id
  RETURNING 1 AS done`;

// The lock on the event is one that the purge waits for, or has.
const holdEvent = `
  SELECT w.disabled_at IS NULL AS live FROM webhook_delivery d
    JOIN webhook_event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
    JOIN webhook w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id AND w.deleted_at IS NULL
   WHERE d.tenant_id = $1 AND d.event_id = $2 AND d.webhook_id = $3 FOR KEY SHARE OF e`;

const makeDue = `
  UPDATE webhook_delivery
     SET next_attempt_at = least(next_attempt_at, $4), state = 'pending',
         attempts_left = CASE state WHEN 'pending' THEN attempts_left ELSE 1 END
   WHERE tenant_id = $1 AND event_id = $2 AND webhook_id = $3`;

/** What was attempted, and asking for more. */
@Injectable()
export class DeliveryLogRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's attempts, newest first, behind the one with id `before`. */
  async list(tenantId: string, filter: AttemptFilter, limit: number, before: number | null): Promise<LoggedAttempt[]> {
    const { webhookId, event, eventId, status } = filter;
    const where = {
      tenantId,
      ...(webhookId !== undefined && { webhookId }),
      ...(event !== undefined && { event }),
      ...(eventId !== undefined && { eventId }),
      ...(status !== undefined && { delivered: status === 'delivered' }),
      ...(before !== null && { id: LessThan(before) }),
    };
    const isOfIt = 'd.tenantId = a.tenantId AND d.eventId = a.eventId AND d.webhookId = a.webhookId';
    const { entities, raw } = await this.transactions.read(tenantId, (manager) =>
      manager
        .createQueryBuilder(Attempt, 'a')
        .innerJoin(Webhook, 'w', 'w.tenantId = a.tenantId AND w.id = a.webhookId')
        .innerJoin(Delivery, 'd', isOfIt)
        .addSelect('w.url', 'url')
        .addSelect('d.state', 'state')
        .addSelect('d.nextAttemptAt', 'next')
        .where(where)
        .orderBy('a.id', 'DESC')
        .limit(limit)
        .getRawAndEntities<{ url: string; state: DeliveryState; next: Date }>(),
    );
    return entities.map((attempt, i) => {
      const joined = raw[i];
      if (!joined) throw new Error('an attempt came without its delivery');
      const { url, state, next } = joined;
      return { ...attempt, url, state, nextAttemptAt: state === 'pending' ? next : null };
    });
  }

  async figures(tenantId: string, since: Date, until: Date): Promise<DeliveryFigures> {
    const row = await this.transactions.read(tenantId, (manager) =>
      manager
        .createQueryBuilder(Attempt, 'a')
        .select('count(*)::float8', 'attempts')
        .addSelect('count(*) FILTER (WHERE a.delivered)::float8', 'delivered')
        .where({ tenantId, at: And(MoreThanOrEqual(since), LessThan(until)) })
        .getRawOne<DeliveryFigures>(),
    );
    return row ?? { attempts: 0, delivered: 0 };
  }

  /**
   * Makes a delivery due now: one that waits keeps the rest of its schedule, one that is settled gets one attempt.
   * Answers whether its endpoint still takes deliveries; null when the tenant has no such delivery.
   */
  async requeue(tx: Tx, { tenantId, eventId, webhookId }: DeliveryKey, now: Date): Promise<boolean | null> {
    const [endpoint] = await tx.query<{ live: boolean }>(holdEvent, [tenantId, eventId, webhookId]);
    if (!endpoint?.live) return endpoint ? false : null;
    await tx.query(makeDue, [tenantId, eventId, webhookId, now]);
    return true;
  }

  /**
   * Makes up to `limit` deliveries to the endpoint due now, oldest first, with all their attempts: those of events from `firstEventId`
   * on that were given up or never begun. Answers how many.
   */
  async recover(
    tx: Tx,
    { tenantId, webhookId }: EndpointKey,
    firstEventId: string,
    now: Date,
    limit: number,
  ): Promise<number> {
    return (await tx.query(recover, [tenantId, webhookId, firstEventId, now, limit, MAX_ATTEMPTS])).length;
  }
}
