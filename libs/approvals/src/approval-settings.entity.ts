import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How a tenant wants its approvals. */
@Entity('approval_settings')
export class ApprovalSettings {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  /** Whether the key that asked, or opened the session, may not decide. */
  @Column({ name: 'forbid_self_approval', type: 'boolean' })
  forbidSelfApproval: boolean;
}
