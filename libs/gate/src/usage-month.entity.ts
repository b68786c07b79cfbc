import { Entity, PrimaryColumn } from 'typeorm';
import { BigIntColumn } from '@haldir/database';

/** How many requests of a tenant were authenticated in a month. */
@Entity('usage_month')
export class UsageMonth {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** `YYYY-MM`, UTC. */
  @PrimaryColumn({ type: 'text' })
  month: string;

  @BigIntColumn()
  requests: bigint;
}
