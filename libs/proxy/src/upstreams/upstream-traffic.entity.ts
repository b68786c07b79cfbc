import { wholeNumber } from '@haldir/database';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Sums over the calls to an upstream. */
@Entity('proxy_traffic')
export class UpstreamTraffic {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  @Column({ type: 'bigint', transformer: wholeNumber })
  calls: number;

  /** Calls that no answer came of. */
  @Column({ type: 'bigint', transformer: wholeNumber })
  errors: number;

  /** Answers of its tools that say `isError`. */
  @Column({ name: 'tool_errors', type: 'bigint', transformer: wholeNumber })
  toolErrors: number;

  /** Of all calls together. */
  @Column({ name: 'latency_ms', type: 'double precision' })
  latencyMs: number;
}
