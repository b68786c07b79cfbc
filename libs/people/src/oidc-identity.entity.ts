import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Role } from './roles.js';

/** Somebody as an issuer knows them, and who that is to the tenant: decided when they first sign in, whatever their address is later. */
@Entity('oidc_identity')
export class OidcIdentity {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** `iss` of their ID tokens. */
  @PrimaryColumn({ type: 'text' })
  issuer: string;

  /** `sub`, which an issuer gives to nobody else. */
  @PrimaryColumn({ type: 'text' })
  subject: string;

  @Column({ name: 'person_id', type: 'text' })
  personId: string;

  /** The role that they have, or had, by a claim alone; null for whoever has theirs by hand. */
  @Column({ name: 'claimed_role', type: 'text', nullable: true })
  claimedRole: Role | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea' })
  mac: Buffer;
}
