import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

export const PAYMENT_STATES = ['authorized', 'held', 'captured', 'voided', 'expired'] as const;
/** `authorized` is final; `held` becomes one of the other three, once. */
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** A payment that was authorized, at once or as a hold. Only its state ever changes. */
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

  /** Standing budgets of keys that it was taken from. */
  @Column({ name: 'drawn_on', type: 'text', array: true })
  drawnOn: string[];

  /** Whether it is the price of a call. */
  @Column({ name: 'of_call', type: 'boolean' })
  ofCall: boolean;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** As last written; see `stateAt`. */
  @Column({ type: 'text' })
  state: PaymentState;

  /** When a hold ends by itself; null for a payment that was authorized at once. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  /** In minor units; null unless it was captured. */
  @BigIntColumn({ name: 'captured_minor', nullable: true })
  capturedMinor: bigint | null;

  @BigIntColumn({ name: 'captured_micros', nullable: true })
  capturedValue: MicroUsd | null;

  @Column({ name: 'settled_at', type: 'timestamptz', nullable: true })
  settledAt: Date | null;

  /** A hold whose time is up has expired, whether anyone noted it or not. */
  stateAt(now: Date): PaymentState {
    return this.state === 'held' && this.expiresAt !== null && this.expiresAt <= now ? 'expired' : this.state;
  }
}
