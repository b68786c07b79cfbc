import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A session with an upstream, as it is kept for all processes. */
@Entity('upstream_session')
export class KeptUpstreamSession {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** Of Haldir, a credential; empty for one that is nobody's in particular. */
  @PrimaryColumn({ name: 'session_id', type: 'text' })
  sessionId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  /** Of the registration. */
  @PrimaryColumn({ type: 'text' })
  revision: string;

  /** New with every session that is begun in this place. */
  @Column({ type: 'text' })
  epoch: string;

  /** Null for one that was lost and has no successor yet. */
  @Column({ type: 'bytea', nullable: true })
  sealed: Buffer | null;

  @Column({ name: 'used_at', type: 'timestamptz' })
  usedAt: Date;

  @Column({ name: 'claimed_until', type: 'timestamptz' })
  claimedUntil: Date;

  /** To end it. */
  @Column({ type: 'integer' })
  tries: number;
}
