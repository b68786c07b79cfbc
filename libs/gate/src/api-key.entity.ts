import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Tier } from '@haldir/runtime';

@Entity('api_key')
export class ApiKey {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'public_id', type: 'text' })
  publicId: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  tier: Tier;

  /** `resource:action`, with `*` for either or both. */
  @Column({ type: 'text', array: true })
  scopes: string[];

  /** Keyed hash of the whole key. */
  @Column({ type: 'bytea', select: false })
  hash: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** To the minute; null until first used. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}
