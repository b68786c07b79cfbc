import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A name, and the version it stands for. The sealed values are rows of their own, one for each version. */
@Entity('secret')
export class Secret {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** Bound to the sealed values: a name deleted and stored again has another id, and the old values stay shut. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  /** Null once it is deleted. */
  @Column({ type: 'text', nullable: true })
  name: string | null;

  /** The name it had, once it is deleted. */
  @Column({ name: 'deleted_name', type: 'text', nullable: true })
  deletedName: string | null;

  @Column({ type: 'integer' })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;

  @Column({ name: 'deleted_at', type: 'timestamptz', nullable: true })
  deletedAt: Date | null;

  /** Until then a deleted secret can be brought back. */
  @Column({ name: 'purge_at', type: 'timestamptz', nullable: true })
  purgeAt: Date | null;
}
