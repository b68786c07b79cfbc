import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

/** What was taken of a window, and how full it is now. */
export interface QuotaTaken {
  granted: number;
  used: number;
  /** When the last request of the oldest bucket came, in seconds; null when there is none. */
  oldest: number | null;
  tenantUsed: number;
  tenantOldest: number | null;
  /** By the clock of the database. */
  nowSeconds: number;
}

// For every authenticated request, or some of them together.
const take = {
  name: 'quota_take.v3',
  text: `SELECT granted, used, oldest, tenant_used AS "tenantUsed", tenant_oldest AS "tenantOldest", now_seconds AS "nowSeconds"
           FROM quota_take($1, $2, $3, $4, $5, $6)`,
};
const giveBack = { name: 'quota_give_back.v2', text: 'SELECT quota_give_back($1, $2, $3, $4)' };

/** The windows of principals and tenants; see the functions in the migrations. */
@Injectable()
export class QuotaRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Takes as many of `wanted` as both windows have left. @param leaseSeconds for how long they may be kept */
  async take(
    { tenantId, principal }: { tenantId: string; principal: string },
    wanted: number,
    limits: { own: number; tenant: number },
    leaseSeconds: number,
  ): Promise<QuotaTaken> {
    const values: [string, ...unknown[]] = [tenantId, principal, wanted, limits.own, limits.tenant, leaseSeconds];
    const [row] = await this.transactions.query<QuotaTaken & Record<string, unknown>>(take, values);
    if (!row) throw new Error('quota_take answers one row');
    return row;
  }

  /** @param minute of the bucket that they were counted in */
  async giveBack(
    { tenantId, principal }: { tenantId: string; principal: string },
    minute: number,
    tokens: number,
  ): Promise<void> {
    await this.transactions.query(giveBack, [tenantId, principal, minute, tokens]);
  }
}
