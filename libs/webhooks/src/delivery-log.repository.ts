import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type DeliveryKey, type EndpointKey } from './delivery.repository.js';
import { MAX_ATTEMPTS } from './retry-schedule.js';

export type DeliveryStatus = 'delivered' | 'failed';

/** One attempt, as the delivery log shows it. */
export interface LoggedAttempt extends DeliveryKey {
  id: number;
  event: string;
  attempt: number;
  at: Date;
  delivered: boolean;
  statusCode: number | null;
  error: string | null;
  durationMs: number;
  url: string;
  /** What has become of the whole delivery by now. */
  state: 'pending' | 'delivered' | 'failed' | 'cancelled';
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

interface AttemptRow {
  id: string;
  event_id: string;
  webhook_id: string;
  event: string;
  attempt: number;
  at: Date;
  delivered: boolean;
  status_code: number | null;
  error: string | null;
  duration_ms: number;
  url: string;
  state: LoggedAttempt['state'];
  next_attempt_at: Date | null;
}

const page = {
  name: 'webhook_attempt.page.v2',
  text: `SELECT a.id, a.event_id, a.webhook_id, a.event, a.attempt, a.at, a.delivered, a.status_code, a.error, a.duration_ms,
              w.url, d.state, CASE WHEN d.state = 'pending' THEN d.next_attempt_at END AS next_attempt_at
         FROM webhook_attempt a
         JOIN webhook w ON w.tenant_id = a.tenant_id AND w.id = a.webhook_id
         JOIN webhook_delivery d ON d.tenant_id = a.tenant_id AND d.event_id = a.event_id AND d.webhook_id = a.webhook_id
        WHERE a.tenant_id = $1
          AND ($2::bigint IS NULL OR a.webhook_id = $2) AND ($3::text IS NULL OR a.event = $3)
          AND ($4::boolean IS NULL OR a.delivered = $4) AND ($5::bigint IS NULL OR a.id < $5)
          AND ($7::text IS NULL OR a.event_id = $7)
        ORDER BY a.id DESC LIMIT $6`,
};

const figures = {
  name: 'webhook_attempt.figures.v1',
  text: `SELECT count(*)::float8 AS attempts, count(*) FILTER (WHERE delivered)::float8 AS delivered FROM webhook_attempt
          WHERE tenant_id = $1 AND at >= $2 AND at < $3`,
};

// The lock on the event is one that the purge waits for, or has.
const recover = {
  name: 'webhook_delivery.recover.v1',
  text: `WITH missed AS MATERIALIZED (
           SELECT d.event_id FROM webhook_delivery d
             JOIN webhook_event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
            WHERE d.tenant_id = $1 AND d.webhook_id = $2 AND d.state IN ('failed', 'cancelled') AND d.event_id >= $3
            ORDER BY d.event_id LIMIT $5 FOR UPDATE OF d FOR KEY SHARE OF e
         )
         UPDATE webhook_delivery d SET state = 'pending', attempts_left = $6, next_attempt_at = $4, leased_until = NULL
           FROM missed WHERE d.tenant_id = $1 AND d.webhook_id = $2 AND d.event_id = missed.event_id
         RETURNING 1 AS done`,
};

/** What was attempted, and asking for more. */
@Injectable()
export class DeliveryLogRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's attempts, newest first, behind the one with id `before`. */
  async list(tenantId: string, filter: AttemptFilter, limit: number, before: number | null): Promise<LoggedAttempt[]> {
    const rows = await this.transactions.query<AttemptRow>(page, [
      tenantId,
      filter.webhookId ?? null,
      filter.event ?? null,
      filter.status === undefined ? null : filter.status === 'delivered',
      before,
      limit,
      filter.eventId ?? null,
    ]);
    return rows.map((row) => ({
      tenantId,
      id: Number(row.id),
      eventId: row.event_id,
      webhookId: Number(row.webhook_id),
      event: row.event,
      attempt: row.attempt,
      at: row.at,
      delivered: row.delivered,
      statusCode: row.status_code,
      error: row.error,
      durationMs: row.duration_ms,
      url: row.url,
      state: row.state,
      nextAttemptAt: row.next_attempt_at,
    }));
  }

  async figures(tenantId: string, since: Date, until: Date): Promise<DeliveryFigures> {
    const [row] = await this.transactions.query<DeliveryFigures>(figures, [tenantId, since, until]);
    return row ?? { attempts: 0, delivered: 0 };
  }

  /**
   * Makes a delivery due now: one that waits keeps the rest of its schedule, one that is settled gets one attempt.
   * Answers whether its endpoint still takes deliveries; null when the tenant has no such delivery.
   */
  async requeue(tx: Tx, { tenantId, eventId, webhookId }: DeliveryKey, now: Date): Promise<boolean | null> {
    const [endpoint] = await tx.query<{ live: boolean }>(
      `SELECT w.disabled_at IS NULL AS live FROM webhook_delivery d
         JOIN webhook_event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
         JOIN webhook w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id AND w.deleted_at IS NULL
        WHERE d.tenant_id = $1 AND d.event_id = $2 AND d.webhook_id = $3 FOR KEY SHARE OF e`,
      [tenantId, eventId, webhookId],
    );
    if (!endpoint?.live) return endpoint ? false : null;
    await tx.query(
      `UPDATE webhook_delivery
          SET next_attempt_at = least(next_attempt_at, $4), state = 'pending',
              attempts_left = CASE state WHEN 'pending' THEN attempts_left ELSE 1 END
        WHERE tenant_id = $1 AND event_id = $2 AND webhook_id = $3`,
      [tenantId, eventId, webhookId, now],
    );
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
