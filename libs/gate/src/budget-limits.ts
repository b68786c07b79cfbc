import { Injectable } from '@nestjs/common';
import { type Actor, Clock, type MicroUsd, newId, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { type Tx } from '@haldir/database';
import { periodOf } from './budget.js';
import { type Budget, type BudgetScope } from './budget.entity.js';
import { BudgetRepository, type BudgetStanding } from './budget.repository.js';
import { BudgetNotFound, TooManyBudgets } from './gate.errors.js';

/** They are read with every payment, so there is an end to them. */
const MAX_BUDGETS = 500;

/** The limits above sessions, as operators set them. A change counts for the next payment, on every process. */
@Injectable()
export class BudgetLimits {
  constructor(
    private readonly budgets: BudgetRepository,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  list(tenantId: string, limit: number, after: string | null): Promise<BudgetStanding[]> {
    const now = this.clock.now();
    const periods = { month: periodOf('tenant_month', now), day: periodOf('agent_day', now) };
    return this.budgets.list(tenantId, periods, limit, after);
  }

  /** Takes the place of the budget for the same scope and subject. @throws TooManyBudgets */
  async put(
    tx: Tx,
    actor: Actor,
    { scope, subject, limit }: { scope: BudgetScope; subject: string; limit: MicroUsd },
  ): Promise<Budget> {
    const budget = { tenantId: actor.tenantId, id: newId('bud'), scope, subject, limit, createdAt: this.clock.now() };
    if (!(await this.budgets.in(tx).put(budget, MAX_BUDGETS))) throw new TooManyBudgets(MAX_BUDGETS);
    this.record(tx, actor, 'budget_set', budget);
    return budget;
  }

  /** @throws BudgetNotFound when the tenant has no such budget */
  async remove(tx: Tx, actor: Actor, id: string): Promise<void> {
    const removed = await this.budgets.in(tx).remove(actor.tenantId, id);
    if (!removed) throw new BudgetNotFound();
    this.record(tx, actor, 'budget_removed', removed);
  }

  private record(tx: Tx, actor: Actor, action: string, { id, scope, subject, limit }: Budget): void {
    this.auditLog.record(tx, actor, {
      source: 'haldir',
      agentId: subject,
      tool: 'haldir.gate',
      action,
      details: { budget_id: id, scope, limit: toDollars(limit), by: actor.id },
    });
  }
}
