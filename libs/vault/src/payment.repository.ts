import { Injectable } from '@nestjs/common';
import { firstIdAt, type MicroUsd } from '@haldir/kernel';
import { type Collector, columnsOf, EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { LessThanOrEqual } from 'typeorm';
import { Payment, type PaymentState } from './payment.entity.js';

export interface PaymentFilter {
  sessionId?: string | undefined;
  agentId?: string | undefined;
}

export interface PaymentListFilter extends PaymentFilter {
  state?: PaymentState | undefined;
  /** The first moment that counts. */
  since?: Date | undefined;
  /** The last moment that counts. */
  until?: Date | undefined;
}

/** By how much the time in an id may be off the payment's own. */
const ID_LEEWAY_MS = 60_000;

const SETTLED_NAMES = [
  ...(['tenantId', 'id', 'sessionId', 'agentId', 'createdAt', 'amountMinor', 'currency', 'usdValue'] as const),
  ...(['description', 'drawnOn', 'ofCall', 'state', 'capturedMinor', 'capturedValue'] as const),
] as const;
const SETTLED = columnsOf(Payment).only(...SETTLED_NAMES);

const insert = {
  name: 'payment.insert.v3',
  text: `WITH w AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::numeric[],
                                $9::text[], $10::timestamptz[], $11::text[], $12::timestamptz[], $13::json[], $14::boolean[])
             AS w(tenant_id, id, session_id, agent_id, amount_minor, currency, usd_micros, fx_rate, description, created_at, state, expires_at,
                  drawn_on, of_call)
         ), p AS (
           INSERT INTO payment (tenant_id, id, session_id, agent_id, amount_minor, currency, usd_micros, fx_rate, description, created_at, state, expires_at,
                               drawn_on, of_call)
             SELECT tenant_id, id, session_id, agent_id, amount_minor, currency, usd_micros, fx_rate, description, created_at, state, expires_at,
                    ARRAY(SELECT json_array_elements_text(drawn_on)), of_call FROM w
         )
         INSERT INTO payment_event (tenant_id, payment_id, type, session_id, spent_micros, held_micros, at)
           SELECT tenant_id, id, state, session_id, CASE state WHEN 'held' THEN 0 ELSE coalesce(usd_micros, 0) END,
                  CASE state WHEN 'held' THEN coalesce(usd_micros, 0) ELSE 0 END, created_at FROM w`,
};
const settle = {
  name: 'payment.settle.v4',
  text: `WITH w AS (
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) AS w(tenant_id, id, state, captured_minor, captured_micros)
         ), p AS (
           UPDATE payment p SET state = w.state, captured_minor = w.captured_minor, captured_micros = w.captured_micros, settled_at = $6::timestamptz
             FROM w
            WHERE p.tenant_id = w.tenant_id AND p.id = w.id AND p.state = 'held' AND (p.expires_at > $6) = (w.state <> 'expired')
           RETURNING ${SETTLED.of('p')}
         ), e AS (
           INSERT INTO payment_event (tenant_id, payment_id, type, session_id, spent_micros, held_micros, at)
             SELECT tenant_id, id, state, session_id, coalesce(captured_micros, 0), -coalesce(usd_micros, 0), $6 FROM p
         )
         SELECT * FROM p`,
};
// In the order of the key, so that concurrent additions queue up and never deadlock.
const addToTotals = {
  name: 'payment_total.add.v1',
  text: `INSERT INTO payment_total AS t (tenant_id, scope, subject, agent_id, payments, usd_micros)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) ORDER BY 1, 2, 3
         ON CONFLICT (tenant_id, scope, subject) DO UPDATE
           SET payments = t.payments + excluded.payments, usd_micros = t.usd_micros + excluded.usd_micros`,
};
const addToDays = {
  name: 'payment_day.add.v1',
  text: `INSERT INTO payment_day AS d (tenant_id, day, agent_id, tool, payments, usd_micros)
           SELECT tenant_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, agent_id, payment_tool(of_call, description) AS tool,
                  count(*), sum(usd_micros)::bigint
             FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::boolean[], $5::text[], $6::bigint[])
                    AS p(tenant_id, created_at, agent_id, of_call, description, usd_micros)
            GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
         ON CONFLICT (tenant_id, day, agent_id, tool) DO UPDATE
           SET payments = d.payments + excluded.payments, usd_micros = d.usd_micros + excluded.usd_micros`,
};
/** What a hold is to become. */
export interface HoldEnd {
  tenantId: string;
  id: string;
  state: 'captured' | 'voided' | 'expired';
  captured: { minor: bigint; micros: MicroUsd } | null;
}

/** A hold that was settled just now. */
export type SettledHold = Pick<Payment, (typeof SETTLED_NAMES)[number]>;

interface Total {
  tenantId: string;
  scope: 'tenant' | 'agent' | 'session';
  subject: string;
  agentId: string;
  payments: number;
  micros: bigint;
}

/** What was paid, as the sums count it. */
type Paid = Pick<Payment, 'tenantId' | 'agentId' | 'sessionId' | 'createdAt' | 'ofCall' | 'description'> & {
  micros: bigint;
};

/**
 * The sums of a tenant are rows that all its payments change, so they come after what else a transaction locks: a payment and
 * the capture of a hold, which lock budgets at different times, would lock each other out otherwise.
 */
const totals: Collector<Paid> = {
  rank: 60,
  async flush(tx, paid) {
    const sums = sumUp(paid);
    tx.send(addToTotals, [
      sums.map(({ tenantId }) => tenantId),
      sums.map(({ scope }) => scope),
      sums.map(({ subject }) => subject),
      sums.map(({ agentId }) => agentId),
      sums.map(({ payments }) => payments),
      sums.map(({ micros }) => micros.toString()),
    ]);
    await tx.query(addToDays, [
      paid.map(({ tenantId }) => tenantId),
      paid.map(({ createdAt }) => createdAt),
      paid.map(({ agentId }) => agentId),
      paid.map(({ ofCall }) => ofCall),
      paid.map(({ description }) => description),
      paid.map(({ micros }) => micros.toString()),
    ]);
  },
};

@Injectable()
export class PaymentRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's payments, newest first, behind the one with id `before`. */
  list(
    tenantId: string,
    filter: PaymentListFilter,
    now: Date,
    limit: number,
    before: string | null,
  ): Promise<Payment[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Payment, 'p')
        .where('p.tenantId = :tenantId', { tenantId })
        .orderBy('p.id', 'DESC')
        .limit(limit);
      if (filter.sessionId !== undefined) query.andWhere('p.sessionId = :sessionId', filter);
      if (filter.agentId !== undefined) query.andWhere('p.agentId = :agentId', filter);
      // Ids are made at nearly the same time, and in their order is where to look.
      if (filter.since) {
        const first = firstIdAt('pay', new Date(filter.since.getTime() - ID_LEEWAY_MS));
        query.andWhere('p.createdAt >= :since AND p.id >= :first', { since: filter.since, first });
      }
      if (filter.until) {
        const end = firstIdAt('pay', new Date(filter.until.getTime() + ID_LEEWAY_MS));
        query.andWhere('p.createdAt <= :until AND p.id < :end', { until: filter.until, end });
      }
      if (filter.state === 'held') query.andWhere(`p.state = 'held' AND p.expiresAt > :now`, { now });
      else if (filter.state === 'expired') {
        query.andWhere(`(p.state = 'expired' OR (p.state = 'held' AND p.expiresAt <= :now))`, { now });
      } else if (filter.state !== undefined) query.andWhere('p.state = :state', filter);
      if (before !== null) query.andWhere('p.id < :before', { before });
      return query.getMany();
    });
  }

  find(tenantId: string, id: string): Promise<Payment | null> {
    return this.transactions.read(tenantId, (manager) => manager.findOneBy(Payment, { tenantId, id }));
  }

  /** Up to `limit` holds of any tenant whose time is up. */
  dueHolds(now: Date, limit: number): Promise<{ tenantId: string; id: string; sessionId: string }[]> {
    return this.transactions.read(EVERY_TENANT, (manager) =>
      manager.find(Payment, {
        select: { tenantId: true, id: true, sessionId: true },
        where: { state: 'held', expiresAt: LessThanOrEqual(now) },
        order: { expiresAt: 'ASC' },
        take: limit,
      }),
    );
  }

  in(tx: Tx) {
    return {
      /** Writes the payments and their first step, and adds what is paid to the sums; does not wait for the answers. */
      insert: (payments: readonly Payment[]): void => {
        if (payments.length === 0) return;
        tx.send(insert, [
          payments.map(({ tenantId }) => tenantId),
          payments.map(({ id }) => id),
          payments.map(({ sessionId }) => sessionId),
          payments.map(({ agentId }) => agentId),
          payments.map(({ amountMinor }) => amountMinor.toString()),
          payments.map(({ currency }) => currency),
          payments.map(({ usdValue }) => usdValue?.toString() ?? null),
          payments.map(({ fxRate }) => fxRate),
          payments.map(({ description }) => description),
          payments.map(({ createdAt }) => createdAt),
          payments.map(({ state }) => state),
          payments.map(({ expiresAt }) => expiresAt),
          payments.map(({ drawnOn }) => JSON.stringify(drawnOn)),
          payments.map(({ ofCall }) => ofCall),
        ]);
        const paid = payments.filter(({ state }) => state === 'authorized');
        for (const payment of paid) tx.collect(totals, { ...payment, micros: payment.usdValue ?? 0n });
      },
      find: (tenantId: string, id: string): Promise<Payment | null> => tx.manager.findOneBy(Payment, { tenantId, id }),
      /**
       * Settles holds that are open: those that are captured or voided in time, or expired after it. Answers the ones that
       * were; their sessions have to be locked before.
       */
      settle: async (ends: readonly HoldEnd[], now: Date): Promise<SettledHold[]> => {
        const rows = await tx.query(settle, [
          ends.map(({ tenantId }) => tenantId),
          ends.map(({ id }) => id),
          ends.map(({ state }) => state),
          ends.map(({ captured }) => captured?.minor.toString() ?? null),
          ends.map(({ captured }) => captured?.micros.toString() ?? null),
          now,
        ]);
        const settled = rows.map((row) => SETTLED.toEntity(row));
        const captured = settled.filter(({ state }) => state === 'captured');
        for (const hold of captured) tx.collect(totals, { ...hold, micros: hold.capturedValue ?? 0n });
        return settled;
      },
    };
  }
}

/** What the payments add to each of their sums. */
function sumUp(payments: readonly Paid[]): Total[] {
  const sums = new Map<string, Total>();
  for (const { tenantId, agentId, sessionId, micros } of payments) {
    for (const [scope, subject, agent] of [
      ['tenant', '', ''],
      ['agent', agentId, agentId],
      ['session', sessionId, agentId],
    ] as const) {
      const key = `${tenantId} ${scope} ${subject}`;
      const total = sums.get(key) ?? { tenantId, scope, subject, agentId: agent, payments: 0, micros: 0n };
      total.payments += 1;
      total.micros += micros;
      sums.set(key, total);
    }
  }
  return [...sums.values()];
}
