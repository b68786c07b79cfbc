import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

/** What a tenant, an agent or a session has paid. */
@Entity('payment_total')
export class PaymentTotal {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  scope: 'tenant' | 'agent' | 'session';

  /** The agent or session; empty for the tenant. */
  @PrimaryColumn({ type: 'text' })
  subject: string;

  /** Empty for the tenant. */
  @Column({ name: 'agent_id', type: 'text' })
  agentId: string;

  /** How many. */
  @BigIntColumn()
  payments: bigint;

  /** A payment without a rate counts with nothing. */
  @BigIntColumn({ name: 'usd_micros' })
  total: MicroUsd;
}
