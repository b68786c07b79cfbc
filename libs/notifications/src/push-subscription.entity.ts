import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A browser of a person that is told of things, and how (https://www.w3.org/TR/push-api/). */
@Entity('push_subscription')
export class PushSubscription {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'person_id', type: 'text' })
  personId: string;

  /** SHA-256 of its endpoint. */
  @Column({ name: 'endpoint_hash', type: 'bytea' })
  endpointHash: Buffer;

  /** The host of its push service. */
  @Column({ type: 'text' })
  service: string;

  /** A `PushAddress`, see `PushSeal`. */
  @Column({ type: 'bytea' })
  sealed: Buffer;

  /** As its page calls it; may be empty. */
  @Column({ type: 'text' })
  browser: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When its push service has taken something for it last; null before the first time. */
  @Column({ name: 'told_at', type: 'timestamptz', nullable: true })
  toldAt: Date | null;
}
