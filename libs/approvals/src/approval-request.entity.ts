import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';
import { type DecisionSignature } from '@haldir/verifier';

export const APPROVAL_STATUSES = ['pending', 'approved', 'denied', 'expired'] as const;
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

/**
 * How what was asked about ended. `performed`, `failed`, `unknown` and `input_required` are of the call that an approval let through
 * (`input_required`: its tool has asked something first); `expired`: nobody decided in time, or the approved call was not made in time.
 */
export const APPROVAL_OUTCOMES = ['performed', 'failed', 'unknown', 'input_required', 'expired'] as const;
export type ApprovalOutcome = (typeof APPROVAL_OUTCOMES)[number];

/** How many characters (code points) of the details are shown with a request; all of them are read part by part. */
export const VIEW_DETAILS_CHARS = 16_384;

/** A question to a human, and the answer. */
@Entity('approval_request')
export class ApprovalRequest {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  /** A credential: never shown or logged. */
  @Column({ name: 'session_id', type: 'text' })
  sessionId: string;

  @Column({ name: 'agent_id', type: 'text' })
  agentId: string;

  @Column({ type: 'text' })
  tool: string;

  @Column({ type: 'text' })
  action: string;

  @BigIntColumn({ name: 'amount_micros' })
  amount: MicroUsd;

  /** Whether it had an amount that is no plain number; `amount` is 0 then. */
  @Column({ name: 'amount_unclear', type: 'boolean' })
  amountUnclear: boolean;

  @Column({ type: 'text' })
  reason: string;

  /** Of a request that was read, the beginning: one character more than `VIEW_DETAILS_CHARS` where there are more. */
  @Column({ type: 'text', nullable: true })
  details: string | null;

  /** The exact call that waits; null for a request an agent made of its own accord, which lets nothing through. */
  @Column({ type: 'bytea', nullable: true })
  digest: Buffer | null;

  /** The policy or approval rule that asked; null for a request an agent made of its own accord, and for those of earlier versions. */
  @Column({ name: 'rule_id', type: 'text', nullable: true })
  ruleId: string | null;

  /** The others that would have asked. */
  @Column({ name: 'other_rule_ids', type: 'text', array: true })
  otherRuleIds: readonly string[];

  /** The public prefix of the key that asked; null when it is not known. */
  @Column({ name: 'requested_key', type: 'text', nullable: true })
  requestedKey: string | null;

  /** As last written; see `statusAt`. */
  @Column({ type: 'text' })
  status: ApprovalStatus;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  @Column({ name: 'decided_at', type: 'timestamptz', nullable: true })
  decidedAt: Date | null;

  /** What the request said of who decides; null while undecided. */
  @Column({ name: 'decided_by', type: 'text', nullable: true })
  decidedBy: string | null;

  @Column({ name: 'decision_note', type: 'text', nullable: true })
  decisionNote: string | null;

  /** The public prefix of the key that decided, from its credential. */
  @Column({ name: 'decided_key', type: 'text', nullable: true })
  decidedKey: string | null;

  /** What whoever decided signed; null where they did not, or it is undecided. */
  @Column({ type: 'jsonb', nullable: true })
  signature: DecisionSignature | null;

  /** JSON of a `GrantableCall`: what a grant of calls like this one is held against; null where there can be none. */
  @Column({ type: 'text', nullable: true })
  grantable: string | null;

  /** The grant by which it was approved: its call is let through as one of those, and by this request no more. */
  @Column({ name: 'grant_id', type: 'text', nullable: true })
  grantId: string | null;

  /** When the call it stands for was let through. */
  @Column({ name: 'consumed_at', type: 'timestamptz', nullable: true })
  consumedAt: Date | null;

  /** Null while it has not ended, and of one that lets nothing through by itself: denied, of an agent's own accord, or with a grant. */
  @Column({ type: 'text', nullable: true })
  outcome: ApprovalOutcome | null;

  /** A pending request has expired the moment its time is up, whether or not anyone has noted it yet. */
  statusAt(now: Date): ApprovalStatus {
    return this.status === 'pending' && this.expiresAt <= now ? 'expired' : this.status;
  }
}
