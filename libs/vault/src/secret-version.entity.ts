import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Bindings } from './secret-binding.js';

/** A value of a secret, sealed; see `secret-seal.ts`. */
@Entity('secret_version')
export class SecretVersion {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'secret_id', type: 'text' })
  secretId: string;

  @PrimaryColumn({ type: 'integer' })
  version: number;

  @Column({ name: 'scope_required', type: 'text' })
  scopeRequired: string;

  /** Null for a value that does not end by itself. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  @Column({ type: 'text', array: true })
  bindings: Bindings;

  /** Both empty once it expired, or was purged. */
  @Column({ name: 'wrapped_key', type: 'bytea' })
  wrappedKey: Buffer;

  @Column({ type: 'bytea' })
  value: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
