import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type MicroUsd } from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';

/** How a tenant wants its approvals. */
@Entity('approval_settings')
export class ApprovalSettings {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** Whether the key that asked, or opened the session, may not decide. */
  @Column({ name: 'forbid_self_approval', type: 'boolean' })
  forbidSelfApproval: boolean;

  /** An approval of this amount or more is signed, and one of an amount that is not clear; null where no amount has it so. */
  @BigIntColumn({ name: 'signature_from_micros', nullable: true })
  signatureFrom: MicroUsd | null;

  /** An approval of what one of these policies or approval rules holds back is signed. */
  @Column({ name: 'signature_rules', type: 'text', array: true })
  signatureRules: string[];

  /** Whether calls of destructive tools may be approved by grants. */
  @Column({ name: 'destructive_grants', type: 'boolean' })
  destructiveGrants: boolean;
}

/** Whether the tenant wants an approval signed: of so much, and of what these hold back. @param amount unclear where it is no plain number */
export function requiresSignature(
  { signatureFrom, signatureRules }: Pick<ApprovalSettings, 'signatureFrom' | 'signatureRules'>,
  amount: MicroUsd | 'unclear',
  ruleIds: readonly string[],
): boolean {
  if (signatureFrom !== null && (amount === 'unclear' || amount >= signatureFrom)) return true;
  return ruleIds.some((id) => signatureRules.includes(id));
}
