import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A value that an upstream was told, sealed. */
@Entity('upstream_told')
export class UpstreamTold {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  /** Keyed: tells it from others. */
  @PrimaryColumn({ type: 'text' })
  digest: string;

  @Column({ type: 'bytea' })
  sealed: Buffer;

  /** Of the value. */
  @Column({ type: 'integer' })
  bytes: number;

  /** When it ends to open anything; null for what does not. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;
}
