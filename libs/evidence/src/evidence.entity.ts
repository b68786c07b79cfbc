import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '@haldir/database';

export const EVIDENCE_STATES = ['queued', 'running', 'done', 'failed'] as const;
export type EvidenceState = (typeof EVIDENCE_STATES)[number];

const maybeNumber = {
  to: (value: number | null): number | null => value,
  from: (value: string | null): number | null => (value === null ? null : Number(value)),
};

/** A package of evidence: what was asked for, how far it is, and what became of it. */
@Entity('evidence')
export class Evidence {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  /** The first moment of the period. */
  @Column({ name: 'period_from', type: 'timestamptz' })
  from: Date;

  /** The last. */
  @Column({ name: 'period_to', type: 'timestamptz' })
  to: Date;

  @Column({ type: 'text' })
  state: EvidenceState;

  /** Entries of the log that are written. */
  @Column({ name: 'entries_done', type: 'bigint', transformer: wholeNumber })
  done: number;

  /** Of how many; null until it is begun. */
  @Column({ name: 'entries_total', type: 'bigint', nullable: true, transformer: maybeNumber })
  total: number | null;

  /** Who makes it knows it by this number; whoever takes it up has another. */
  @Column({ type: 'integer' })
  attempt: number;

  /** Bytes of the package; null until it is done. */
  @Column({ type: 'bigint', nullable: true, transformer: maybeNumber })
  size: number | null;

  @Column({ type: 'bytea', nullable: true })
  sha256: Buffer | null;

  /** Why there is none; null unless it failed. */
  @Column({ type: 'text', nullable: true })
  reason: string | null;

  @Column({ name: 'made_by', type: 'text' })
  madeBy: string;

  @Column({ name: 'made_by_label', type: 'text' })
  madeByLabel: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'finished_at', type: 'timestamptz', nullable: true })
  finishedAt: Date | null;

  /** When it is removed; null while it is made. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;
}
