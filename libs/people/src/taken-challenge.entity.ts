import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A challenge that was answered, and is answered no second time. Kept until it is over anyway. */
@Entity('taken_challenge')
export class TakenChallenge {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** SHA-256 of it. */
  @PrimaryColumn({ type: 'bytea' })
  hash: Buffer;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
