import { type MicroUsd, type SpendPeriod } from '@haldir/kernel';
import { type Budget, BUDGET_SCOPES, type BudgetScope } from './budget.entity.js';

/** What the sessions of one agent key may spend together. */
export interface StandingBudget {
  /** The id of the principal. */
  keyId: string;
  limit: MicroUsd;
  period: SpendPeriod;
}

/** The period of a standing budget that a time falls into. */
export function standingPeriodOf(period: SpendPeriod, at: Date): string {
  return period === 'total' ? 'total' : at.toISOString().slice(0, period === 'month' ? 7 : 10);
}

/** Shares of a limit, in percent, that are announced when they are reached. */
export const THRESHOLDS = [50, 80, 100] as const;

/** The thresholds that `used` of `limit` reaches and that were not announced yet. A limit of zero has none. */
export function thresholdsReached(used: MicroUsd, limit: MicroUsd, announced: number): number[] {
  if (limit === 0n) return [];
  return THRESHOLDS.filter((percent) => percent > announced && used * 100n >= limit * BigInt(percent));
}

export function periodOf(scope: BudgetScope, at: Date): string {
  return at.toISOString().slice(0, scope === 'tenant_month' ? 7 : 10);
}

/** The limits that hold for an agent of a tenant: its own, or that for every agent; and the tenant's. */
export function limitsFor(budgets: readonly Budget[], agentId: string): Map<BudgetScope, MicroUsd> {
  const limits = new Map<BudgetScope, MicroUsd>();
  for (const scope of BUDGET_SCOPES) {
    const own = budgets.find((budget) => budget.scope === scope && budget.subject === agentId);
    const general = budgets.find((budget) => budget.scope === scope && budget.subject === '');
    const limit = (scope === 'agent_day' ? own : undefined)?.limit ?? general?.limit;
    if (limit !== undefined) limits.set(scope, limit);
  }
  return limits;
}
