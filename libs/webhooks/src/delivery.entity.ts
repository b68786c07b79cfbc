import { wholeNumber } from '@haldir/database';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What is sent of an event, byte for byte, to every endpoint and at every attempt. */
@Entity('webhook_event')
export class WebhookEvent {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** Time-ordered. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'text' })
  body: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}

export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'cancelled';

/** An event for an endpoint. */
@Entity('webhook_delivery')
export class Delivery {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'event_id', type: 'text' })
  eventId: string;

  @PrimaryColumn({ name: 'webhook_id', type: 'bigint', transformer: wholeNumber })
  webhookId: number;

  @Column({ type: 'text' })
  state: DeliveryState;

  /** Attempts made so far. */
  @Column({ type: 'integer' })
  attempts: number;

  /** Attempts the schedule still allows. */
  @Column({ name: 'attempts_left', type: 'integer' })
  attemptsLeft: number;

  @Column({ name: 'next_attempt_at', type: 'timestamptz' })
  nextAttemptAt: Date;

  /** Until then a process holds it; null when none does. */
  @Column({ name: 'leased_until', type: 'timestamptz', nullable: true })
  leasedUntil: Date | null;
}

/** An attempt at a delivery; never changes. */
@Entity('webhook_attempt')
export class Attempt {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'bigint', transformer: wholeNumber })
  id: number;

  @Column({ name: 'event_id', type: 'text' })
  eventId: string;

  @Column({ name: 'webhook_id', type: 'bigint', transformer: wholeNumber })
  webhookId: number;

  /** The event's type. */
  @Column({ type: 'text' })
  event: string;

  /** From 1. */
  @Column({ type: 'integer' })
  attempt: number;

  @Column({ type: 'timestamptz' })
  at: Date;

  @Column({ type: 'boolean' })
  delivered: boolean;

  /** Null when there was no answer. */
  @Column({ name: 'status_code', type: 'integer', nullable: true })
  statusCode: number | null;

  @Column({ type: 'text', nullable: true })
  error: string | null;

  @Column({ name: 'duration_ms', type: 'integer' })
  durationMs: number;
}
