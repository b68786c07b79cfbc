import { wholeNumber } from '@haldir/database';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type WebhookFormat } from './webhook-format.js';

/** Why an endpoint was switched off: it said so itself (410), nothing but failures came from it for days, or somebody asked for it. */
export type DisabledReason = 'gone' | 'failing' | 'requested';

/** An endpoint that is told of events. */
@Entity('webhook')
export class Webhook {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'bigint', transformer: wholeNumber })
  id: number;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  url: string;

  /** `['all']`, or the types it wants to hear of. */
  @Column({ type: 'text', array: true })
  events: string[];

  /** How it is told. */
  @Column({ type: 'text' })
  format: WebhookFormat;

  /** Sealed. */
  @Column({ type: 'bytea' })
  secret: Buffer;

  /** Sealed; signs along until `secretPrevExpiresAt`. */
  @Column({ name: 'secret_prev', type: 'bytea', nullable: true })
  secretPrev: Buffer | null;

  @Column({ name: 'secret_prev_expires_at', type: 'timestamptz', nullable: true })
  secretPrevExpiresAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt: Date | null;

  @Column({ name: 'disabled_at', type: 'timestamptz', nullable: true })
  disabledAt: Date | null;

  @Column({ name: 'disabled_reason', type: 'text', nullable: true })
  disabledReason: DisabledReason | null;

  /** The first failure since the last success; null while all is well. */
  @Column({ name: 'failing_since', type: 'timestamptz', nullable: true })
  failingSince: Date | null;

  /** Deliveries wait until then; null while the breaker is closed. */
  @Column({ name: 'breaker_until', type: 'timestamptz', nullable: true })
  breakerUntil: Date | null;

  /** For how long the breaker was opened last, in seconds; zero while it is closed. */
  @Column({ name: 'breaker_seconds', type: 'integer' })
  breakerSeconds: number;
}
