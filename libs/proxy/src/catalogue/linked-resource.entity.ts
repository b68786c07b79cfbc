import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A resource that an upstream has named to a session. */
@Entity('linked_resource')
export class LinkedResource {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'session_id', type: 'text' })
  sessionId: string;

  /** SHA-256 of the address. */
  @PrimaryColumn({ name: 'address_hash', type: 'bytea' })
  addressHash: Buffer;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  /** With its session. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
