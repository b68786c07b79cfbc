import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

export const GRANT_STATES = ['live', 'used', 'expired', 'revoked'] as const;
export type GrantState = (typeof GRANT_STATES)[number];

/** An approval of calls alike: of one agent and one tool, so many, until then. */
@Entity('approval_grant')
export class ApprovalGrant {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  /** The request by whose approval it was given. */
  @Column({ name: 'request_id', type: 'text' })
  requestId: string;

  @Column({ name: 'agent_id', type: 'text' })
  agentId: string;

  @Column({ type: 'text' })
  tool: string;

  /** SHA-256 of all that the digest of a call has, but session, arguments and amount. */
  @Column({ type: 'bytea' })
  basis: Buffer;

  /** JSON of `AlikeArguments`. */
  @Column({ type: 'text' })
  alike: string;

  /** What may hold such a call back. */
  @Column({ name: 'rule_ids', type: 'text', array: true })
  ruleIds: string[];

  @Column({ type: 'integer' })
  uses: number;

  @Column({ type: 'integer' })
  used: number;

  /** What all calls may spend, as rules see it; null where they spend nothing. */
  @BigIntColumn({ name: 'total_micros', nullable: true })
  total: MicroUsd | null;

  @BigIntColumn({ name: 'spent_micros' })
  spent: MicroUsd;

  /** Who gave it, in words. */
  @Column({ name: 'granted_by', type: 'text' })
  grantedBy: string;

  @Column({ name: 'granted_key', type: 'text' })
  grantedKey: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;

  @Column({ name: 'revoked_key', type: 'text', nullable: true })
  revokedKey: string | null;

  stateAt(now: Date): GrantState {
    if (this.revokedAt !== null) return 'revoked';
    if (this.used >= this.uses) return 'used';
    return this.expiresAt <= now ? 'expired' : 'live';
  }
}
