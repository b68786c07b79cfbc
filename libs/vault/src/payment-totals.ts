import { Inject, Injectable } from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { type PaymentFilter, PaymentRepository } from './payment.repository.js';

/** What a tenant's agents have paid, at a cost that does not grow with the number of payments. */
@Injectable()
export class PaymentTotals {
  constructor(@Inject(PaymentRepository) private readonly payments: PaymentRepository) {}

  /**
   * Payments authorized so far; filters combine. A payment in another currency counts with the dollars it was converted
   * to, and with nothing where no rate was configured (which only a session without limit allows).
   */
  totals(tenantId: string, filter: PaymentFilter = {}): Promise<{ totalMicros: MicroUsd; count: number }> {
    return this.payments.total(tenantId, filter);
  }

  /** What each of the agents has paid, by agent; one that has paid nothing is left out. */
  ofAgents(tenantId: string, agentIds: readonly string[]): Promise<Map<string, MicroUsd>> {
    return this.payments.totalsOfAgents(tenantId, agentIds);
  }
}
