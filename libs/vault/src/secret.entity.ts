import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A name, and the version it stands for. The sealed values are rows of their own, one for each version. */
@Entity('secret')
export class Secret {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  name: string;

  /** Bound to the sealed values: a name deleted and stored again has another id, and the old values stay shut. */
  @Column({ type: 'text' })
  id: string;

  @Column({ type: 'integer' })
  version: number;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
