import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

export const BUDGET_SCOPES = ['tenant_month', 'agent_day'] as const;
/** Above the session: what a tenant may spend in a UTC month, and an agent in a UTC day. */
export type BudgetScope = (typeof BUDGET_SCOPES)[number];

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
