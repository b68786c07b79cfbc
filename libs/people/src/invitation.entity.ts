import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A link that signs in once. A row that is gone was used or replaced. */
@Entity('invitation')
export class Invitation {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  /** Whom it signs in; null for the first owner of all, who says so when they come. */
  @Column({ name: 'person_id', type: 'text', nullable: true })
  personId: string | null;

  /** SHA-256 of the token in the link. */
  @Column({ type: 'bytea' })
  hash: Buffer;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea' })
  mac: Buffer;
}
