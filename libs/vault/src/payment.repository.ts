import { Inject, Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Payment } from './payment.entity.js';

export interface PaymentFilter {
  sessionId?: string | undefined;
  agentId?: string | undefined;
}

const insert = {
  name: 'payment.insert.v1',
  text: `INSERT INTO payment (tenant_id, id, session_id, agent_id, amount_minor, currency, usd_micros, fx_rate, description, created_at)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::numeric[],
                                $9::text[], $10::timestamptz[])`,
};
// In the order of the key, so that concurrent additions queue up and never deadlock.
const addToTotals = {
  name: 'payment_total.add.v1',
  text: `INSERT INTO payment_total AS t (tenant_id, scope, subject, agent_id, payments, usd_micros)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) ORDER BY 1, 2, 3
         ON CONFLICT (tenant_id, scope, subject) DO UPDATE
           SET payments = t.payments + excluded.payments, usd_micros = t.usd_micros + excluded.usd_micros`,
};
const readTotal = {
  name: 'payment_total.read.v1',
  text: `SELECT payments, usd_micros FROM payment_total
          WHERE tenant_id = $1 AND scope = $2 AND subject = $3 AND ($4::text IS NULL OR agent_id = $4)`,
};

interface Total {
  tenantId: string;
  scope: 'tenant' | 'agent' | 'session';
  subject: string;
  agentId: string;
  payments: number;
  micros: bigint;
}

@Injectable()
export class PaymentRepository {
  constructor(@Inject(Transactions) private readonly transactions: Transactions) {}

  /** Up to `limit` of the tenant's payments, newest first, behind the one with id `before`. */
  list(tenantId: string, filter: PaymentFilter, limit: number, before: string | null): Promise<Payment[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Payment, 'p')
        .where('p.tenantId = :tenantId', { tenantId })
        .orderBy('p.id', 'DESC')
        .limit(limit);
      if (filter.sessionId !== undefined) query.andWhere('p.sessionId = :sessionId', filter);
      if (filter.agentId !== undefined) query.andWhere('p.agentId = :agentId', filter);
      if (before !== null) query.andWhere('p.id < :before', { before });
      return query.getMany();
    });
  }

  /** One row, whatever was paid so far. */
  async total(
    tenantId: string,
    { sessionId, agentId }: PaymentFilter,
  ): Promise<{ totalMicros: MicroUsd; count: number }> {
    const [scope, subject] =
      sessionId !== undefined ? ['session', sessionId] : agentId !== undefined ? ['agent', agentId] : ['tenant', ''];
    const [row] = await this.transactions.query<{ payments: string; usd_micros: string }>(readTotal, [
      tenantId,
      scope,
      subject,
      agentId ?? null,
    ]);
    return { totalMicros: BigInt(row?.usd_micros ?? 0) as MicroUsd, count: Number(row?.payments ?? 0) };
  }

  in(tx: Tx) {
    return {
      /** Writes the payments and adds them to the sums; does not wait for the answers. */
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
        ]);
        const totals = sumUp(payments);
        tx.send(addToTotals, [
          totals.map(({ tenantId }) => tenantId),
          totals.map(({ scope }) => scope),
          totals.map(({ subject }) => subject),
          totals.map(({ agentId }) => agentId),
          totals.map(({ payments: count }) => count),
          totals.map(({ micros }) => micros.toString()),
        ]);
      },
    };
  }
}

/** What the payments add to each of their sums. */
function sumUp(payments: readonly Payment[]): Total[] {
  const totals = new Map<string, Total>();
  for (const { tenantId, agentId, sessionId, usdValue } of payments) {
    for (const [scope, subject, agent] of [
      ['tenant', '', ''],
      ['agent', agentId, agentId],
      ['session', sessionId, agentId],
    ] as const) {
      const key = `${tenantId} ${scope} ${subject}`;
      const total = totals.get(key) ?? { tenantId, scope, subject, agentId: agent, payments: 0, micros: 0n };
      total.payments += 1;
      total.micros += usdValue ?? 0n;
      totals.set(key, total);
    }
  }
  return [...totals.values()];
}
