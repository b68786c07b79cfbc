import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What is known of an `Idempotency-Key`. */
@Entity('idempotency')
export class IdempotencyRecord {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  route: string;

  /** Of the principal and its key. */
  @PrimaryColumn({ name: 'key_hash', type: 'bytea' })
  keyHash: Buffer;

  /** Keyed, of the request. */
  @Column({ type: 'bytea' })
  fingerprint: Buffer;

  /** Null until there is an answer. */
  @Column({ type: 'integer', nullable: true })
  status: number | null;

  /** Sealed. */
  @Column({ type: 'bytea', nullable: true })
  response: Buffer | null;

  /** Until then somebody is at it; null for a write that is one transaction, and once the outcome is unknown. */
  @Column({ name: 'locked_until', type: 'timestamptz', nullable: true })
  lockedUntil: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
