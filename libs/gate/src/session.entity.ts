import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type AgentGrant, type CatalogueKind, type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';
import { holdsScope } from './session-scopes.js';

export type SessionStatus = 'active' | 'expired' | 'revoked';

/** What an agent may do, for how long, and for how much. */
@Entity('session')
export class Session {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** A credential: never logged. */
  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ name: 'agent_id', type: 'text' })
  agentId: string;

  @Column({ type: 'text', array: true })
  scopes: string[];

  /** Null means no limit was set; zero means the session may spend nothing. */
  @BigIntColumn({ name: 'spend_limit_micros', nullable: true })
  spendLimit: MicroUsd | null;

  @BigIntColumn({ name: 'spent_micros' })
  spent: MicroUsd;

  /** Set aside for payments that may still be captured. */
  @BigIntColumn({ name: 'held_micros' })
  held: MicroUsd;

  /** Held for the sessions that were opened from it, or used up by those that are over; nothing without a limit. */
  @BigIntColumn({ name: 'delegated_micros' })
  delegated: MicroUsd;

  /** Ids of the sessions that it descends from, the first one first and its parent last; none for one that was opened from none. */
  @Column({ type: 'text', array: true })
  lineage: string[];

  /** How many descend from it, through others too, and are not noted to be over. */
  @Column({ type: 'integer' })
  descendants: number;

  @Column({ type: 'text' })
  catalogue: CatalogueKind;

  /** The id of the principal that opened it; null when none did. */
  @Column({ name: 'opened_key', type: 'text', nullable: true })
  openedKey: string | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;

  /** When its end was recorded; null until then. */
  @Column({ name: 'expiry_announced_at', type: 'timestamptz', nullable: true, select: false })
  expiryAnnouncedAt: Date | null;

  /** When an exhausted budget was last announced. */
  @Column({ name: 'budget_announced_at', type: 'timestamptz', nullable: true, select: false })
  budgetAnnouncedAt: Date | null;

  /** The highest share of the limit, in percent, that was announced. */
  @Column({ type: 'integer', select: false })
  threshold: number;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea', select: false })
  mac: Buffer;

  /** Whether its agent is stopped: the session is as good as dead until the agent goes on. Known of sessions that are acted through. */
  isFrozen = false;

  /** What bounds whoever acts through it right now; null for who is bound by nothing else. */
  ceiling: AgentGrant | null = null;

  statusAt(now: Date): SessionStatus {
    if (this.revokedAt !== null) return 'revoked';
    return now < this.expiresAt ? 'active' : 'expired';
  }

  isValidAt(now: Date): boolean {
    return this.statusAt(now) === 'active' && !this.isFrozen;
  }

  grants(scope: string): boolean {
    return holdsScope(this.scopes, scope) && (this.ceiling === null || holdsScope(this.ceiling.scopes, scope));
  }

  /** The session that it was opened from; null for one that was opened from none. */
  get parentId(): string | null {
    return this.lineage.at(-1) ?? null;
  }

  /** What of the limit is spent, held or delegated. */
  get used(): MicroUsd {
    return (this.spent + this.held + this.delegated) as MicroUsd;
  }

  /** What is left of the limit; null when no limit was set. */
  remainingBudget(): MicroUsd | null {
    return this.spendLimit === null ? null : ((this.spendLimit - this.used) as MicroUsd);
  }

  /** A limit is itself a grant to spend up to it; without one, the `spend` scope is. */
  maySpend(): boolean {
    return this.spendLimit !== null || this.grants('spend');
  }
}
