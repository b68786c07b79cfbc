import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type Tier } from '@haldir/runtime';

@Entity('tenant')
export class Tenant {
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  tier: Tier;

  /** Whether it is the operator's, made with the first key of all. */
  @Column({ name: 'is_operator', type: 'boolean' })
  isOperator: boolean;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
