import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd, ruleForms, toDollars } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';
import { type ApprovalRuleType, type ApprovalSubject } from './approval-subject.js';

/** What a tenant wants a human to look at first. */
@Entity('approval_rule')
export class ApprovalRule {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @Column({ type: 'text' })
  type: ApprovalRuleType;

  /** Of `spend_over` only. */
  @BigIntColumn({ name: 'threshold_micros', nullable: true })
  threshold: MicroUsd | null;

  /** Of `tool_blocked` only: bare or `upstream.tool` names. */
  @Column({ type: 'text', array: true, nullable: true })
  tools: string[] | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** Why the rule holds `subject` back, in words; null when it does not. */
  holdsBack(subject: Pick<ApprovalSubject, 'amount' | 'toolNames' | 'destructive'>): string | null {
    switch (this.type) {
      case 'all':
        return 'every action needs approval';
      case 'spend_over':
        if (this.threshold === null || subject.amount === null) return null;
        if (subject.amount === 'unclear') return 'an amount that is no plain number needs approval';
        return subject.amount > this.threshold ? `amount over ${toDollars(this.threshold)} USD needs approval` : null;
      case 'tool_blocked':
        return this.tools?.some((tool) => ruleForms(tool).some((form) => subject.toolNames.includes(form)))
          ? 'the tool needs approval'
          : null;
      case 'destructive':
        return subject.destructive ? 'a destructive tool needs approval' : null;
    }
  }
}
