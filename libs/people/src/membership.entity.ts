import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Role } from './roles.js';

export type PersonStatus = 'invited' | 'active';

/** What a person may do in a tenant. */
@Entity('membership')
export class Membership {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'person_id', type: 'text' })
  personId: string;

  @Column({ type: 'text' })
  role: Role;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When they signed in first; null for who was invited and has not come yet. */
  @Column({ name: 'signed_in_at', type: 'timestamptz', nullable: true })
  signedInAt: Date | null;

  /** Since when they do not belong to the tenant any more. */
  @Column({ name: 'removed_at', type: 'timestamptz', nullable: true })
  removedAt: Date | null;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea' })
  mac: Buffer;
}
