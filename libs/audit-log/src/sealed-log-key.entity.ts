import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A log's own key, as it is kept. */
@Entity('audit_log_key')
export class SealedLogKey {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** The log's name for ever. */
  @Column({ type: 'text' })
  origin: string;

  @Column({ name: 'public_key', type: 'bytea' })
  publicKey: Buffer;

  /** Sealed under the tenant's key. */
  @Column({ type: 'bytea' })
  seed: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
