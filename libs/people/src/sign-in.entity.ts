import { Column, Entity, PrimaryColumn } from 'typeorm';

export const SIGN_IN_METHODS = ['link', 'passkey', 'oidc'] as const;
export type SignInMethod = (typeof SIGN_IN_METHODS)[number];

/** A browser in which a person is signed in: what its cookie is worth. A row that is gone is ended. */
@Entity('sign_in')
export class SignIn {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'person_id', type: 'text' })
  personId: string;

  /** SHA-256 of the cookie. */
  @Column({ type: 'bytea' })
  hash: Buffer;

  /** SHA-256 of the token that the page keeps. */
  @Column({ name: 'page_hash', type: 'bytea' })
  pageHash: Buffer;

  @Column({ type: 'text' })
  method: SignInMethod;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** To the minute. */
  @Column({ name: 'used_at', type: 'timestamptz' })
  usedAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea' })
  mac: Buffer;
}
