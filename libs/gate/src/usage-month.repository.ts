import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';
import { UsageMonth } from './usage-month.entity.js';

/** Every second, for the requests of all tenants. */
const add = {
  name: 'usage_month.add.v1',
  text: `INSERT INTO usage_month (tenant_id, month, requests)
           SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ORDER BY 1, 2
         ON CONFLICT (tenant_id, month) DO UPDATE SET requests = usage_month.requests + excluded.requests`,
};

@Injectable()
export class UsageMonthRepository {
  constructor(private readonly transactions: Transactions) {}

  /** @param month `YYYY-MM`, UTC */
  async requestsIn(tenantId: string, month: string): Promise<number> {
    const found = await this.transactions.read(tenantId, (manager) =>
      manager.findOneBy(UsageMonth, { tenantId, month }),
    );
    return Number(found?.requests ?? 0);
  }

  /** Adds requests to months, making those that are not there yet. */
  async add(counts: readonly { tenantId: string; month: string; requests: number }[]): Promise<void> {
    await this.transactions.query(add, [
      counts.map(({ tenantId }) => tenantId),
      counts.map(({ month }) => month),
      counts.map(({ requests }) => requests),
    ]);
  }
}
