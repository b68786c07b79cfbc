import { Column, Entity } from 'typeorm';
import { RootKeyIdColumn } from './root-key-id.column.js';

/** A root key that was once configured; what it is stays outside the database. */
@Entity('root_key')
export class RootKey {
  @RootKeyIdColumn({ primary: true })
  id: number;

  /** Opens under this key, and under no other that is configured by its id. */
  @Column({ type: 'bytea' })
  canary: Buffer;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
