import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Who somebody is to a tenant; whoever belongs to two tenants is a person in each. */
@Entity('person')
export class Person {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  /** In lower case; of one person of the tenant. */
  @Column({ type: 'text' })
  email: string;

  /** Empty where nobody gave one. */
  @Column({ type: 'text' })
  name: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
