import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';
import { type BudgetScope } from './budget.js';

/** A limit above the session. */
@Entity('budget')
export class Budget {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  scope: BudgetScope;

  /** The agent; empty for the tenant, and for every agent that has no budget of its own. */
  @Column({ type: 'text' })
  subject: string;

  @BigIntColumn({ name: 'limit_micros' })
  limit: MicroUsd;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
