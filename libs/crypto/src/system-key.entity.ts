import { Column, Entity, PrimaryColumn } from 'typeorm';
import { RootKeyIdColumn } from './root-key-id.column.js';

/** A key of the installation as a whole, under a root key. */
@Entity('system_key')
export class SystemKey {
  @PrimaryColumn({ type: 'text' })
  name: string;

  @RootKeyIdColumn({ name: 'root_key_id' })
  rootKeyId: number;

  @Column({ type: 'bytea' })
  wrapped: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
