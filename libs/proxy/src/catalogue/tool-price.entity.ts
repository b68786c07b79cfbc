import { Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

/** What each call of a tool costs, whatever its upstream says of the tool; goes with the upstream. */
@Entity('proxy_tool_price')
export class ToolPrice {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  @PrimaryColumn({ type: 'text' })
  tool: string;

  @BigIntColumn({ name: 'price_micros' })
  price: MicroUsd;
}
