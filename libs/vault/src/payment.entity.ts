import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

/** A payment that was authorized. It never changes. */
@Entity('payment')
export class Payment {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'session_id', type: 'text' })
  sessionId: string;

  @Column({ name: 'agent_id', type: 'text' })
  agentId: string;

  /** In minor units of `currency`. */
  @BigIntColumn({ name: 'amount_minor' })
  amountMinor: bigint;

  /** ISO 4217. */
  @Column({ type: 'text' })
  currency: string;

  /** What it counts in dollars, taken from the budget; null for a currency without a rate (in a session without limit). */
  @BigIntColumn({ name: 'usd_micros', nullable: true })
  usdValue: MicroUsd | null;

  /** US dollars for one unit of the currency, exact; null for a payment that was not converted. */
  @Column({ name: 'fx_rate', type: 'numeric', nullable: true })
  fxRate: string | null;

  @Column({ type: 'text' })
  description: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
