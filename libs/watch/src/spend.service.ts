import { Inject, Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { LogSums, type SpendSums, type SumFilter } from '@haldir/audit-log';
import { PaymentTotals } from '@haldir/vault';

/** What agents report to have spent, and beside it what they paid through Haldir. */
export interface SpendSummary extends SpendSums {
  payments: { total: MicroUsd; count: number };
}

@Injectable()
export class SpendService {
  constructor(
    @Inject(LogSums) private readonly sums: LogSums,
    @Inject(PaymentTotals) private readonly payments: PaymentTotals,
  ) {}

  /** Costs about the same for a log of any length. */
  async summary(tenantId: string, filter: SumFilter): Promise<SpendSummary> {
    const [sums, { totalMicros, count }] = await Promise.all([
      this.sums.spend(tenantId, filter),
      this.payments.totals(tenantId, filter),
    ]);
    return { ...sums, payments: { total: totalMicros, count } };
  }
}
