import { Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { LogSums, type Share, type SumFilter } from '@haldir/audit-log';
import { type PaidDay, PaymentTotals } from '@haldir/vault';

/** What agents report to have spent, and what they paid through Haldir. */
export interface SpendSummary {
  /** Entries, and what they report. */
  entries: number;
  cost: MicroUsd;
  byTool: Share[];
  /** What each agent reports and pays, together. */
  byAgent: ReadonlyMap<string, MicroUsd>;
  payments: { total: MicroUsd; count: number; days: PaidDay[] };
}

export type PaidDayPosition = Pick<PaidDay, 'day' | 'agentId' | 'tool'>;

@Injectable()
export class SpendService {
  constructor(
    private readonly sums: LogSums,
    private readonly payments: PaymentTotals,
  ) {}

  /**
   * Costs about the same for a log, and payments, of any length.
   *
   * @param days of payments by day, agent and tool at most, the last first, behind `after`
   */
  async summary(
    tenantId: string,
    filter: SumFilter,
    days: number,
    after: PaidDayPosition | null,
  ): Promise<SpendSummary> {
    const [sums, { totalMicros, count }, paid, page] = await Promise.all([
      this.sums.spend(tenantId, filter),
      this.payments.totals(tenantId, filter),
      this.payments.byAgent(tenantId, filter),
      this.payments.days(tenantId, filter, days, after),
    ]);
    const byAgent = new Map(sums.byAgent.map(({ name, cost }) => [name, cost]));
    for (const [agentId, micros] of paid) byAgent.set(agentId, ((byAgent.get(agentId) ?? 0n) + micros) as MicroUsd);
    return { ...sums, byAgent, payments: { total: totalMicros, count, days: page } };
  }
}
