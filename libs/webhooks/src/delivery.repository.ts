import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { EVERY_TENANT, isDataFailure, Transactions } from '@haldir/database';
import { LessThanOrEqual } from 'typeorm';
import { Delivery } from './delivery.entity.js';
import { Webhook } from './webhook.entity.js';
import { type WebhookFormat } from './webhook-format.js';

export interface EndpointKey {
  tenantId: string;
  webhookId: number;
}

export interface DeliveryKey extends EndpointKey {
  eventId: string;
}

/** A delivery that this process holds until its lease runs out. */
export interface ClaimedDelivery extends DeliveryKey {
  type: string;
  body: string;
  /** Attempts made so far. */
  attempts: number;
  /** Attempts the schedule still allows, with the one now due. */
  attemptsLeft: number;
}

/** An endpoint as a sender needs it; secrets are sealed. */
export interface EndpointState {
  url: string;
  format: WebhookFormat;
  secret: Buffer;
  secretPrev: Buffer | null;
  secretPrevExpiresAt: Date | null;
  failingSince: Date | null;
  /** Whether the breaker is open and a probe is due: one delivery is claimed then. */
  probing: boolean;
  breakerSeconds: number;
}

export interface Claim {
  /** Null when nothing is due, or the endpoint takes nothing now. */
  endpoint: EndpointState | null;
  deliveries: ClaimedDelivery[];
}

/** What became of an attempt, and what that makes of the delivery. */
export interface AttemptOutcome extends DeliveryKey {
  event: string;
  attempt: number;
  attemptsLeft: number;
  at: Date;
  statusCode: number | null;
  error: string | null;
  durationMs: number;
  state: 'pending' | 'delivered' | 'failed';
  nextAttemptAt: Date;
}

interface ClaimRequest extends EndpointKey {
  take: number;
  now: Date;
  leasedUntil: Date;
}

const claim = {
  name: 'webhook_delivery.claim.v2',
  text: `WITH due AS MATERIALIZED (
           SELECT c.*, w.url, w.format, w.secret, w.secret_prev, w.secret_prev_expires_at, w.failing_since, w.breaker_seconds,
                  w.breaker_until IS NOT NULL AS probing
             FROM unnest($1::text[], $2::bigint[], $3::integer[]) AS wish(tenant_id, webhook_id, take)
             JOIN webhook w ON w.tenant_id = wish.tenant_id AND w.id = wish.webhook_id AND w.deleted_at IS NULL AND w.disabled_at IS NULL
                           AND (w.breaker_until IS NULL OR w.breaker_until <= $4::timestamptz)
            CROSS JOIN LATERAL (
                    SELECT d.tenant_id, d.event_id, d.webhook_id FROM webhook_delivery d
                     WHERE d.tenant_id = wish.tenant_id AND d.webhook_id = wish.webhook_id AND d.state = 'pending'
                       AND d.next_attempt_at <= $4 AND (d.leased_until IS NULL OR d.leased_until <= $4)
                     ORDER BY d.next_attempt_at
                     LIMIT CASE WHEN w.breaker_until IS NULL THEN wish.take ELSE 1 END
                       FOR UPDATE SKIP LOCKED
                  ) c
         ), held AS (
           UPDATE webhook_delivery d SET leased_until = $5::timestamptz FROM due
            WHERE d.tenant_id = due.tenant_id AND d.event_id = due.event_id AND d.webhook_id = due.webhook_id
           RETURNING d.tenant_id, d.event_id, d.webhook_id, d.attempts, d.attempts_left
         )
         SELECT held.*, e.type, e.body, due.url, due.format, due.secret, due.secret_prev, due.secret_prev_expires_at, due.failing_since,
                due.breaker_seconds, due.probing
           FROM held
           JOIN due USING (tenant_id, event_id, webhook_id)
           JOIN webhook_event e ON e.tenant_id = held.tenant_id AND e.id = held.event_id`,
};
const KEYS = 'unnest($1::text[], $2::text[], $3::bigint[]) AS k(tenant_id, event_id, webhook_id)';
const SAME = 'd.tenant_id = k.tenant_id AND d.event_id = k.event_id AND d.webhook_id = k.webhook_id';
const renew = {
  name: 'webhook_delivery.renew.v2',
  text: `UPDATE webhook_delivery d SET leased_until = $4 FROM ${KEYS} WHERE ${SAME} AND d.state = 'pending'
         RETURNING d.tenant_id, d.event_id, d.webhook_id`,
};
const release = {
  name: 'webhook_delivery.release.v1',
  text: `UPDATE webhook_delivery d SET leased_until = NULL FROM ${KEYS} WHERE ${SAME} AND d.state = 'pending'`,
};
const settle = {
  name: 'webhook_delivery.settle.v1',
  text: `WITH k AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::integer[], $6::integer[], $7::timestamptz[],
                                $8::integer[], $9::text[], $10::integer[], $11::text[], $12::timestamptz[])
             AS k(tenant_id, event_id, webhook_id, event, attempt, attempts_left, at, status_code, error, duration_ms, state, next_attempt_at)
         ), logged AS (
           INSERT INTO webhook_attempt (tenant_id, event_id, webhook_id, event, attempt, at, delivered, status_code, error, duration_ms)
             SELECT tenant_id, event_id, webhook_id, event, attempt, at, state = 'delivered', status_code, error, duration_ms FROM k
         )
         UPDATE webhook_delivery d
            SET state = k.state, attempts = k.attempt, attempts_left = k.attempts_left, next_attempt_at = k.next_attempt_at, leased_until = NULL
           FROM k WHERE ${SAME} AND d.state = 'pending' AND d.attempts = k.attempt - 1`,
};
// One index probe per endpoint with anything pending, however much is pending.
const dueEndpoints = `
  WITH RECURSIVE endpoint AS (
    (SELECT tenant_id, webhook_id FROM webhook_delivery WHERE state = 'pending' ORDER BY tenant_id, webhook_id LIMIT 1)
    UNION ALL
    SELECT n.tenant_id, n.webhook_id FROM endpoint e CROSS JOIN LATERAL (
      SELECT d.tenant_id, d.webhook_id FROM webhook_delivery d
       WHERE d.state = 'pending' AND (d.tenant_id, d.webhook_id) > (e.tenant_id, e.webhook_id)
       ORDER BY d.tenant_id, d.webhook_id LIMIT 1) n
  )
  SELECT e.tenant_id, e.webhook_id FROM endpoint e
    JOIN webhook w ON w.tenant_id = e.tenant_id AND w.id = e.webhook_id AND w.deleted_at IS NULL AND w.disabled_at IS NULL
                  AND (w.breaker_until IS NULL OR w.breaker_until <= $1)
   WHERE EXISTS (SELECT FROM webhook_delivery d
                  WHERE d.tenant_id = e.tenant_id AND d.webhook_id = e.webhook_id AND d.state = 'pending'
                    AND d.next_attempt_at <= $1 AND (d.leased_until IS NULL OR d.leased_until <= $1))`;

export interface EndpointRow {
  tenant_id: string;
  webhook_id: string;
}

interface DeliveryRow extends EndpointRow {
  event_id: string;
}

interface ClaimRow extends DeliveryRow {
  attempts: number;
  attempts_left: number;
  type: string;
  body: string;
  url: string;
  format: WebhookFormat;
  secret: Buffer;
  secret_prev: Buffer | null;
  secret_prev_expires_at: Date | null;
  failing_since: Date | null;
  breaker_seconds: number;
  probing: boolean;
}

/** Deliveries that were made: which are due, who holds them, what became of them. Calls that arrive together share a statement. */
@Injectable()
export class DeliveryRepository {
  private readonly claims: Batcher<ClaimRequest, Claim>;
  private readonly outcomes: Batcher<AttemptOutcome, undefined>;

  constructor(private readonly transactions: Transactions) {
    this.claims = new Batcher({
      maxBatch: 64,
      maxInFlight: 2,
      maxQueued: 100_000,
      run: (requests) => this.claimAll(requests),
    });
    this.outcomes = new Batcher({
      maxBatch: 512,
      maxInFlight: 2,
      maxQueued: 100_000,
      splitOn: isDataFailure,
      run: (outcomes) => this.settleAll(outcomes),
    });
  }

  /**
   * Takes up to `take` of an endpoint's due deliveries, oldest first, and holds them until `leasedUntil`: nobody else
   * gets them meanwhile. Takes one, as a probe, when the breaker was open until now.
   */
  claim(request: ClaimRequest): Promise<Claim> {
    return this.claims.submit(request);
  }

  /** Writes an attempt down, once, and what it makes of the delivery; durable when it resolves. */
  async settle(outcome: AttemptOutcome): Promise<void> {
    await this.outcomes.submit(outcome);
  }

  /** Holds deliveries for longer; answers those that are still to be made. */
  async renew(deliveries: readonly DeliveryKey[], leasedUntil: Date): Promise<DeliveryKey[]> {
    const rows = await this.transactions.query<DeliveryRow>(renew, [...unzip(deliveries), leasedUntil]);
    return rows.map((row) => ({ ...toEndpointKey(row), eventId: row.event_id }));
  }

  /** Lets go of deliveries that were claimed and not sent. */
  async release(deliveries: readonly DeliveryKey[]): Promise<void> {
    await this.transactions.query(release, unzip(deliveries));
  }

  /** Every endpoint that takes deliveries and has one due that nobody holds. */
  async endpointsWithDue(now: Date): Promise<EndpointKey[]> {
    return (await this.transactions.queryAll<EndpointRow>(dueEndpoints, [now])).map(toEndpointKey);
  }

  /** Deliveries that are due or under way. */
  async countDue(now: Date): Promise<number> {
    const takesThem = 'w.tenantId = d.tenantId AND w.id = d.webhookId AND w.deletedAt IS NULL AND w.disabledAt IS NULL';
    const row = await this.transactions.read(EVERY_TENANT, (manager) =>
      manager
        .createQueryBuilder(Delivery, 'd')
        .innerJoin(Webhook, 'w', takesThem)
        .select('count(*)', 'due')
        .where({ state: 'pending', nextAttemptAt: LessThanOrEqual(now) })
        .getRawOne<{ due: string }>(),
    );
    return Number(row?.due ?? 0);
  }

  private async claimAll(requests: ClaimRequest[]): Promise<Claim[]> {
    const now = new Date(Math.max(...requests.map((request) => request.now.getTime())));
    const leasedUntil = new Date(Math.max(...requests.map((request) => request.leasedUntil.getTime())));
    const rows = await this.transactions.query<ClaimRow>(claim, [
      requests.map(({ tenantId }) => tenantId),
      requests.map(({ webhookId }) => webhookId),
      requests.map(({ take }) => take),
      now,
      leasedUntil,
    ]);
    const byEndpoint = new Map<string, ClaimRow[]>();
    for (const row of rows) {
      const key = `${row.tenant_id} ${row.webhook_id}`;
      const found = byEndpoint.get(key);
      if (found) found.push(row);
      else byEndpoint.set(key, [row]);
    }
    return requests.map(({ tenantId, webhookId }) => toClaim(byEndpoint.get(`${tenantId} ${webhookId}`) ?? []));
  }

  private async settleAll(outcomes: AttemptOutcome[]): Promise<undefined[]> {
    await this.transactions.query(settle, [
      ...unzip(outcomes),
      outcomes.map(({ event }) => event),
      outcomes.map(({ attempt }) => attempt),
      outcomes.map(({ attemptsLeft }) => attemptsLeft),
      outcomes.map(({ at }) => at),
      outcomes.map(({ statusCode }) => statusCode),
      outcomes.map(({ error }) => error),
      outcomes.map(({ durationMs }) => Math.round(durationMs)),
      outcomes.map(({ state }) => state),
      outcomes.map(({ nextAttemptAt }) => nextAttemptAt),
    ]);
    return outcomes.map(() => undefined);
  }
}

function unzip(keys: readonly DeliveryKey[]): [string[], string[], number[]] {
  return [
    keys.map(({ tenantId }) => tenantId),
    keys.map(({ eventId }) => eventId),
    keys.map(({ webhookId }) => webhookId),
  ];
}

export function toEndpointKey({ tenant_id, webhook_id }: EndpointRow): EndpointKey {
  return { tenantId: tenant_id, webhookId: Number(webhook_id) };
}

function toClaim(rows: ClaimRow[]): Claim {
  const [first] = rows;
  if (!first) return { endpoint: null, deliveries: [] };
  return {
    endpoint: {
      url: first.url,
      format: first.format,
      secret: first.secret,
      secretPrev: first.secret_prev,
      secretPrevExpiresAt: first.secret_prev_expires_at,
      failingSince: first.failing_since,
      probing: first.probing,
      breakerSeconds: first.breaker_seconds,
    },
    deliveries: rows.map((row) => ({
      ...toEndpointKey(row),
      eventId: row.event_id,
      type: row.type,
      body: row.body,
      attempts: row.attempts,
      attemptsLeft: row.attempts_left,
    })),
  };
}
