import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How much an upstream was told. */
@Entity('upstream_told_head')
export class UpstreamToldHead {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  /** Counts up with every change, and never back. */
  @Column({ type: 'integer' })
  version: number;

  /** How many values. */
  @Column({ type: 'integer' })
  told: number;

  /** Of all of them. */
  @Column({ type: 'integer' })
  bytes: number;

  /** Whether what was bound to it earlier is noted. */
  @Column({ type: 'boolean' })
  bound: boolean;
}
