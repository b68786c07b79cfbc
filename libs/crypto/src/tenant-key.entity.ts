import { Column, Entity, PrimaryColumn } from 'typeorm';
import { RootKeyIdColumn } from './root-key-id.column.js';

export type TenantKeyState = 'active' | 'decrypt_only' | 'retired';

/** A key of a tenant, under a root key: the active one seals, earlier ones open what they once sealed. */
@Entity('tenant_key')
export class TenantKey {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'integer' })
  version: number;

  @RootKeyIdColumn({ name: 'root_key_id' })
  rootKeyId: number;

  /** Empty once it is retired. */
  @Column({ type: 'bytea' })
  wrapped: Buffer;

  @Column({ type: 'text' })
  state: TenantKeyState;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
