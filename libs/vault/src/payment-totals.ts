import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { type PaymentTotal } from './payment-total.entity.js';
import { type PaidDay, PaymentTotalRepository, type SpendRow } from './payment-total.repository.js';
import { type PaymentFilter } from './payment.repository.js';

/** What a tenant's agents have paid, at a cost that does not grow with the number of payments. */
@Injectable()
export class PaymentTotals {
  constructor(private readonly sums: PaymentTotalRepository) {}

  /**
   * Payments authorized so far; filters combine. A payment in another currency counts with the dollars it was converted
   * to, and with nothing where no rate was configured (which only a session without limit allows).
   */
  async totals(tenantId: string, filter: PaymentFilter = {}): Promise<{ totalMicros: MicroUsd; count: number }> {
    const found = await this.sums.find(tenantId, filter);
    return { totalMicros: found?.total ?? (0n as MicroUsd), count: Number(found?.payments ?? 0) };
  }

  /** What each of the agents has paid, by agent; one that has paid nothing is left out. */
  async ofAgents(tenantId: string, agentIds: readonly string[]): Promise<Map<string, MicroUsd>> {
    return byAgent(await this.sums.ofAgents(tenantId, agentIds));
  }

  /** What each agent has paid of what the filter leaves, by agent; one that has paid nothing is left out. */
  async byAgent(tenantId: string, filter: PaymentFilter): Promise<Map<string, MicroUsd>> {
    if (filter.sessionId === undefined && filter.agentId === undefined)
      return byAgent(await this.sums.ofEveryAgent(tenantId));
    const found = await this.sums.find(tenantId, filter);
    return byAgent(found ? [found] : []);
  }

  /** What was paid by day, agent and tool: up to `limit` of these, the last day first, behind `after`. */
  days(
    tenantId: string,
    filter: PaymentFilter,
    limit: number,
    after: Pick<PaidDay, 'day' | 'agentId' | 'tool'> | null,
  ): Promise<PaidDay[]> {
    return this.sums.days(tenantId, filter, limit, after);
  }

  /** What was paid in a period of days, which all sums are of: by day and by agent or tool, of which the largest are named. */
  spend(
    tenantId: string,
    by: 'agent' | 'tool',
    period: { from: string; to: string; agentId: string | undefined },
  ): Promise<SpendRow[]> {
    return this.sums.spend(tenantId, by, period);
  }
}

function byAgent(totals: readonly PaymentTotal[]): Map<string, MicroUsd> {
  return new Map(totals.map(({ agentId, total }) => [agentId, total]));
}
