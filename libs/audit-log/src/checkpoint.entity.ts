import { wholeNumber } from '@haldir/database';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A signed statement of how many entries a log has, and which. */
@Entity('audit_checkpoint')
export class Checkpoint {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'tree_size', type: 'bigint', transformer: wholeNumber })
  size: number;

  @Column({ name: 'root_hash', type: 'bytea' })
  root: Buffer;

  @Column({ name: 'signed_at', type: 'timestamptz' })
  signedAt: Date;

  /** Ed25519, over the checkpoint's lines. */
  @Column({ type: 'bytea' })
  signature: Buffer;

  /** The C2SP signed note. */
  @Column({ type: 'text' })
  note: string;
}
