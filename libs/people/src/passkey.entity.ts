import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A key pair of a person's, whose private half their authenticator keeps (https://www.w3.org/TR/webauthn-3/). */
@Entity('passkey')
export class Passkey {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'person_id', type: 'text' })
  personId: string;

  /** As the authenticator names it; of one passkey of the tenant. */
  @Column({ name: 'credential_id', type: 'bytea' })
  credentialId: Buffer;

  /** A COSE_Key (RFC 9052). */
  @Column({ name: 'public_key', type: 'bytea' })
  publicKey: Buffer;

  /** Of COSE: -7 is ES256, -8 EdDSA, -257 RS256. */
  @Column({ type: 'integer' })
  algorithm: number;

  /** The name of the site that it was made for, and works at. */
  @Column({ name: 'rp_id', type: 'text' })
  rpId: string;

  /** What the person calls it; may be empty. */
  @Column({ type: 'text' })
  name: string;

  /** What the authenticator counted last, from 0 to 2^32 - 1; stays 0 where it does not count. */
  @Column({ type: 'bigint', transformer: { to: String, from: Number } })
  counter: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When it signed in last; null before the first time. */
  @Column({ name: 'used_at', type: 'timestamptz', nullable: true })
  usedAt: Date | null;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea' })
  mac: Buffer;
}
