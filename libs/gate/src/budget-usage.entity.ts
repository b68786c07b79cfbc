import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';
import { type BudgetScope } from './budget.entity.js';

/** What is counted: for budgets, and for the standing budgets of agent keys. */
export type UsageScope = BudgetScope | 'key';

/** What was spent and is held under a budget in one period, whether there is a limit or not. */
@Entity('budget_usage')
export class BudgetUsage {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  scope: UsageScope;

  @PrimaryColumn({ type: 'text' })
  subject: string;

  /** `YYYY-MM` or `YYYY-MM-DD`, UTC, or `total`. */
  @PrimaryColumn({ type: 'text' })
  period: string;

  @BigIntColumn({ name: 'spent_micros' })
  spent: MicroUsd;

  @BigIntColumn({ name: 'held_micros' })
  held: MicroUsd;

  /** The highest share of the limit, in percent, that was announced. */
  @Column({ type: 'integer' })
  threshold: number;
}
